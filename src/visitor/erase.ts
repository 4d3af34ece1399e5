import { sql } from "../db/client";

/** Events deleted per batch; a persona with more takes several, and each may run again. */
const CHUNK_PARTS = 50;

/** Erases a persona in D1: first the mark that keeps late batches out, then its rows. May run again at any point. */
export async function erasePersona(
  db: D1Database,
  shop: number,
  tracker: string,
  person: number,
  hash: string,
  now: number,
): Promise<void> {
  await sql(db, "insert into erased (shop, hash, at) values (?, ?, ?) on conflict do nothing", shop, hash, now).run();
  const row = await sql(
    db,
    "select key from visitors where shop = ? and tracker = ? and person = ?",
    shop,
    tracker,
    person,
  ).first<{ key: number }>();
  if (row) await deletePersona(db, shop, row.key);
}

/** Deletes a persona's rows: events by the exact keys that its visits list, then everything else. Repeatable. */
export async function deletePersona(db: D1Database, shop: number, key: number): Promise<void> {
  for (;;) {
    const { results } = await sql(
      db,
      "select no, part from visits where visitor = ? order by no, part limit ?",
      key,
      CHUNK_PARTS,
    ).all<{ no: number; part: number }>();
    const last = results.at(-1);
    if (!last) break;
    const chunk = [key, last.no, last.part] as const;
    await db.batch([
      sql(
        db,
        `delete from events where (shop, type, at, visitor, seq) in (
           select ?4, e.value ->> 2, e.value ->> 1, ?1, e.value ->> 0 from visits v, json_each(v.path) e
           where v.visitor = ?1 and (v.no, v.part) <= (?2, ?3))`,
        ...chunk,
        shop,
      ),
      sql(db, "delete from visits where visitor = ?1 and (no, part) <= (?2, ?3)", ...chunk),
    ]);
  }
  await db.batch([
    sql(db, "delete from claims where visitor = ?", key),
    sql(db, "delete from link_uses where shop = ? and visitor = ?", shop, key),
    sql(db, "delete from outbox where shop = ? and subject = ?", shop, `visitor:${key}`),
    sql(db, "delete from carts where +shop = ? and visitor = ? and contact is null", shop, key),
    sql(db, "update carts set visitor = null where +shop = ? and visitor = ?", shop, key),
    sql(db, "update orders set visitor = null where +shop = ? and visitor = ?", shop, key),
    sql(db, "delete from visitors where key = ?", key),
  ]);
}
