import type { Catalogue } from "../../src/segments";
import { Random } from "../helpers/random";

type Json = Record<string, unknown>;

const LETTERS = [
  "a",
  "B",
  "é",
  "'",
  '"',
  "\\",
  "\n",
  "\t",
  "%",
  "_",
  "(",
  ",",
  " AND ",
  "😀",
  "7",
  "--",
  "\\n",
  "ß",
  "\r",
] as const;
const UNITS = ["minute", "hour", "day", "week", "month", "year"] as const;
const PERIODS = ["today", "yesterday", "this_week", "last_month", "this_quarter", "last_year", "next_week"] as const;
const DAYS = [
  "2026-11-30",
  "2024-02-29",
  "2026-11-30T08:00:00Z",
  "2026-11-30T08:00:00.123+05:30",
  "1999-01-01",
] as const;
const NUMBERS = [0, 1, 2, 100, -3, 0.1, 12.345, 1e21, 1e-7, 123456789012] as const;

/** Any definition that the catalogue allows, small enough for a text. */
export class RandomDefinition {
  readonly #random: Random;
  readonly #fields: Catalogue["groups"][number]["fields"];
  readonly #events: Catalogue["events"];

  constructor(seed: number, catalogue: Catalogue) {
    this.#random = new Random(seed);
    this.#fields = catalogue.groups.flatMap(({ fields }) => fields);
    this.#events = catalogue.events;
  }

  node(depth = 1): Json {
    if (depth <= 5 && this.#random.chance(depth === 1 ? 0.8 : 0.35)) {
      const group = this.#random.pick(["all", "any", "none"]);
      const count = this.#random.int(group === "any" ? 1 : 0, depth === 1 ? 5 : 3);
      return { [group]: Array.from({ length: count }, () => this.node(depth + 1)) };
    }
    const leaf = this.#leaf();
    return this.#random.chance(0.1) ? { ...leaf, store: "shop'1" } : leaf;
  }

  #leaf(): Json {
    const kind = this.#random.next();
    if (kind < 0.5) {
      const field = this.#one(this.#fields);
      return { field: field.name, ...this.#asked(field) };
    }
    if (kind < 0.8) return this.#event();
    if (kind < 0.9) return this.#sequence();
    if (kind < 0.97) return this.#membership();
    const seed = this.#random.chance(0.5) ? { seed: this.#random.chance(0.5) ? this.#text() : "" } : {};
    return { sample: { percent: this.#random.pick([0, 12.5, 100]), ...seed } };
  }

  #event(): Json {
    const step = this.#step();
    const event = this.#events.find(({ name }) => name === step["did"]);
    const numeric =
      event?.properties.filter(({ type, many }) => !many && (type === "number" || type === "money")) ?? [];
    const measures: (() => Json)[] = [
      () => ({}),
      () => ({ count: this.#test() }),
      ...(numeric.length > 0 ? [() => ({ sum: { of: this.#one(numeric).name, ...this.#test() } })] : []),
      ...(event?.open ? [() => ({ sum: { of: "data.points", ...this.#test() } })] : []),
      ...(event && event.properties.length > 0
        ? [() => ({ distinct: { of: this.#one(event.properties.filter(({ many }) => !many)).name, ...this.#test() } })]
        : []),
      () => ({ [this.#random.pick(["firstAt", "lastAt"])]: this.#asked(this.#date()) }),
    ];
    return { ...step, ...this.#one(measures)(), ...(this.#random.chance(0.5) ? { window: this.#window() } : {}) };
  }

  #date() {
    const field = this.#fields.find(({ name }) => name === "created_at");
    if (!field) throw new Error("no field created_at");
    return field;
  }

  #sequence(): Json {
    return {
      first: this.#step(),
      [this.#random.pick(["followedBy", "notFollowedBy"])]: this.#step(),
      within: { n: this.#random.int(1, 99), unit: this.#random.pick(["minute", "hour", "day", "week"]) },
      ...(this.#random.chance(0.5) ? { window: this.#window() } : {}),
    };
  }

  #step(): Json {
    const event = this.#one(this.#events);
    const where = Array.from({ length: this.#random.int(0, 3) }, () => {
      if (event.properties.length > 0 && (!event.open || this.#random.chance(0.7))) {
        const property = this.#one(event.properties);
        return { field: property.name, ...this.#asked(property) };
      }
      const field = this.#random.pick(["data.a", "data.Deep.er-$1.x"]);
      return { field, ...this.#open() };
    });
    return { did: event.name, ...(where.length > 0 || this.#random.chance(0.2) ? { where } : {}) };
  }

  #open(): Json {
    return this.#random.pick<Json>([
      { op: "eq", value: this.#text() },
      { op: "eq", value: "2026-11-30" },
      { op: "contains", value: "true" },
      { op: "gte", value: this.#number() },
      { op: "not_in", value: [1, 2.5] },
      { op: "in", value: ["1", "x"] },
      { op: "is", value: false },
      { op: "on", value: this.#day() },
      { op: "between", value: ["2026-01-01", "2026-02-01"] },
      { op: "between", value: [1, 2] },
      { op: "in_last", value: { n: 2, unit: "hour" } },
      { op: "last_month" },
      { op: "anniversary_today" },
      { op: "is_set" },
    ]);
  }

  #membership(): Json {
    const target = this.#random.pick<Json>([{ segment: "seg_0abc" }, { list: "lst_9" }]);
    if (this.#random.chance(0.4)) return { notIn: target };
    return { in: target, ...(this.#random.chance(0.5) ? { window: this.#window() } : {}) };
  }

  #asked({ type, operators }: { type: string; operators: { name: string; value: string }[] }): Json {
    const { name, value: wants } = this.#one(operators);
    const value = this.#value(wants, type === "money");
    return value === undefined ? { op: name } : { op: name, value };
  }

  #value(wants: string, money: boolean): unknown {
    const number = () => (money ? this.#random.int(-5, 99_999_999) : this.#number());
    switch (wants) {
      case "nothing":
        return undefined;
      case "text":
        return this.#text();
      case "texts":
        return this.#some(() => this.#text());
      case "pattern":
        return this.#random.pick(["^a.*b$", "\\d\\d'x", "[a-z]+"].slice(0, 2) as [string, string]);
      case "number":
        return number();
      case "numbers":
        return this.#some(number);
      case "number_pair":
        return [number(), number()];
      case "bool":
        return this.#random.chance(0.5);
      case "point":
        return this.#day();
      case "point_pair":
        return [this.#day(), this.#day()];
      case "length":
        return this.#length();
      case "length_pair":
        return { from: this.#length(), to: this.#length() };
      case "held":
        return { is: this.#random.chance(0.5) ? this.#text() : this.#some(() => this.#text()), for: this.#length() };
      case "month":
        return this.#random.chance(0.5) ? undefined : this.#random.int(1, 12);
      case "area": {
        const [latitude, longitude] = [90, 180].map((most) => this.#random.int(-100 * most, 100 * most) / 100);
        return { latitude, longitude, [this.#random.pick(["km", "mi"])]: this.#random.int(1, 300) + 0.5 };
      }
      case "count":
        return this.#test();
      default:
        throw new Error(`unknown to this test: ${wants}`);
    }
  }

  #window(): Json {
    return this.#random.pick<Json>([
      { inLast: this.#length() },
      { notInLast: this.#length() },
      { betweenAgo: { from: this.#length(), to: this.#length() } },
      { between: [this.#day(), this.#day()] },
      { on: this.#day() },
      { before: this.#day() },
      { after: this.#day() },
      { onOrBefore: this.#day() },
      { onOrAfter: this.#day() },
      { during: this.#random.pick(PERIODS) },
    ]);
  }

  #test(): Json {
    if (this.#random.chance(0.2)) return { between: [this.#number(), this.#number()] };
    return { [this.#random.pick(["eq", "ne", "gt", "gte", "lt", "lte"])]: this.#number() };
  }

  #length() {
    return { n: this.#random.int(1, 200), unit: this.#random.pick(UNITS) };
  }

  #day(): string {
    return this.#random.pick(DAYS);
  }

  #number(): number {
    return this.#random.pick(NUMBERS);
  }

  #text(): string {
    return Array.from({ length: this.#random.int(1, 4) }, () => this.#random.pick(LETTERS)).join("");
  }

  #some<T>(make: () => T): T[] {
    return Array.from({ length: this.#random.int(1, 3) }, make);
  }

  #one<T>(choices: readonly T[]): T {
    const [first, ...more] = choices;
    if (first === undefined) throw new Error("nothing to choose from");
    return this.#random.pick<T>([first, ...more]);
  }
}
