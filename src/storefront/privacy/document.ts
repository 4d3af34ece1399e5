/** A text in parts, so that it reads the same as HTML and as plain text. */
export type Block =
  | { kind: "heading"; text: string }
  | { kind: "text"; text: string }
  | { kind: "list"; items: string[] }
  | { kind: "table"; head: string[]; rows: string[][] }
  /** A button that calls the tracker on the shop's page; `text` says the same where there are no buttons. */
  | { kind: "button"; label: string; call: string; text: string };

/** HTML to put into a page of the shop: no script, no style, everything escaped. */
export function asHtml(blocks: Block[]): string {
  return blocks.map(htmlOf).join("\n");
}

function htmlOf(block: Block): string {
  if (block.kind === "heading") return `<h2>${escaped(block.text)}</h2>`;
  if (block.kind === "text") return `<p>${escaped(block.text)}</p>`;
  if (block.kind === "list") return `<ul>${block.items.map((item) => `<li>${escaped(item)}</li>`).join("")}</ul>`;
  if (block.kind === "button") {
    return `<p><button type="button" onclick="${escaped(block.call)}">${escaped(block.label)}</button></p>`;
  }
  const cells = (tag: string, row: string[]) =>
    `<tr>${row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  const body = block.rows.map((row) => cells("td", row)).join("");
  return `<table><thead>${cells("th", block.head)}</thead><tbody>${body}</tbody></table>`;
}

/** The same for mails and for shops that paste text. */
export function asText(blocks: Block[]): string {
  return blocks.map(textOf).join("\n\n");
}

function textOf(block: Block): string {
  if (block.kind === "heading") return `${block.text}\n${"-".repeat(block.text.length)}`;
  if (block.kind === "list") return block.items.map((item) => `- ${item}`).join("\n");
  if (block.kind === "table") {
    return block.rows.map((row) => row.map((cell, i) => `${block.head[i] ?? ""}: ${cell}`).join("\n")).join("\n\n");
  }
  return block.text;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
