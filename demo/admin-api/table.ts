/** What every record has. */
export type Stamped = { id: number; createdAt: number; updatedAt: number };

/** Records that are computed from their number, 0 up to `count`, and kept nowhere. */
export type Computed<T> = {
  count: number;
  id(n: number): number;
  /** The number of an id, undefined when it has none. */
  number(id: number): number | undefined;
  createdAt(n: number): number;
  updatedAt(n: number): number;
  record(n: number): T;
};

/** The stamps of every record, in order of id: 24 bytes each, so that sorting and filtering by time needs no record. */
type Stamps = { ids: Float64Array; created: Float64Array; updated: Float64Array };

/** The records of one kind: some computed, some kept, a kept one in place of the computed one with its id. */
export class Table<T extends Stamped> implements Iterable<T> {
  readonly #computed: Computed<T> | undefined;
  readonly #kept = new Map<number, T>();
  readonly #gone = new Set<number>();
  #stamps: Stamps | undefined;
  readonly #orders = new Map<string, Uint32Array>();

  constructor(computed?: Computed<T>) {
    this.#computed = computed;
  }

  static of<T extends Stamped>(records: readonly T[]): Table<T> {
    const table = new Table<T>();
    for (const record of records) table.put(record);
    return table;
  }

  get(id: number): T | undefined {
    if (this.#gone.has(id)) return undefined;
    const kept = this.#kept.get(id);
    if (kept !== undefined) return kept;
    const n = this.#computed?.number(id);
    return n === undefined ? undefined : this.#computed?.record(n);
  }

  put(record: T): void {
    this.#gone.delete(record.id);
    this.#kept.set(record.id, record);
    this.#forget();
  }

  delete(id: number): boolean {
    const known = this.get(id) !== undefined;
    this.#kept.delete(id);
    this.#gone.add(id);
    this.#forget();
    return known;
  }

  /** The records that were put, in place of computed ones too. */
  kept(): Iterable<T> {
    return this.#kept.values();
  }

  get size(): number {
    return this.stamps().ids.length;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const id of this.stamps().ids) {
      const record = this.get(id);
      if (record !== undefined) yield record;
    }
  }

  #forget(): void {
    this.#stamps = undefined;
    this.#orders.clear();
  }

  stamps(): Stamps {
    this.#stamps ??= this.#collect();
    return this.#stamps;
  }

  #collect(): Stamps {
    const rows: [number, number, number][] = [];
    const computed = this.#computed;
    const count = computed?.count ?? 0;
    if (computed !== undefined)
      for (let n = 0; n < count; n += 1) {
        const id = computed.id(n);
        if (!this.#gone.has(id) && !this.#kept.has(id)) rows.push([id, computed.createdAt(n), computed.updatedAt(n)]);
      }
    for (const record of this.#kept.values()) rows.push([record.id, record.createdAt, record.updatedAt]);
    rows.sort((a, b) => a[0] - b[0]);
    return {
      ids: Float64Array.from(rows, (row) => row[0]),
      created: Float64Array.from(rows, (row) => row[1]),
      updated: Float64Array.from(rows, (row) => row[2]),
    };
  }

  /** Positions in `stamps()` in the order of a sort key; equal ones by id. */
  order(by: "id" | "created" | "updated"): Uint32Array {
    const known = this.#orders.get(by);
    if (known !== undefined) return known;
    const { ids, created, updated } = this.stamps();
    const order = Uint32Array.from(ids, (_, index) => index);
    const keys = by === "created" ? created : updated;
    if (by !== "id") order.sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
    this.#orders.set(by, order);
    return order;
  }
}
