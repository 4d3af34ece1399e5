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

/** Characters of JSON in one parameter: D1 takes values up to 2 MB. */
const JSON_LIMIT = 900_000;

/**
 * Inserts rows with one statement for all rows that have the same columns, and not more than a parameter holds.
 * Table and column names are static text of ours.
 */
export function insertRows(
  db: D1Database,
  table: string,
  rows: ReadonlyMap<string, string | number | null>[],
): D1PreparedStatement[] {
  const alike = new Map<string, string[]>();
  for (const row of rows) {
    const columns = [...row.keys()].map((name) => `"${name}"`).join(", ");
    const json = JSON.stringify([...row.values()]);
    const parts = alike.get(columns);
    const part = parts?.at(-1);
    if (!parts) alike.set(columns, [json]);
    else if (part === undefined || part.length + json.length > JSON_LIMIT) parts.push(json);
    else parts[parts.length - 1] = `${part},${json}`;
  }
  return [...alike].flatMap(([columns, parts]) => {
    const values = columns.split(", ").map((_, n) => `value ->> ${n}`);
    const text = `insert into ${table} (${columns}) select ${values.join(", ")} from json_each(?)`;
    return parts.map((part) => sql(db, text, `[${part}]`));
  });
}
