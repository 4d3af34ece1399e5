import { convert } from "html-to-text";
import type { Liquid } from "liquidjs";

import { sql } from "../db/client";
import { takeCode } from "../discounts/rest";
import type { Shop } from "../shops";
import type { Compiled } from "./compile";
import { MOST_RENDERED } from "./limits";
import { liquidFor, NoCoupon, renderLiquid, type TakeCoupon } from "./liquid";
import { cleanHtml } from "./safe-html";
import type { TemplateContent } from "./schemas";

/** A message as a template and its values make it. */
export interface Rendered {
  ok: true;
  /** Null for channels without one. */
  subject: string | null;
  html: string | null;
  text: string;
  /** Web addresses that the HTML links to, each once. */
  links: string[];
  /** WhatsApp: the approved template, with its values in their order. */
  approved: { name: string; language: string; variables: string[] } | null;
}

/** Why such a message is not sent: `missing_values`, `no_cart`, `no_order`, `no_products`, `no_coupon`, `too_large`. */
export interface Refused {
  ok: false;
  reason: string;
  missing?: string[];
}

/** What a message that is about something must have; without it there is nothing to say. */
const NEEDED = [
  ["cart", "no_cart"],
  ["order", "no_order"],
  ["products", "no_products"],
] as const;

/**
 * Renders a version with a scope. The same version, scope and coupons render the same message.
 *
 * @param take hands out the codes of `{% coupon %}`
 */
export async function renderContent(
  shop: Shop,
  { content, compiled }: { content: TemplateContent; compiled: Compiled },
  scope: Record<string, unknown>,
  take: TakeCoupon,
): Promise<Rendered | Refused> {
  for (const [root, reason] of NEEDED) {
    const isAsked = compiled.variables.some((name) => name === root || name.startsWith(`${root}.`));
    if (isAsked && isEmpty(scope[root])) return { ok: false, reason };
  }
  const isStrict = content.onMissing === "refuse";
  const render = async (kind: "html" | "text", source: string) => {
    const liquid: Liquid = liquidFor(kind, shop.timezone, isStrict);
    return renderLiquid(liquid, liquid.parse(source), scope, take);
  };
  try {
    const subject = content.subject === null ? null : oneLine(await render("text", content.subject));
    const markup = compiled.html === null ? null : await cleanHtml(await render("html", compiled.html));
    const written = content.format === "text" ? content.body : content.text;
    const text = written === null ? plain(markup?.html ?? "") : await render("text", written);
    const approved = content.approved && {
      name: content.approved.name,
      language: content.approved.language,
      variables: await Promise.all(content.approved.variables.map((source) => render("text", source))),
    };
    if (text.length + (markup?.html.length ?? 0) > MOST_RENDERED) return { ok: false, reason: "too_large" };
    if (text.trim() === "" && markup === null) return { ok: false, reason: "empty" };
    return { ok: true, subject, html: markup?.html ?? null, text, links: markup?.links ?? [], approved };
  } catch (error) {
    return refusal(error);
  }
}

/** How many missing values a preview names. */
const MOST_MISSING = 30;

/** The values without a fallback that a message lacks, over all of its parts. */
export async function missingValues(
  shop: Shop,
  { content, compiled }: { content: TemplateContent; compiled: Compiled },
  scope: Record<string, unknown>,
): Promise<string[]> {
  const missing = new Set<string>();
  const parts: ["html" | "text", string | null][] = [
    ["text", content.subject],
    ["html", compiled.html],
    ["text", content.format === "text" ? content.body : content.text],
  ];
  for (const [kind, source] of parts) {
    if (source === null) continue;
    const liquid = liquidFor(kind, shop.timezone, true);
    const parsed = liquid.parse(source);
    // A strict rendering ends at the first one: it is filled in, and the next rendering tells the next.
    let filled = scope;
    for (let name = ""; missing.size < MOST_MISSING; missing.add(name), filled = withValue(filled, name.split("."))) {
      const found = await firstMissing(() => renderLiquid(liquid, parsed, filled, () => Promise.resolve("CODE")));
      if (found === null || found === name) break;
      name = found;
    }
  }
  return [...missing];
}

async function firstMissing(render: () => Promise<unknown>): Promise<string | null> {
  try {
    await render();
    return null;
  } catch (error) {
    return refusal(error).missing?.[0] ?? null;
  }
}

/** The same values, and an empty one at this path. */
function withValue(values: Record<string, unknown>, [name = "", ...rest]: string[]): Record<string, unknown> {
  const inner = values[name];
  const isObject = typeof inner === "object" && inner !== null && !Array.isArray(inner);
  return { ...values, [name]: rest.length === 0 ? "" : withValue(isObject ? { ...inner } : {}, rest) };
}

/**
 * Hands out a code of a pool, named by its id or name: the same one to whoever asks again with this key; the pool's
 * fallback when none is left.
 */
export function couponsOf(
  db: D1Database,
  shop: Shop,
  naturalKey: string,
  contact: number | null,
  now: number,
): TakeCoupon {
  return async (name) => {
    const pool = await sql(
      db,
      `select key, fallback_code as fallbackCode from discount_pools where shop = ?1 and (id = ?2 or name = ?2)
       order by id = ?2 desc, key desc limit 1`,
      shop.key,
      name,
    ).first<{ key: number; fallbackCode: string | null }>();
    if (!pool) return null;
    return (await takeCode(db, shop.key, pool.key, naturalKey, now, contact)) ?? pool.fallbackCode;
  };
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === "object" && "items" in value) return !Array.isArray(value.items) || value.items.length === 0;
  return false;
}

/** A header holds one line. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

function plain(html: string): string {
  return convert(html, {
    wordwrap: 78,
    selectors: [
      { selector: "a", options: { hideLinkHrefIfSameAsText: true } },
      { selector: "img", format: "skip" },
      { selector: "table", format: "block" },
      { selector: "tr", format: "block" },
    ],
  }).trim();
}

function refusal(error: unknown): Refused {
  if (error instanceof NoCoupon) return { ok: false, reason: "no_coupon" };
  const errors = [error, error instanceof Error && "originalError" in error ? error.originalError : null];
  const missing = errors.flatMap((each) =>
    each instanceof Error && "variableName" in each ? [String(each.variableName)] : [],
  );
  if (missing.length > 0) return { ok: false, reason: "missing_values", missing: [...new Set(missing)] };
  const isLimit = errors.some((each) => each instanceof Error && each.message.includes("limit exceeded"));
  return { ok: false, reason: isLimit ? "too_large" : "broken" };
}
