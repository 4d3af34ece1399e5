import { sql } from "../../db/client";
import { unpackBody } from "../body";
import { isEmpty, type Names, namesPerson, sieveOf } from "./names";

/** Rows looked through per statement, and the size of their texts: what the database holds at once. */
const WINDOW_ROWS = 500;
const WINDOW_BYTES = 4_000_000;

/** A table with a text in which people may be named. */
export interface Searched {
  table: "webhook_inbox" | "endpoint_deliveries" | "jobs" | "dead_letters" | "outbox" | "discount_codes";
  /** SQL of the text. */
  text: string;
}

export const INBOX: Searched = { table: "webhook_inbox", text: "body" };

/** One window of a search: the rows that name the person, and where the next begins; null at the end. */
export interface Found {
  keys: number[];
  next: number | null;
}

/**
 * Looks through one window of a table for rows of the shop that name a person. The database sieves; what is left is
 * read closely. A window is bounded in rows and in bytes, so that memory is, whatever lies there. Packed bodies are
 * unpacked, one at a time.
 *
 * @param after key of the last row that was looked at; 0 to begin
 * @param upTo key of the last row to look at; null for all
 */
export async function searchWindow(
  db: D1Database,
  { table, text }: Searched,
  shop: number,
  names: Names,
  { after, upTo = null }: { after: number; upTo?: number | null },
): Promise<Found> {
  if (isEmpty(names)) return { keys: [], next: null };
  const { parts, digits } = sieveOf(names);
  const { results } = await sql(
    db,
    `with page as (
       select key, row_number() over (order by key) as n, sum(octet_length(coalesce(text, ''))) over (order by key) as size
       from (select key, ${text} as text from ${table}
         where shop = ?1 and key > cast(?2 as integer) and (?3 is null or key <= cast(?3 as integer)) order by key limit ?4)),
     candidate as materialized (
       select page.key, lower(coalesce(${text}, '')) as text from page join ${table} on ${table}.key = page.key
       where page.size <= ?5 or page.n = 1)
     select key, text <> '' and (
         substr(text, 1, 5) = 'gzip:' or text glob '*\\u00[4-7]*' or text glob '*\\u003[0-9]*'
         or exists (select 1 from json_each(?6) name
           where not exists (select 1 from json_each(name.value) part where instr(candidate.text, part.value) = 0))
         or exists (select 1 from json_each(?7) number where instr(${WITHOUT_SIGNS}, number.value) > 0)) as sieved
     from candidate order by key`,
    shop,
    after,
    upTo,
    WINDOW_ROWS,
    WINDOW_BYTES,
    JSON.stringify(parts),
    JSON.stringify(digits),
  ).all<{ key: number; sieved: number }>();
  const sieved = results.filter((row) => row.sieved === 1).map(({ key }) => key);
  const keys = sieved.length === 0 ? [] : await namedIn(db, { table, text }, sieved, names);
  return { keys, next: results.at(-1)?.key ?? null };
}

/** The signs that people write between the digits of a phone number. */
const WITHOUT_SIGNS = ["%20", " ", "\u00a0", "-", "(", ")", ".", "/"].reduce(
  (text, sign) => `replace(${text}, '${sign}', '')`,
  "candidate.text",
);

async function namedIn(db: D1Database, { table, text }: Searched, keys: number[], names: Names): Promise<number[]> {
  const topic = table === "webhook_inbox" ? "topic" : "''";
  const { results } = await sql(
    db,
    `select key, ${text} as text, ${topic} as topic from ${table}
     where key in (select value from json_each(?)) order by key`,
    JSON.stringify(keys),
  ).all<{ key: number; text: string | null; topic: string }>();
  const named: number[] = [];
  for (const row of results) {
    if (row.text !== null && namesPerson(await unpackBody(row.text), names, row.topic)) named.push(row.key);
  }
  return named;
}

/**
 * Clears the bodies of these deliveries. One that was not handled yet is not handled any more: it would bring the
 * person back. A request of the privacy law that still waits is left alone: it clears itself when it is taken on.
 */
export function clearInbox(db: D1Database, shop: number, keys: number[], now: number): D1PreparedStatement {
  return sql(
    db,
    `update webhook_inbox set body = null, error = null, handled_at = coalesce(handled_at, ?3),
       state = case when state in ('pending', 'dead') then 'stale' else state end
     where key in (select value from json_each(?2)) and +shop = ?1 and body is not null
       and not (state = 'pending' and topic in ('customers/data_request', 'customers/redact', 'shop/redact'))`,
    shop,
    JSON.stringify(keys),
    now,
  );
}
