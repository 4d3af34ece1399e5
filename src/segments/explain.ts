import type { Compiled } from "./compile";

/** What a query cost and how the database went about it. */
export interface Explanation<Row> {
  rows: Row[];
  rowsRead: number;
  /** As SQLite tells it, indented by two spaces a level. */
  plan: string[];
}

/** Runs a compiled query and its `EXPLAIN QUERY PLAN`. */
export async function explain<Row>(db: D1Database, { sql, values }: Compiled): Promise<Explanation<Row>> {
  const [steps, answer] = await Promise.all([
    db
      .prepare(`explain query plan ${sql}`)
      .bind(...values)
      .all<{ id: number; parent: number; detail: string }>(),
    db
      .prepare(sql)
      .bind(...values)
      .all<Row>(),
  ]);
  const depths = new Map<number, number>([[0, -1]]);
  const plan = steps.results.map(({ id, parent, detail }) => {
    const depth = (depths.get(parent) ?? -1) + 1;
    depths.set(id, depth);
    return "  ".repeat(depth) + detail;
  });
  return { rows: answer.results, rowsRead: answer.meta.rows_read, plan };
}
