import { sql } from "../db/client";

/** Rows looked through per statement. */
const WINDOW = 500;
/** Shorter values would be found everywhere. */
const SHORTEST = 5;

/** Everything by which a stored webhook body may name a person. */
async function namesOf(db: D1Database, shop: number, contact: number): Promise<string[]> {
  const batch = await db.batch<{ value: string | null }>(
    [
      `select value from identities where shop = ?1 and contact = ?2`,
      `select j.value from contacts c, json_each(json_array(c.email, c.phone)) j where c.shop = ?1 and c.key = ?2`,
      `select j.value from orders o, json_each(json_array(o.external_id, o.cart_token, o.checkout_token)) j
       where +o.shop = ?1 and o.contact = ?2`,
      `select j.value from carts a, json_each(json_array(a.token, a.checkout_token)) j where +a.shop = ?1 and a.contact = ?2`,
    ].map((text) => sql(db, text, shop, contact)),
  );
  const values = batch.flatMap(({ results }) => results.map(({ value }) => value));
  return values.flatMap((value) => (value !== null && value.length >= SHORTEST ? [value.toLowerCase()] : []));
}

/** True when the text holds the name as a whole: `anna@x.de` is not in `susanna@x.de`, nor 12345 in 123456. */
export function mentions(text: string, name: string): boolean {
  const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(String.raw`(?<![\p{L}\p{N}._+-])${escaped}(?![\p{L}\p{N}_-])`, "u").test(text);
}

/**
 * Clears the stored bodies of webhooks that name a contact. One that was not handled yet is not handled any more: it
 * would bring the person back. May run again.
 */
export async function clearBodies(db: D1Database, shop: number, contact: number, now: number): Promise<void> {
  const names = await namesOf(db, shop, contact);
  if (names.length === 0) return;
  const bounds = await sql(
    db,
    `select min(key) as first, max(key) as last from webhook_inbox where shop = ?`,
    shop,
  ).first<{ first: number | null; last: number | null }>();
  for (let from = bounds?.first ?? 1; from <= (bounds?.last ?? 0); from += WINDOW) {
    const { results } = await sql(
      db,
      `select key from webhook_inbox w where key >= ?2 and key < ?3 and +shop = ?1 and body is not null
         and exists (select 1 from json_each(?4) j where instr(lower(w.body), j.value) > 0)`,
      shop,
      from,
      from + WINDOW,
      JSON.stringify(names),
    ).all<{ key: number }>();
    for (const { key } of results) await clearIfNamed(db, key, names, now);
  }
}

async function clearIfNamed(db: D1Database, key: number, names: string[], now: number): Promise<void> {
  const body = await sql(db, `select body from webhook_inbox where key = ?`, key).first<string | null>("body");
  const text = body?.toLowerCase();
  if (text === undefined || !names.some((name) => mentions(text, name))) return;
  await sql(
    db,
    `update webhook_inbox set body = null, error = null, handled_at = coalesce(handled_at, ?2),
       state = case when state in ('pending', 'dead') then 'stale' else state end
     where key = ?1`,
    key,
    now,
  ).run();
}
