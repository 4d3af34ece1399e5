import { EVENT_TYPES } from "../../../src/collect/schemas";
import { MARK_BY_EVENTS } from "../../../src/segments/tables";
import { KEYS, personaOf, tablesOf } from "./rows";
import type { Cell, Row, Table } from "./table";
import type { World } from "./world";

/** Writes worlds into the tables of the product, each as a shop of its own. */
export class Shops {
  readonly #db: D1Database;
  #types: ReadonlyMap<string, number> | null = null;
  next: number;

  /** @param first key of the first shop: no other may have it or a later one */
  constructor(db: D1Database, first: number) {
    this.#db = db;
    this.next = first;
  }

  async store(world: World): Promise<World> {
    const shop = this.next++;
    const placed: World = { ...world, shop, base: shop * KEYS };
    const tables = tablesOf(placed, await this.#typeKeys());
    await this.#db.batch(
      tables.filter(({ rows }) => rows.length > 0).map((one) => insert(this.#db, one.name, one.rows)),
    );
    return placed;
  }

  /** Writes what is otherwise than before, row by row, and marks whom new events are of as the flush of a visitor does. */
  async change(before: World, after: World): Promise<void> {
    const types = await this.#typeKeys();
    const old = new Map(tablesOf(before, types).map((table) => [table.name, table]));
    const statements = tablesOf(after, types).flatMap((table) => differences(this.#db, old.get(table.name), table));
    const newEvents = after.visitors.flatMap((visitor) => {
      const known = new Set(before.visitors.find(({ key }) => key === visitor.key)?.events.map(({ seq }) => seq));
      const named = visitor.events.filter(({ seq }) => !known.has(seq)).map(({ type }) => type);
      return named.length > 0 ? [{ visitor, named }] : [];
    });
    const marks = newEvents.map(({ visitor, named }) => {
      const { tracker, person } = personaOf(visitor);
      return this.#db.prepare(MARK_BY_EVENTS).bind(after.shop, tracker, person, JSON.stringify(named));
    });
    if (statements.length + marks.length > 0) await this.#db.batch([...statements, ...marks]);
  }

  async #typeKeys(): Promise<ReadonlyMap<string, number>> {
    if (this.#types) return this.#types;
    const names = JSON.stringify([...EVENT_TYPES, "custom:quiz"]);
    const [, found] = await this.#db.batch<{ key: number; name: string }>([
      this.#db
        .prepare("insert into event_types (name) select value from json_each(?) where true on conflict do nothing")
        .bind(names),
      this.#db.prepare("select key, name from event_types"),
    ]);
    this.#types = new Map((found?.results ?? []).map(({ key, name }) => [name, key]));
    return this.#types;
  }
}

const quoted = (names: string[]) => names.map((name) => `"${name}"`).join(", ");

/** Rows of one table in one statement; a text, a number or null stays what it is, true and false are 1 and 0. */
function insert(db: D1Database, table: string, rows: Row[]): D1PreparedStatement {
  const names = Object.keys(rows[0] ?? {});
  const values = names.map((name) => `value ->> '$.${name}'`).join(", ");
  return db
    .prepare(`insert into "${table}" (${quoted(names)}) select ${values} from json_each(?1)`)
    .bind(JSON.stringify(rows));
}

function differences(db: D1Database, before: Table | undefined, { name, key, rows }: Table): D1PreparedStatement[] {
  const nameOf = (row: Row) => JSON.stringify(key.map((column) => row[column]));
  const old = new Map((before?.rows ?? []).map((row) => [nameOf(row), row]));
  const kept = new Set(rows.map(nameOf));
  const gone = [...old].filter(([one]) => !kept.has(one)).map(([, row]) => row);
  const added = rows.filter((row) => !old.has(nameOf(row)));
  const changed = rows.flatMap((row) => {
    const was = old.get(nameOf(row));
    const columns = Object.keys(row).filter((column) => was && was[column] !== row[column]);
    return columns.length > 0 ? [{ row, columns }] : [];
  });
  const where = key.map((column) => `"${column}" = ?`).join(" and ");
  const bound = (row: Row, columns: string[]) => columns.map((column) => bindable(row[column]));
  // Keys of most tables are the world's own; those of products and refunds are of their shop.
  const own = key.includes("external_id") ? ["shop", ...key] : key;
  const scope = key.includes("external_id") ? "shop = ? and " : "";
  return [
    ...gone.map((row) => db.prepare(`delete from "${name}" where ${scope}${where}`).bind(...bound(row, own))),
    ...(added.length > 0 ? [insert(db, name, added)] : []),
    ...changed.map(({ row, columns }) =>
      db
        .prepare(`update "${name}" set ${columns.map((column) => `"${column}" = ?`).join(", ")} where ${scope}${where}`)
        .bind(...bound(row, [...columns, ...own])),
    ),
  ];
}

/** D1 binds no booleans. */
function bindable(cell: Cell | undefined): string | number | null {
  return typeof cell === "boolean" ? Number(cell) : (cell ?? null);
}
