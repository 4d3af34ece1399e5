import { config } from "../config";
import { sql } from "../db/client";
import { open } from "../lib/crypto";
import { namesPerson } from "../shopify";
import type { ErasureSubject } from "./erase-subject";

/** Stored answers opened and read per step. */
const WINDOW = 200;

/** Where the search stands: the primary key of the last answer that was looked at. */
export type AnswerKey = [actor: string, key: string];

/**
 * One window of a search through the answers that are kept for `Idempotency-Key`: those that name the person, by a key
 * that a caller made of an address, or in an answer that is about somebody else (a page's title, a list).
 *
 * @returns the answers to remove, and where to go on; null at the end
 */
export async function searchAnswers(
  env: Env,
  shop: number,
  { names, words }: ErasureSubject,
  after: AnswerKey,
): Promise<{ found: AnswerKey[]; next: AnswerKey | null }> {
  const { results } = await sql(
    env.DB,
    `select actor, key, body from idempotency_keys
     where (actor, key) > (?2, ?3) and (actor = 'operator' or actor in (select id from api_keys where shop = ?1))
     order by actor, key limit ?4`,
    shop,
    ...after,
    WINDOW,
  ).all<{ actor: string; key: string; body: string | null }>();
  const found: AnswerKey[] = [];
  for (const { actor, key, body } of results) {
    // Sealed with a key that is gone: nobody can read it any more.
    const text = body === null ? "" : await open(config(env).sealingKeys, body).catch(() => "");
    const isNamed = [key, text].some((part) => namesPerson(part, names)) || hasFullName(`${key} ${text}`, words);
    if (isNamed) found.push([actor, key]);
  }
  const last = results.at(-1);
  return { found, next: last && results.length === WINDOW ? [last.actor, last.key] : null };
}

/** One name alone could be anybody's, or a product's. */
function hasFullName(text: string, words: string[]): boolean {
  if (words.length < 2) return false;
  const seen = new Set(
    text
      .normalize("NFC")
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [],
  );
  return words.every((word) => seen.has(word));
}
