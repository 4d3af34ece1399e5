import { sql } from "../db/client";
import { FILE_LIFE_MS } from "./limits";

/** How long it is told what was wrong with a file's rows, ms. */
const PROBLEMS_LIFE_MS = 30 * 86_400_000;
/** Rows of one statement. */
const CHUNK = 5_000;

/** Lets files go whose time is over: exports with their link, imports that nobody has begun. A bounded piece; repeatable. */
export async function dropOldFiles(db: D1Database, now: number): Promise<void> {
  await db.batch([
    sql(db, "update exports set state = 'expired' where state = 'done' and expires_at <= ?", now),
    sql(
      db,
      `update imports set state = 'failed', error = 'The file was not used in time' where state in ('waiting', 'checked')
         and updated_at <= ?`,
      now - FILE_LIFE_MS,
    ),
    sql(
      db,
      `delete from file_pieces where key in (
         select p.key from file_pieces p left join exports e on e.id = p.owner left join imports i on i.id = p.owner
         where coalesce(e.state, i.state, 'expired') in ('expired', 'failed') or i.state = 'done' limit 500)`,
    ),
    sql(
      db,
      `delete from import_errors where (shop, import, row, no) in (
         select p.shop, p.import, p.row, p.no from imports i join import_errors p on p.shop = i.shop and p.import = i.key
         where i.updated_at <= ? and i.state in ('done', 'failed', 'checked') limit ${CHUNK})`,
      now - PROBLEMS_LIFE_MS,
    ),
  ]);
}

/**
 * What an erasure does about files that were written of people, for its last batch: they go, and those being written
 * begin anew. Files that wait to be read stay for their few days; the erased are not read from them.
 */
export function forgetExports(db: D1Database, shop: number, now: number): D1PreparedStatement[] {
  return [
    sql(db, "delete from file_pieces where owner in (select id from exports where shop = ?)", shop),
    sql(db, "update exports set state = 'expired', updated_at = ?2 where shop = ?1 and state = 'done'", shop, now),
    sql(
      db,
      `update exports set phase = 'contacts', "after" = 0, rows = 0, bytes = 0, pieces = 0 where shop = ? and state = 'running'`,
      shop,
    ),
  ];
}
