type Json = string | number | boolean | null | Json[];

/** What is known only when a query is asked. */
export interface Asked {
  /** Epoch ms. */
  now: number;
  /** Those who are asked about together. */
  keys: number[];
}

/** A value that is worked out anew whenever the query is asked; values of one name are one value. */
export interface Later {
  name: string;
  of: (asked: Asked) => Json;
}

/**
 * The values of one query. They travel as one JSON document in `?1`, so that the number of bound parameters never
 * grows, integers stay integers (D1 binds numbers as reals) and a list of thousands is one value. The SQL holds none of
 * them: a query that is asked again later is the same text with another document.
 */
export class Parameters {
  readonly #values: (Json | Later)[] = [];
  readonly #places = new Map<string, number>();

  /** SQL for a value. SQLite computes it once a query, also inside correlated parts. */
  one(value: string | number | boolean | null | Later): string {
    return `(?1 ->> ${this.#place(value)})`;
  }

  /** SQL of a select of the list's values, one a row. */
  rows(values: Json[] | Later): string {
    return `select value from ${this.table(values)}`;
  }

  /** SQL of a table-valued function over the list. */
  table(values: Json[] | Later): string {
    return `json_each(?1, '$[${this.#place(values)}]')`;
  }

  document(asked: Asked): string {
    return JSON.stringify(this.#values.map((value) => (isLater(value) ? value.of(asked) : value)));
  }

  #place(value: Json | Later): number {
    // No value is written with these letters before it.
    const name = isLater(value) ? `later ${value.name}` : JSON.stringify(value);
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const place = this.#values.push(value) - 1;
    this.#places.set(name, place);
    return place;
  }
}

function isLater(value: Json | Later): value is Later {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
