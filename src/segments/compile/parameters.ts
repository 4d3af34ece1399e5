type Json = string | number | boolean | null | Json[];

/**
 * The values of one query. They travel as one JSON document in `?1`, so that the number of bound parameters never
 * grows, integers stay integers (D1 binds numbers as reals) and a list of thousands is one value.
 */
export class Parameters {
  readonly #values: Json[] = [];
  readonly #places = new Map<string, number>();

  /** SQL for a value. SQLite computes it once a query, also inside correlated parts. */
  one(value: string | number | boolean | null): string {
    return `(?1 ->> ${this.#place(value)})`;
  }

  /** SQL of a select of the list's values, one a row. */
  rows(values: Json[]): string {
    return `select value from ${this.table(values)}`;
  }

  /** SQL of a table-valued function over the list. */
  table(values: Json[]): string {
    return `json_each(?1, '$[${this.#place(values)}]')`;
  }

  document(): string {
    return JSON.stringify(this.#values);
  }

  #place(value: Json): number {
    const name = JSON.stringify(value);
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const place = this.#values.push(value) - 1;
    this.#places.set(name, place);
    return place;
  }
}
