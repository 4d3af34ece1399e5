const NAMED: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

/** The text of an HTML fragment, for reading and searching: without tags, scripts and styles, each gap one space. */
export function plainText(html: string, most: number): string {
  return html
    .slice(0, most * 20)
    .replace(/<(script|style)\b[^]*?(<\/\1\s*>|$)/gi, " ")
    .replace(/<!--[^]*?(-->|$)/g, " ")
    .replace(/<[^>]*(>|$)/g, " ")
    .replace(/&(#x?[0-9a-f]{1,6}|\w{2,8});/gi, decode)
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, most)
    .toWellFormed();
}

function decode(entity: string, name: string): string {
  if (!name.startsWith("#")) return NAMED[name.toLowerCase()] ?? entity;
  const hex = name[1] === "x" || name[1] === "X";
  const code = Number.parseInt(name.slice(hex ? 2 : 1), hex ? 16 : 10);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : " ";
}
