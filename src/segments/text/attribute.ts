import type { ValueType } from "../condition";
import type { Askable } from "../operators";
import type { Operation, Sign, ValueToken } from "./operation";
import { dateCondition, type Json, type Says } from "./dates";
import { placeCondition } from "./place";
import { TextError } from "./problem";
import { boolOf, dayOf, moneyOf, numberOf, type ShopSense, textOf } from "./values";

const NUMBERS: Record<Sign, string> = { "=": "eq", "!=": "ne", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte" };

/** What a condition is about. */
export interface Asked extends Askable {
  /** The member that names it: `field`. */
  name: string;
  /** A date that may lie in the future. */
  future?: boolean;
}

/** The condition of a definition for an operation on a field or property. */
export function condition(asked: Asked, operation: Operation, at: number, sense: ShopSense): Json {
  if (asked.type === "place") return placeCondition(asked.name, operation, at);
  const says: Says = (op, value) => ({ field: asked.name, op, ...(value === undefined ? {} : { value }) });
  switch (operation.op) {
    case "null":
      return says(operation.is ? "not_set" : "is_set");
    case "empty":
      return says(operation.is ? "is_empty" : "not_empty");
    case "text":
      return says(`${operation.negative ? "not_" : ""}${operation.what}`, textOf(operation.value));
    case "has":
      return says(`has_${operation.which}`, operation.values.map(textOf));
    case "count":
      return says("count", numberTest(operation.test, at, numberOf));
    case "been": {
      const words = operation.values.map(textOf);
      return says(operation.negative ? "has_not_been" : "has_been", {
        is: operation.one ? words[0] : words,
        for: operation.length,
      });
    }
    case "in":
      return says(operation.negative ? "not_in" : "in", operation.values.map(listed(asked.type, sense)));
    case "matches":
      throw new TextError(at, `${asked.name} is no event: MATCHES takes a pattern in quotes here`);
    case "month":
      throw new TextError(at, "IN MONTH is asked of anniversary(...)");
    default:
      return comparison(asked, operation, at, sense, says);
  }
}

function listed(type: ValueType, sense: ShopSense): (token: ValueToken) => unknown {
  if (type === "number") return numberOf;
  return type === "money" ? (token) => moneyOf(token, sense) : textOf;
}

function comparison(
  { type, name, future = false }: Asked,
  operation: Operation & { op: "compare" | "between" | "within" },
  at: number,
  sense: ShopSense,
  says: Says,
): Json {
  if (type === "date") return dateCondition(operation, at, sense, says, future);
  if (operation.op === "within") throw new TextError(at, `${name} is no date`);
  if (type === "number" || type === "money") {
    const read = type === "money" ? (token: ValueToken) => moneyOf(token, sense) : numberOf;
    if (operation.op === "between") return says("between", [read(operation.from), read(operation.to)]);
    return says(NUMBERS[operation.sign], read(operation.value));
  }
  if (operation.op === "between")
    throw new TextError(at, `BETWEEN asks about numbers and dates, and ${name} is neither`);
  const { sign, value } = operation;
  if (sign !== "=" && sign !== "!=") throw new TextError(at, `${name} is compared with = and != only`);
  if (type === "text") return says(sign === "=" ? "eq" : "ne", textOf(value));
  return sign === "=" ? says("is", boolOf(value)) : { none: [says("is", boolOf(value))] };
}

/** A comparison of a count or a sum: `{ "gte": 2 }`. */
export function numberTest(operation: Operation, at: number, read: (token: ValueToken) => number): Json {
  if (operation.op === "between") return { between: [read(operation.from), read(operation.to)] };
  if (operation.op === "compare") return { [NUMBERS[operation.sign]]: read(operation.value) };
  throw new TextError(at, "a number is asked with =, !=, <, <=, >, >= or BETWEEN");
}

/** What data of any shape is asked as: what the value is written as. */
export function openType(operation: Operation): ValueType {
  const [value] = valuesOf(operation);
  if (operation.op === "within") return "date";
  switch (value?.kind) {
    case "number":
      return "number";
    case "word":
      return value.lower === "true" || value.lower === "false" ? "bool" : "date";
    case "date":
    case "length":
      return "date";
    case "quoted":
      return operation.op === "between" ? "date" : "text";
    default:
      return "text";
  }
}

function valuesOf(operation: Operation): ValueToken[] {
  switch (operation.op) {
    case "compare":
    case "text":
      return [operation.value];
    case "between":
      return [operation.from];
    case "in":
    case "has":
      return operation.values;
    default:
      return [];
  }
}

/** A condition on the day of the year of a date. */
export function anniversary(name: string, operation: Operation, at: number, sense: ShopSense): Json {
  const says: Says = (op, value) => ({ field: name, op, ...(value === undefined ? {} : { value }) });
  const refused = "an anniversary is asked with = today, BETWEEN today AND +7d, IN NEXT, IN LAST, IN MONTH or IS NULL";
  switch (operation.op) {
    case "null":
      return says(operation.is ? "not_set" : "is_set");
    case "within":
      if (operation.negative) break;
      return says(`anniversary_in_${operation.which}`, operation.length);
    case "month":
      return says("anniversary_month", numberOf(operation.value));
    case "between": {
      const [from, to] = [dayOf(operation.from, sense), dayOf(operation.to, sense)];
      if (from.kind === "back" && !from.length && to.kind === "ahead") return says("anniversary_in_next", to.length);
      if (from.kind === "back" && from.length && to.kind === "back" && !to.length) {
        return says("anniversary_in_last", from.length);
      }
      break;
    }
    case "compare": {
      const day = dayOf(operation.value, sense);
      const found =
        day.kind === "back" && !day.length
          ? says("anniversary_today")
          : day.kind === "period" && day.period === "this_month"
            ? says("anniversary_month")
            : null;
      if (found && operation.sign === "=") return found;
      if (found && operation.sign === "!=") return { none: [found] };
      break;
    }
  }
  throw new TextError(at, refused);
}
