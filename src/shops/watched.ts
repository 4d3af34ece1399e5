import { sql } from "../db/client";

/** Events that a live segment or an enabled automation of the shop names, on pages whose address has `needle` in it. */
export interface Watched {
  type: string;
  /** Lower case; empty for every page. */
  needle: string;
}

/** More kinds than that are not told apart by their pages. */
const MOST = 200;

/** What of a shop's events somebody waits for. */
export async function readWatched(db: D1Database, shop: number): Promise<Watched[]> {
  const { results } = await sql(
    db,
    `select substr(what, 7) as type, needle from segment_watches where shop = ?1 and what >= 'event:' and what < 'event;'
     union select substr(what, 7), needle from automation_watches where shop = ?1 and what >= 'event:' and what < 'event;'
     limit ?2`,
    shop,
    MOST,
  ).all<Watched>();
  if (results.length < MOST) return results;
  return [...new Set(results.map(({ type }) => type))].map((type) => ({ type, needle: "" }));
}

/** Whether somebody waits for any of these. */
export function isWatched(watched: Watched[], events: { type: string; url: string | null }[]): boolean {
  return events.some(({ type, url }) =>
    watched.some((one) => one.type === type && (one.needle === "" || url?.toLowerCase().includes(one.needle) === true)),
  );
}
