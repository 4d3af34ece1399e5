import { FIELDS } from "../fields";
import { amountOf } from "./decimal";
import { namedEvent, typeOf } from "./events";
import { printPlace } from "./place";
import { isFunction } from "./shopify";
import type { ShopSense } from "./values";
import { quote, UNIT_LETTERS } from "./tokens";

type Json = Record<string, unknown>;

/**
 * A definition as text: what `parseText` reads as the same definition. The definition is one that `parseDefinition`
 * has passed.
 */
export function printText(definition: unknown, { currency }: Pick<ShopSense, "currency">): string {
  return new Printer(currency).node(definition, false);
}

const SIGNS: Record<string, string> = { eq: "=", ne: "!=", lt: "<", lte: "<=", gt: ">", gte: ">=" };
const POINTS: Record<string, string> = {
  on: "=",
  not_on: "!=",
  before: "<",
  on_or_before: "<=",
  after: ">",
  on_or_after: ">=",
};
const WINDOWS: Record<string, string> = {
  inLast: "in_last",
  notInLast: "not_in_last",
  betweenAgo: "between_ago",
  onOrBefore: "on_or_before",
  onOrAfter: "on_or_after",
};
const PLAIN: Record<string, string> = {
  is_set: "IS NOT NULL",
  not_set: "IS NULL",
  is_empty: "IS EMPTY",
  not_empty: "IS NOT EMPTY",
};
const LISTS: Record<string, string> = {
  in: "IN",
  not_in: "NOT IN",
  has_any: "HAS ANY",
  has_none: "HAS NONE",
  has_all: "HAS ALL",
};

class Printer {
  readonly #currency: string;

  constructor(currency: string) {
    this.#currency = currency;
  }

  node(node: unknown, inside: boolean): string {
    const json = object(node);
    for (const [group, word] of [
      ["all", " AND "],
      ["any", " OR "],
      ["none", ""],
    ] as const) {
      const nodes = json[group];
      if (!Array.isArray(nodes)) continue;
      if (word === "" || nodes.length < 2) {
        return `${group.toUpperCase()} (${nodes.map((one) => this.node(one, false)).join(", ")})`;
      }
      const chain = nodes.map((one) => this.node(one, true)).join(word);
      return inside ? `(${chain})` : chain;
    }
    const { store } = json;
    return typeof store === "string" ? `${this.#leaf(json)} STORE ${quote(store)}` : this.#leaf(json);
  }

  #leaf(json: Json): string {
    if ("field" in json) {
      const name = String(json["field"]);
      return this.#condition(name, json, FIELDS.get(name)?.type === "money");
    }
    if ("did" in json) return this.#event(json, []);
    if ("first" in json) return this.#sequence(json);
    if ("in" in json || "notIn" in json) return this.#membership(json);
    const { percent, seed } = object(json["sample"]);
    return matches("sample", [
      `percent = ${number(percent)}`,
      ...(typeof seed === "string" ? [`seed = ${quote(seed)}`] : []),
    ]);
  }

  #condition(name: string, { op, value }: Json, money: boolean): string {
    const operator = String(op);
    if (operator.startsWith("anniversary_")) return anniversary(name, operator, value);
    if (isFunction(name) && (operator === "is_set" || operator === "not_set")) {
      return `${name} IS ${operator === "is_set" ? "" : "NOT "}SET`;
    }
    return `${name} ${this.#operation(operator, value, money)}`;
  }

  #operation(op: string, value: unknown, money: boolean): string {
    const own = (table: Record<string, string>) => (Object.hasOwn(table, op) ? table[op] : undefined);
    const plain = own(PLAIN);
    if (plain !== undefined) return plain;
    const list = own(LISTS);
    if (list !== undefined)
      return `${list} (${array(value)
        .map((one) => this.#value(one, money))
        .join(", ")})`;
    const point = own(POINTS);
    if (point !== undefined) return `${point} ${String(value)}`;
    const sign = own(SIGNS);
    if (sign !== undefined) return `${sign} ${this.#value(value, money)}`;
    switch (op) {
      case "is":
        return `= ${String(value)}`;
      case "between": {
        const [from, to] = array(value).map((end) => (typeof end === "string" ? end : this.#value(end, money)));
        return `BETWEEN ${from} AND ${to}`;
      }
      case "in_last":
        return `IN LAST ${length(value)}`;
      case "not_in_last":
        return `NOT IN LAST ${length(value)}`;
      case "in_next":
        return `IN NEXT ${length(value)}`;
      case "between_ago": {
        const { from, to } = object(value);
        return `BETWEEN -${length(from)} AND -${length(to)}`;
      }
      case "has_been":
      case "has_not_been":
        return held(op, object(value));
      case "within":
      case "not_within":
        return printPlace(op, object(value));
      case "count":
        return `COUNT ${this.#test(value, false)}`;
      default:
        if (value === undefined) return `= ${op}`;
        return `${op.toUpperCase().replaceAll("_", " ")} ${this.#value(value, money)}`;
    }
  }

  #value(value: unknown, money: boolean): string {
    if (typeof value === "number") return money ? amountOf(value, this.#currency) : number(value);
    return typeof value === "string" ? quote(value) : String(value);
  }

  #test(value: unknown, money: boolean): string {
    const [[name, to] = ["eq", 0]] = Object.entries(object(value));
    return this.#operation(name, to, money);
  }

  /** @param more parameters beside its own */
  #event(json: Json, more: string[]): string {
    const name = String(json["did"]);
    const event = namedEvent(name);
    const isMoney = (property: string) => event !== undefined && typeOf(event, property) === "money";
    const { where, window, count, sum, distinct } = json;
    const parameters: string[] = [];
    if (count !== undefined) parameters.push(`count ${this.#test(count, false)}`);
    for (const [measure, value] of [
      ["sum", sum],
      ["distinct", distinct],
    ] as const) {
      if (value === undefined) continue;
      const { of, ...test } = object(value);
      const property = String(of);
      parameters.push(`${measure}(${property}) ${this.#test(test, measure === "sum" && isMoney(property))}`);
    }
    for (const [measure, edge] of [
      ["firstAt", "first_at"],
      ["lastAt", "last_at"],
    ] as const) {
      if (json[measure] !== undefined) parameters.push(this.#condition(edge, object(json[measure]), false));
    }
    if (window !== undefined) parameters.push(this.#window(window));
    if (Array.isArray(where) && where.length === 0) parameters.push("WHERE ()");
    for (const one of Array.isArray(where) ? where : []) {
      const clause = object(one);
      const property = String(clause["field"]);
      parameters.push(this.#condition(property, clause, isMoney(property)));
    }
    return matches(name, [...parameters, ...more]);
  }

  #window(window: unknown): string {
    const [[name, value] = ["", null]] = Object.entries(object(window));
    if (name === "during") return `date = ${String(value)}`;
    return `date ${this.#operation(WINDOWS[name] ?? name, value, false)}`;
  }

  #sequence(json: Json): string {
    const happens = "followedBy" in json;
    const window = json["window"];
    const first = this.#event(object(json["first"]), window === undefined ? [] : [this.#window(window)]);
    const next = this.#event(object(happens ? json["followedBy"] : json["notFollowedBy"]), []);
    return `${first} ${happens ? "FOLLOWED BY" : "NOT FOLLOWED BY"} ${next} WITHIN ${length(json["within"])}`;
  }

  #membership(json: Json): string {
    const is = "in" in json;
    const [[of, id] = ["", ""]] = Object.entries(object(is ? json["in"] : json["notIn"]));
    const window = json["window"];
    const parameters = [`id = ${quote(String(id))}`, ...(window === undefined ? [] : [this.#window(window)])];
    return matches(is ? of : `${of} NOT`, parameters);
  }
}

function matches(name: string, parameters: string[]): string {
  return `${name} MATCHES (${parameters.join(", ")})`;
}

function anniversary(name: string, op: string, value: unknown): string {
  const of = `anniversary(${name})`;
  if (op === "anniversary_today") return `${of} = today`;
  if (op === "anniversary_month") return value === undefined ? `${of} = this_month` : `${of} IN MONTH ${number(value)}`;
  return `${of} IN ${op === "anniversary_in_last" ? "LAST" : "NEXT"} ${length(value)}`;
}

function held(op: string, { is, for: duration }: Json): string {
  const words = Array.isArray(is) ? `(${is.map((word) => quote(String(word))).join(", ")})` : quote(String(is));
  return `HAS ${op === "has_been" ? "" : "NOT "}BEEN ${words} FOR ${length(duration)}`;
}

function length(value: unknown): string {
  const { n, unit } = object(value);
  const letters = Object.entries(UNIT_LETTERS).find(([known]) => known === unit)?.[1];
  return `${number(n)}${letters ?? ""}`;
}

function number(value: unknown): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function array(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function object(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}
