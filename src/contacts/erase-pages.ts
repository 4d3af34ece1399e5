import { sql } from "../db/client";
import { namesPerson } from "../shopify";
import type { ErasureSubject } from "./erase-subject";

/**
 * Takes the person out of the addresses and titles of pages that a browser of theirs has seen (`Thank you, Erika`). The
 * dictionary of pages belongs to everybody: the row stays where it stands, without what it told. May run again.
 */
export async function scrubPages(
  db: D1Database,
  shop: number,
  visitor: number,
  { names, words }: ErasureSubject,
): Promise<number> {
  const { results } = await sql(
    db,
    `select distinct p.key, p.url, p.title from visits v, json_each(v.path) e
     join pages p on p.key = e.value ->> 4 and p.shop = ?1 where v.visitor = ?2`,
    shop,
    visitor,
  ).all<{ key: number; url: string; title: string | null }>();
  const telling = results.filter(({ url }) => namesPerson(url, names) || hasAll(url, words));
  const titled = results.filter(({ title }) => title !== null && (namesPerson(title, names) || hasAny(title, words)));
  if (telling.length + titled.length === 0) return 0;
  const keys = (rows: { key: number }[]) => JSON.stringify(rows.map(({ key }) => key));
  await db.batch([
    sql(
      db,
      `update pages set url = 'https://removed.invalid/' || key, title = null
       where shop = ? and key in (select value from json_each(?))`,
      shop,
      keys(telling),
    ),
    sql(
      db,
      `update pages set title = null where shop = ? and key in (select value from json_each(?))`,
      shop,
      keys(titled),
    ),
  ]);
  return new Set([...telling, ...titled].map(({ key }) => key)).size;
}

/** One name alone says nothing in an address (`/products/rose-water`), first and last together do. */
function hasAll(url: string, words: string[]): boolean {
  const seen = wordsOf(url);
  return words.length >= 2 && words.every((word) => seen.has(word));
}

function hasAny(title: string, words: string[]): boolean {
  const seen = wordsOf(title);
  return words.some((word) => seen.has(word));
}

function wordsOf(text: string): Set<string> {
  let plain = text;
  try {
    plain = decodeURIComponent(text);
  } catch {
    // Not percent-encoded throughout: read as it is.
  }
  return new Set(
    plain
      .normalize("NFC")
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [],
  );
}
