import { type Counts, count, statementName } from "./counts";

/** A D1 whose statements count by what their own results report. */
export function countingDatabase(db: D1Database, counts: () => Counts, inObject: boolean): D1Database {
  return new Proxy(db, {
    get(target, property) {
      if (property === "prepare")
        return (text: string) => new CountingStatement(target.prepare(text), text, counts, inObject);
      if (property === "batch") {
        return async (statements: CountingStatement[]) => {
          noteCall(counts(), inObject);
          const results = await target.batch(statements.map((statement) => statement.inner));
          results.forEach((result, i) => note(statements[i]?.text ?? "", result.meta, counts()));
          return results;
        };
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const names = new Map<string, { line: string; name: string }>();

/** Worked out once a text, so that counting costs little of what is measured. */
function named(text: string): { line: string; name: string } {
  let known = names.get(text);
  if (!known) names.set(text, (known = { line: text.replaceAll(/\s+/g, " "), name: statementName(text) }));
  return known;
}

function noteCall(counts: Counts, inObject: boolean): void {
  counts.databaseCalls++;
  if (inObject) counts.objectBatches++;
}

function note(text: string, meta: D1Meta, counts: Counts): void {
  const { line, name } = named(text);
  count(counts.databaseRows, name, meta.rows_written);
  count(counts.databaseReads, line, meta.rows_read);
  count(counts.databaseStatements, line);
}

class CountingStatement {
  readonly inner: D1PreparedStatement;
  readonly text: string;
  readonly #counts: () => Counts;
  readonly #inObject: boolean;

  constructor(inner: D1PreparedStatement, text: string, counts: () => Counts, inObject: boolean) {
    this.inner = inner;
    this.text = text;
    this.#counts = counts;
    this.#inObject = inObject;
  }

  bind(...values: unknown[]): CountingStatement {
    return new CountingStatement(this.inner.bind(...values), this.text, this.#counts, this.#inObject);
  }

  async all<T>(): Promise<D1Result<T>> {
    noteCall(this.#counts(), this.#inObject);
    const result = await this.inner.all<T>();
    note(this.text, result.meta, this.#counts());
    return result;
  }

  run<T>(): Promise<D1Result<T>> {
    return this.all<T>();
  }

  /** The first row, with the meta that D1's own `first` does not hand out. */
  async first<T>(column?: string): Promise<T | null> {
    const { results } = await this.all<Record<string, T>>();
    const row = results[0];
    if (row === undefined) return null;
    // oxlint-disable-next-line typescript/no-explicit-any -- like D1's own signature, the caller says what comes
    return column === undefined ? (row as any) : (row[column] ?? null);
  }

  /** Rows as arrays carry no meta: the same read runs once more for it. */
  async raw<T extends unknown[]>(): Promise<T[]> {
    await this.all();
    return this.inner.raw<T>();
  }
}
