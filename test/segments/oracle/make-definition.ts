import { EVENTS, eventType } from "../../../src/segments/event-catalogue";
import { operatorsOf, type Wants } from "../../../src/segments/operators";
import { PERIODS } from "../../../src/segments/window";
import type { Card } from "./cards";
import type { Chance } from "./chance";
import { subjectsOf } from "./evaluate";
import { valuesOf } from "./values";
import { type Clause, dataValues, happenings, measured } from "./happenings";
import { COMPARISONS, Operands } from "./operands";
import type { Clock } from "./operators";
import { groupName, type Json, type World } from "./world";

export type Leaf = { [name: string]: Json };

export type Audience = "contacts" | "visitors" | "both";

export interface Made {
  definition: Json;
  audience: Audience;
  clock: Clock;
  /** The leaves, each under the name by which it is counted. */
  leaves: { name: string; leaf: Leaf }[];
}

export const WINDOWS = [
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

/** Makes definitions for one world, out of what is in it, so that they have members and others. */
export class Maker {
  readonly chance: Chance;
  readonly #world: World;
  readonly #operands: Operands;

  constructor(chance: Chance, world: World) {
    this.chance = chance;
    this.#world = world;
    this.#operands = new Operands(chance);
  }

  comparison(values: number[], name: string): { [name: string]: Json } {
    return this.#operands.comparison(values, name);
  }

  /**
   * @param draw takes the next card off the pile
   * @param clock by which it is asked
   */
  definition(draw: () => Card, clock: Clock): Made {
    const { chance } = this;
    this.#operands.clock = clock;
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
      const nodes = chance.some(1, 4, () => (depth < 5 && chance.chance(0.3) ? group(depth + 1) : leaf()));
      return { [kind]: nodes };
    };
    const definition = chance.chance(0.25) ? { [chance.pick(["all", "any", "none"])]: [leaf()] } : group(1);
    const audiences: [Audience, ...Audience[]] = cards.some(({ ofContacts }) => ofContacts)
      ? ["contacts", "contacts", "both"]
      : ["contacts", "visitors", "both", "both"];
    return { definition, audience: chance.pick(audiences), clock: this.#operands.clock, leaves };
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
      valuesOf(this.#world, subject, field, this.#operands.clock.now),
    );
    return { field, op, ...this.#operands.operand(wants, op, values, isMoney(field)) };
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
      return { field, op, ...this.#operands.operand(wants, op, values, isMoney(field)) };
    });
    return {
      did,
      ...(where.length > 0 ? { where } : {}),
      ...(where.length > 0 && chance.chance(0.2)
        ? { count: this.#operands.comparison([0, 1, 2], chance.pick(COMPARISONS)) }
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
      const values = found.flatMap((one) => measured(one, of, [], this.#operands.clock, true)).map(Number);
      const near = kind === "sum" ? [0, ...values, values.reduce((sum, one) => sum + one, 0)] : [0, 1, 2, 3];
      const comparison = this.#operands.comparison(
        near.filter((one) => Number.isFinite(one)),
        chance.pick(COMPARISONS),
      );
      return { did, ...step, ...window, [kind]: { of, ...comparison } };
    }
    if (kind === "count")
      return { did, ...window, count: this.#operands.comparison([0, 1, 1, 2], chance.pick(COMPARISONS)) };
    const operators = Object.entries(operatorsOf({ type: "date" }));
    const [op, wants] = chance.oneOf(operators) ?? ["is_set", "nothing"];
    return {
      did,
      ...window,
      [kind]: {
        op,
        ...this.#operands.operand(
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

  window(name: string): Json {
    const wants: Record<string, Wants> = {
      inLast: "length",
      notInLast: "length",
      betweenAgo: "length_pair",
      between: "point_pair",
    };
    const moments = Array.from({ length: 3 }, () => this.chance.moment());
    if (name === "during") return { during: this.chance.pick(PERIODS) };
    return { [name]: this.#operands.operand(wants[name] ?? "point", name, moments, false)["value"] ?? null };
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
    const group = this.chance.oneOf(this.#world.groups.filter((one) => one.of === of));
    const id = kind === "unknown" || !group ? `${of === "segment" ? "seg" : "lst"}_none` : groupName(group);
    const isIn = kind === "unknown" ? this.chance.chance(0.5) : kind !== "notIn";
    return {
      [isIn ? "in" : "notIn"]: { [of]: id },
      ...(kind === "in window" ? { window: this.window(this.chance.oneOf(WINDOWS) ?? "") } : {}),
    };
  }
}

function isMoney(name: string): boolean {
  return /revenue|total|price|value|discount$|amount|average_order/.test(name);
}
