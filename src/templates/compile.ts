import type { Liquid, Template } from "liquidjs";

import { AppError, type FieldError } from "../errors";
import { liquidFor } from "./liquid";
import { toHtml } from "./mjml";
import { protect } from "./protect";
import { unsafeMarkup } from "./safe-html";
import type { TemplateContent } from "./schemas";
import { isVariable, ROOTS } from "./variables";

/** A version made ready for rendering, so that no message pays for MJML. */
export interface Compiled {
  /** E-mail: HTML with its Liquid; null for other channels. */
  html: string | null;
  /** Every value that any part prints or asks about, such as `contact.first_name`. */
  variables: string[];
  warnings: string[];
}

const PARTS = ["subject", "preheader", "body", "text"] as const;

/**
 * Checks a content and makes it ready. Throws `validation_failed` with a pointer for each part at fault: Liquid that
 * does not parse, an unknown filter, tag, block or value, MJML that does not fit, markup that no e-mail may hold.
 */
export function compileContent(content: TemplateContent): Compiled {
  const errors: FieldError[] = [];
  const variables = new Set<string>();
  const sources = new Map<string, string>(
    PARTS.flatMap((part) => (content[part] === null ? [] : [[`/${part}`, content[part]] as const])),
  );
  content.approved?.variables.forEach((source, i) => sources.set(`/approved/variables/${i}`, source));
  for (const [pointer, source] of sources) {
    const kind = pointer === "/body" && content.format !== "text" ? "html" : "text";
    for (const detail of checkLiquid(liquidFor(kind), source, variables)) errors.push({ pointer, detail });
  }
  const made = errors.length === 0 && content.format !== "text" ? markup(content) : { html: null, errors: [] };
  errors.push(...made.errors);
  if (errors.length > 0) throw new AppError("validation_failed", "The template cannot be used", { errors });
  return { html: made.html, variables: [...variables].sort(), warnings: warningsOf(content, variables) };
}

/** What is wrong with one part's Liquid; its variables are added to `variables`. */
function checkLiquid(liquid: Liquid, source: string, variables: Set<string>): string[] {
  let parsed: Template[];
  try {
    parsed = liquid.parse(source);
  } catch (error) {
    return [error instanceof Error ? error.message : "is no Liquid"];
  }
  try {
    const unknown = liquid.globalVariablesSync(parsed).filter((root) => !ROOTS.includes(root));
    const paths = liquid.globalFullVariablesSync(parsed).map((path) => path.replaceAll(/\[\d+\]/g, ""));
    for (const path of paths) variables.add(path);
    const wrong = paths.filter(
      (path) => !unknown.some((root) => path === root || path.startsWith(`${root}.`)) && !isVariable(path),
    );
    return [...unknown, ...wrong].map((name) => `there is no value ${name}`);
  } catch (error) {
    // A block that does not exist is only found by following it.
    return [error instanceof Error ? error.message : "names an unknown block"];
  }
}

function markup(content: TemplateContent): { html: string | null; errors: FieldError[] } {
  const { source, restore } = protect(content.body, content.format === "mjml");
  let html = source;
  if (content.format === "mjml") {
    const outcome = toHtml(source);
    if (!outcome.ok) {
      const line = outcome.at === null ? "" : ` (line ${content.body.slice(0, outcome.at).split("\n").length})`;
      return { html: null, errors: [{ pointer: "/body", detail: `is no MJML: ${outcome.detail}${line}` }] };
    }
    html = outcome.html;
  }
  const problems = unsafeMarkup(html).map((detail) => ({ pointer: "/body", detail }));
  return { html: withPreheader(restore(html), content.preheader), errors: problems };
}

/** The line that mail programs show beside the subject, hidden in the message itself. */
function withPreheader(html: string, preheader: string | null): string {
  if (preheader === null) return html;
  const hidden = `<div style="display:none;max-height:0;overflow:hidden;opacity:0">${preheader}</div>`;
  const body = /<body[^>]*>/i.exec(html);
  return body
    ? html.slice(0, body.index + body[0].length) + hidden + html.slice(body.index + body[0].length)
    : hidden + html;
}

function warningsOf(content: TemplateContent, variables: Set<string>): string[] {
  const warnings: string[] = [];
  if (content.format !== "text" && !variables.has("unsubscribe_url")) {
    warnings.push("Marketing e-mail gets a footer with the sender and the unsubscribe link, since the body has none.");
  }
  if (content.format === "html" && !/<img\b[^>]*\balt=/i.test(content.body) && /<img\b/i.test(content.body)) {
    warnings.push("Pictures without alt text say nothing where pictures are blocked.");
  }
  return warnings;
}
