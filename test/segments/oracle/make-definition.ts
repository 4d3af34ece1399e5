import { EVENTS, eventType } from "../../../src/segments/event-catalogue";
import { LINE_FACTS } from "../../../src/segments/compile/lines";
import { customField, FIELDS } from "../../../src/segments/fields";
import { operatorsOf, type Wants } from "../../../src/segments/operators";
import { PERIODS } from "../../../src/segments/window";
import { dayOfNumber, dayNumber, localDay, UNIT_MS } from "./calendar";
import type { Chance } from "./chance";
import { subjectsOf } from "./evaluate";
import { CUSTOM_FIELDS, valuesOf } from "./facts";
import { type Clause, dataValues, happenings, measured } from "./happenings";
import type { Clock, Value } from "./operators";
import { groupId, type Json, type World } from "./world";

type Leaf = { [name: string]: Json };

/** One thing that can be asked: what the oracle counts how often it has asked it. */
interface Card {
  /** Under which it is counted. */
  name: string;
  /** Only contacts have it. */
  ofContacts: boolean;
  make: (maker: Maker) => Leaf;
}

export type Audience = "contacts" | "visitors" | "both";

export interface Made {
  definition: Json;
  audience: Audience;
  clock: Clock;
  /** The leaves, each under the name by which it is counted. */
  leaves: { name: string; leaf: Leaf }[];
}

const COMPARISONS: [string, ...string[]] = ["eq", "ne", "gt", "gte", "lt", "lte", "between"];
const WINDOWS = [
  "inLast",
  "notInLast",
  "betweenAgo",
  "between",
  "on",
  "before",
  "after",
  "onOrBefore",
  "onOrAfter",
  "during",
];
const DATA_PATHS = [
  "data.note",
  "data.when",
  "data.nested.level",
  "data.nested.a-b",
  "data.quantity",
  "data.note.deep",
];
const DATA_TYPES = [{ type: "text" }, { type: "number" }, { type: "bool" }, { type: "date" }] as const;

/** Every event's own properties, by name. */
function propertiesOf(): Map<
  string,
  { events: string[]; operators: Record<string, Wants>; numeric: boolean; many: boolean }
> {
  const found = new Map<
    string,
    { events: string[]; operators: Record<string, Wants>; numeric: boolean; many: boolean }
  >();
  const custom = eventType("custom:quiz");
  for (const event of [...EVENTS.values(), ...(custom ? [custom] : [])]) {
    const asked = [
      ...Object.entries(event.properties).map(([name, one]) => ({ ...one, name })),
      ...(event.lines ? Object.entries(LINE_FACTS).map(([name, one]) => ({ ...one, name: `items.${name}` })) : []),
    ];
    for (const one of asked) {
      const known = found.get(one.name) ?? {
        events: [],
        operators: operatorsOf(one),
        numeric: one.type === "number" || one.type === "money",
        many: one.many === true,
      };
      known.events.push(event.name);
      found.set(one.name, known);
    }
  }
  return found;
}

/** All there is to ask: every field and operator, every property of events and operator, every measure and window. */
export function allCards(): Card[] {
  const fields = [...FIELDS.values(), ...CUSTOM_FIELDS.map(customField)];
  const properties = [...propertiesOf()];
  const events = [...EVENTS.keys(), "custom:quiz"];
  const openEvents = events.filter((name) => eventType(name)?.open);
  return [
    ...fields.flatMap((field) =>
      Object.entries(operatorsOf(field)).map(([op, wants]): Card => ({
        name: `${field.name} ${op}`,
        ofContacts: !field.places.visitor,
        make: (maker) => maker.attribute(field.name, op, wants),
      })),
    ),
    ...properties.flatMap(([name, { events: having, operators }]) =>
      Object.entries(operators).map(([op, wants]): Card => ({
        name: `where ${name} ${op}`,
        ofContacts: false,
        make: (maker) => maker.happening(maker.chance.oneOf(having) ?? "", [{ field: name, op, wants }]),
      })),
    ),
    ...DATA_TYPES.flatMap(({ type }) =>
      Object.entries(operatorsOf({ type })).map(([op, wants]): Card => ({
        name: `where data.* ${type} ${op}`,
        ofContacts: false,
        make: (maker) =>
          maker.happening(maker.chance.oneOf(openEvents) ?? "", [
            { field: maker.chance.oneOf(DATA_PATHS) ?? "", op, wants },
          ]),
      })),
    ),
    ...events.flatMap((event) =>
      ["count", "firstAt", "lastAt"].map((measure): Card => ({
        name: `${event} ${measure}`,
        ofContacts: false,
        make: (maker) => maker.measure(event, measure, null),
      })),
    ),
    ...COMPARISONS.map((comparison): Card => ({
      name: `count ${comparison}`,
      ofContacts: false,
      make: (maker) => ({
        ...maker.happening(maker.event(), []),
        count: maker.comparison([0, 1, 1, 2, 3], comparison),
      }),
    })),
    ...properties.flatMap(([name, { events: having, numeric, many }]) =>
      [...(numeric ? ["sum"] : []), ...(many ? [] : ["distinct"])].map((measure): Card => ({
        name: `${measure} of ${name}`,
        ofContacts: false,
        make: (maker) => maker.measure(maker.chance.oneOf(having) ?? "", measure, name),
      })),
    ),
    ...["sum", "distinct"].map((measure): Card => ({
      name: `${measure} of data.*`,
      ofContacts: false,
      make: (maker) =>
        maker.measure(maker.chance.oneOf(openEvents) ?? "", measure, maker.chance.oneOf(DATA_PATHS.slice(0, 5)) ?? ""),
    })),
    ...WINDOWS.map((window): Card => ({
      name: `window ${window}`,
      ofContacts: false,
      make: (maker) => ({ ...maker.happening(maker.event(), []), window: maker.window(window) }),
    })),
    ...["followedBy", "notFollowedBy"].flatMap((next) =>
      ["same", "other", "where", "window"].map((kind): Card => ({
        name: `sequence ${next} ${kind}`,
        ofContacts: false,
        make: (maker) => maker.sequence(next, kind),
      })),
    ),
    ...["percent", "seed"].map((kind): Card => ({
      name: `sample ${kind}`,
      ofContacts: false,
      make: ({ chance }) => ({
        sample: {
          percent: chance.pick([0, 10, 50, 33.3333, 99, 100]),
          ...(kind === "seed" ? { seed: chance.word() } : {}),
        },
      }),
    })),
    ...(["segment", "list"] as const).flatMap((of) =>
      ["in", "notIn", "in window", "unknown"].map((kind): Card => ({
        name: `${of} ${kind}`,
        ofContacts: false,
        make: (maker) => maker.membership(of, kind),
      })),
    ),
  ];
}

/** Makes definitions for one world, out of what is in it, so that they have members and others. */
export class Maker {
  readonly chance: Chance;
  readonly #world: World;
  #clock: Clock = { now: 0, zone: "UTC" };

  constructor(chance: Chance, world: World) {
    this.chance = chance;
    this.#world = world;
  }

  /** @param draw takes the next card off the pile */
  definition(draw: () => Card, zone: string): Made {
    const { chance } = this;
    this.#clock = { now: chance.moment(), zone };
    const leaves: Made["leaves"] = [];
    const cards: Card[] = [];
    const leaf = (): Json => {
      const card = draw();
      const made = card.make(this);
      cards.push(card);
      leaves.push({ name: card.name, leaf: made });
      return made;
    };
    const group = (depth: number): Json => {
      const kind = chance.pick(["all", "any", "any", "none"]);
      const nodes = chance.some(1, 3, () => (depth < 5 && chance.chance(0.3) ? group(depth + 1) : leaf()));
      return { [kind]: nodes };
    };
    const definition = chance.chance(0.35) ? { [chance.pick(["all", "any", "none"])]: [leaf()] } : group(1);
    const audiences: [Audience, ...Audience[]] = cards.some(({ ofContacts }) => ofContacts)
      ? ["contacts", "contacts", "both"]
      : ["contacts", "visitors", "both", "both"];
    return { definition, audience: chance.pick(audiences), clock: this.#clock, leaves };
  }

  event(): string {
    const events = [...EVENTS.keys()];
    return this.chance.pick([
      this.chance.oneOf(events) ?? "",
      "order_placed",
      "page_viewed",
      "product_viewed",
      "cart_abandoned",
      "custom:quiz",
    ]);
  }

  attribute(field: string, op: string, wants: Wants): Leaf {
    const values = subjectsOf(this.#world, "both").flatMap((subject) =>
      valuesOf(this.#world, subject, field, this.#clock.now),
    );
    return { field, op, ...this.#operand(wants, op, values, isMoney(field)) };
  }

  happening(did: string, asked: { field: string; op: string; wants: Wants }[]): Leaf {
    const { chance } = this;
    const where = asked.map(({ field, op, wants }) => {
      const clause: Clause = { field, op, value: undefined };
      const values = this.#occurrences(did).flatMap((one) =>
        field.startsWith("items.")
          ? one.lines.flatMap((line) => line[field.slice("items.".length)] ?? [])
          : field.startsWith("data.")
            ? [...dataValues(one, clause.field, "eq", "text"), ...dataValues(one, clause.field, "eq", 0)]
            : (one.values[field] ?? []),
      );
      return { field, op, ...this.#operand(wants, op, values, isMoney(field)) };
    });
    return {
      did,
      ...(where.length > 0 ? { where } : {}),
      ...(where.length > 0 && chance.chance(0.2)
        ? { count: this.comparison([0, 1, 2], chance.pick(COMPARISONS)) }
        : {}),
    };
  }

  #occurrences(did: string) {
    return subjectsOf(this.#world, "both").flatMap((subject) => happenings(this.#world, subject, did));
  }

  measure(did: string, kind: string, of: string | null): Leaf {
    const { chance } = this;
    const found = this.#occurrences(did);
    const step = of?.startsWith("items.") === true && chance.chance(0.4) ? this.#lineClause(did) : {};
    const window: Leaf = chance.chance(0.25) ? { window: this.window(chance.oneOf(WINDOWS) ?? "") } : {};
    if (of !== null) {
      const values = found.flatMap((one) => measured(one, of, [], this.#clock, true)).map(Number);
      const near = kind === "sum" ? [0, ...values, values.reduce((sum, one) => sum + one, 0)] : [0, 1, 2, 3];
      const comparison = this.comparison(
        near.filter((one) => Number.isFinite(one)),
        chance.pick(COMPARISONS),
      );
      return { did, ...step, ...window, [kind]: { of, ...comparison } };
    }
    if (kind === "count") return { did, ...window, count: this.comparison([0, 1, 1, 2], chance.pick(COMPARISONS)) };
    const operators = Object.entries(operatorsOf({ type: "date" }));
    const [op, wants] = chance.oneOf(operators) ?? ["is_set", "nothing"];
    return {
      did,
      ...window,
      [kind]: {
        op,
        ...this.#operand(
          wants,
          op,
          found.map(({ at }) => at),
          false,
        ),
      },
    };
  }

  #lineClause(did: string): Leaf {
    const op = this.chance.pick(["eq", "ne"]);
    const { where } = this.happening(did, [{ field: "items.product_id", op, wants: "text" }]);
    return { where: where ?? [] };
  }

  comparison(values: number[], name: string): { [name: string]: Json } {
    const one = () => (this.chance.oneOf(values) ?? 0) + (this.chance.chance(0.2) ? this.chance.int(-1, 1) : 0);
    return { [name]: name === "between" ? this.#pair(one) : one() };
  }

  #pair(make: () => number): number[] {
    const pair = [make(), make()];
    return this.chance.chance(0.9) ? pair.sort((a, b) => a - b) : pair;
  }

  window(name: string): Json {
    const wants: Record<string, Wants> = {
      inLast: "length",
      notInLast: "length",
      betweenAgo: "length_pair",
      between: "point_pair",
    };
    const moments = Array.from({ length: 3 }, () => this.chance.moment());
    if (name === "during") return { during: this.chance.pick(PERIODS) };
    return { [name]: this.#operand(wants[name] ?? "point", name, moments, false)["value"] ?? null };
  }

  sequence(next: string, kind: string): Leaf {
    const { chance } = this;
    const first = this.event();
    const second = kind === "same" ? first : this.event();
    const step = (did: string) =>
      kind === "where" && eventType(did)?.lines === true && chance.chance(0.6)
        ? { did, ...this.#lineClause(did) }
        : { did };
    return {
      first: step(first),
      [next]: step(second),
      within: { n: chance.int(1, 40), unit: chance.pick(["minute", "hour", "day", "week"]) },
      ...(kind === "window" ? { window: this.window(chance.oneOf(WINDOWS) ?? "") } : {}),
    };
  }

  membership(of: "segment" | "list", kind: string): Leaf {
    const group = this.#world.groups.find((one) => one.of === of);
    const id = kind === "unknown" || !group ? `${of === "segment" ? "seg" : "lst"}_none` : groupId(this.#world, group);
    const isIn = kind === "unknown" ? this.chance.chance(0.5) : kind !== "notIn";
    return {
      [isIn ? "in" : "notIn"]: { [of]: id },
      ...(kind === "in window" ? { window: this.window(this.chance.oneOf(WINDOWS) ?? "") } : {}),
    };
  }

  /** What an operator is given: mostly a value that is there, or one just beside it. */
  #operand(wants: Wants, op: string, values: Value[], money: boolean): { value?: Json } {
    const { chance } = this;
    const texts = values.filter((value) => typeof value === "string" && value !== "").map(String);
    const numbers = values.filter((value) => typeof value === "number");
    const text = () => this.#text(op, texts);
    const number = () => this.#number(numbers, money);
    switch (wants) {
      case "nothing":
        return {};
      case "text":
        return { value: text() };
      case "texts":
        return { value: chance.some(1, 3, text) };
      case "pattern":
        return { value: this.#pattern(texts) };
      case "number":
        return { value: number() };
      case "numbers":
        return { value: chance.some(1, 3, number) };
      case "number_pair":
        return { value: this.#pair(number) };
      case "bool":
        return { value: chance.chance(0.5) };
      case "point":
        return { value: this.#point(values) };
      case "point_pair":
        return { value: [this.#point(values), this.#point(values)].sort() };
      case "length":
        return { value: this.#length(values) };
      case "length_pair":
        return { value: { from: this.#length(values), to: this.#length(values) } };
      case "held":
        return { value: { is: chance.chance(0.7) ? text() : chance.some(1, 2, text), for: this.#length([]) } };
      case "month":
        return chance.chance(0.2) ? {} : { value: this.#month(values) };
      case "count":
        return { value: this.comparison([0, 1, 1, 2], chance.pick(COMPARISONS)) };
      default:
        return wants satisfies never;
    }
  }

  #text(op: string, texts: string[]): string {
    const { chance } = this;
    const whole = (chance.chance(0.85) ? chance.oneOf(texts) : undefined) ?? chance.word();
    const letters = Array.from(whole);
    const start = chance.int(0, Math.max(0, letters.length - 1));
    const cut = op.endsWith("contains")
      ? letters.slice(start, start + chance.int(1, 6))
      : op.endsWith("starts_with")
        ? letters.slice(0, start + 1)
        : op.endsWith("ends_with")
          ? letters.slice(start)
          : letters;
    const part = cut.join("");
    const cased = chance.pick([part, part, part.toUpperCase(), part.toLowerCase()]);
    return cased.trim() === "" ? "x" : cased;
  }

  #pattern(texts: string[]): string {
    const { chance } = this;
    const letters = Array.from(chance.oneOf(texts) ?? chance.word()).slice(0, 14);
    const parts = letters.map((letter, i) => {
      const literal = /[\p{L}\p{N}]/u.test(letter) ? letter : `\\${letter}`;
      if (i === 0 || !chance.chance(0.3)) return /[\s'"%_@&;:=,~`#!<>-]/.test(letter) ? letter : literal;
      return chance.pick([
        ".",
        ".*",
        /\d/.test(letter) ? "\\d" : ".",
        /[a-z]/.test(letter) ? "[a-m]" : ".+",
        "\\w",
        "[^x]",
      ]);
    });
    const pattern = parts.join("").trim();
    const made = `${chance.chance(0.5) ? "^" : ""}${pattern === "" ? "x" : pattern}${chance.chance(0.3) ? "$" : ""}`;
    return new TextEncoder().encode(made).length > 30 ? "^b.*n$" : made;
  }

  #number(numbers: number[], money: boolean): number {
    const { chance } = this;
    const value = chance.oneOf(numbers) ?? chance.int(0, 5);
    const near = chance.pick([value, value, value + 1, value - 1, money ? value + 500 : value + 0.5]);
    return money ? Math.round(near) : near;
  }

  /** An instant of the values, or one of the world's moments. */
  #instant(values: Value[]): number {
    const value = this.chance.chance(0.8) ? this.chance.oneOf(values) : undefined;
    const instant = typeof value === "string" ? Date.parse(value) : value;
    return typeof instant === "number" && Number.isFinite(instant) ? instant : this.chance.moment();
  }

  #point(values: Value[]): string {
    const { chance } = this;
    const instant = this.#instant(values) + chance.pick([0, 0, 1, -1]);
    if (chance.chance(0.4)) return new Date(instant).toISOString();
    return dayOfNumber(dayNumber(localDay(instant, this.#clock.zone)) + chance.pick([0, 0, 1, -1]));
  }

  #length(values: Value[]): Json {
    const { chance } = this;
    const unit = chance.pick(["minute", "hour", "day", "day", "week", "month", "year"]);
    const ms = UNIT_MS[unit] ?? (unit === "month" ? 30.4 : 365.25) * 86_400_000;
    const away = Math.round(Math.abs(this.#clock.now - this.#instant(values)) / ms);
    const n = chance.chance(0.7) ? away + chance.pick([0, 0, 0, 1, -1]) : chance.int(1, 40);
    return { n: Math.min(Math.max(n, 1), unit === "year" ? 100 : 100_000), unit };
  }

  #month(values: Value[]): number {
    return Number(localDay(this.#instant(values), this.#clock.zone).slice(5, 7));
  }
}

function isMoney(name: string): boolean {
  return /revenue|total|price|value|discount$|amount|average_order/.test(name);
}
