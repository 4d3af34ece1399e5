import type { PendingEvent, VisitorState } from "./state";

/** Pending events above this size leave the document for a row of their own, bytes. */
const SPILL_BYTES = 64 * 1024;

/** The key of the state. Not a table of our own: making one costs two rows for every new visitor. */
const DOCUMENT = "document";

/** Pending events that left the document. */
export interface Spill {
  no: number;
  events: PendingEvent[];
  bytes: number;
}

/** Where a visitor keeps its state: one document in one row, and rows for a backlog that would make it large. */
export class VisitorStore {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  load(): VisitorState | null {
    const text = this.#storage.kv.get<string>(DOCUMENT);
    return text === undefined ? null : JSON.parse(text);
  }

  /** One row write, unless the pending events have grown too large: then they get a row and leave the state. */
  save(state: VisitorState): void {
    let text = JSON.stringify(state);
    if (text.length > SPILL_BYTES && state.pending.length > 0) {
      this.#spill(state);
      text = JSON.stringify(state);
    }
    this.#storage.kv.put(DOCUMENT, text);
  }

  /** The oldest spilled events, or null. */
  firstSpill(state: VisitorState): Spill | null {
    return state.spilled.rows > 0 ? (this.#spills(1)[0] ?? null) : null;
  }

  /** Drops what has reached D1. */
  dropSpill(state: VisitorState, spill: Spill): void {
    this.#storage.sql.exec("delete from spill where no = ?", spill.no);
    state.spilled = { rows: state.spilled.rows - 1, bytes: state.spilled.bytes - spill.bytes };
  }

  /** Keeps only the spilled events that `wanted` wants. */
  filterSpills(state: VisitorState, wanted: (event: PendingEvent) => boolean): void {
    if (state.spilled.rows === 0) return;
    for (const { no, events } of this.#spills()) {
      const left = events.filter(wanted);
      if (left.length > 0) this.#storage.sql.exec("update spill set events = ? where no = ?", JSON.stringify(left), no);
      else this.#storage.sql.exec("delete from spill where no = ?", no);
    }
    const spills = this.#spills();
    state.spilled = { rows: spills.length, bytes: spills.reduce((sum, spill) => sum + spill.bytes, 0) };
  }

  /** Nothing stays, the alarm neither. */
  async clear(): Promise<void> {
    await this.#storage.deleteAll();
    await this.#storage.deleteAlarm();
  }

  #spill(state: VisitorState): void {
    const text = JSON.stringify(state.pending);
    // Most visitors never need this table, and making one costs rows.
    this.#storage.sql.exec("create table if not exists spill (no integer primary key, events text not null)");
    this.#storage.sql.exec("insert into spill (events) values (?)", text);
    state.spilled = { rows: state.spilled.rows + 1, bytes: state.spilled.bytes + text.length };
    state.pending = [];
  }

  #spills(limit = 1_000): Spill[] {
    return this.#storage.sql
      .exec<{ no: number; events: string }>("select no, events from spill order by no limit ?", limit)
      .toArray()
      .map(({ no, events }) => ({ no, events: JSON.parse(events), bytes: events.length }));
  }
}
