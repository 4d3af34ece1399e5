import { drizzle } from "drizzle-orm/d1";

/** Typed reads. Writes that belong together are plain statements in one `db.batch`, which is D1's transaction. */
export function orm(db: D1Database) {
  return drizzle(db);
}

/** Binds static SQL; values only ever travel as parameters. `undefined` is a mistake of ours, so it throws. */
export function sql(
  db: D1Database,
  text: string,
  ...values: (string | number | boolean | null)[]
): D1PreparedStatement {
  return db.prepare(text).bind(...values.map((v) => (typeof v === "boolean" ? Number(v) : v)));
}

/**
 * True for errors of a UNIQUE or PRIMARY KEY and of `mustHold`: another writer was first, so reading again and retrying
 * settles it.
 */
export function isConflict(error: unknown): boolean {
  return error instanceof Error && /UNIQUE constraint failed|malformed JSON/i.test(error.message);
}

/** Runs a read-decide-write verb again when another writer got in between; the last error is thrown. */
export async function onConflictRetry<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isConflict(error) || tries === 4) throw error;
    }
  }
}
