import type { ValueType } from "../condition";
import { type EventType, eventType } from "../event-catalogue";
import { findProperty } from "../leaves-of-events";
import { anniversary, condition, numberTest, openType } from "./attribute";
import { type Clause, matchesOf, type ValueToken } from "./operation";
import { type Json, type Window, windowOf } from "./dates";
import { TextError } from "./problem";
import type { Sense } from "./sense";
import { moneyOf, numberOf } from "./values";

/** The event of this name, as written or in another case. */
export function namedEvent(written: string): EventType | undefined {
  return eventType(written.replace(/^custom:/i, "custom:")) ?? eventType(written.toLowerCase());
}

interface Parts {
  where: Json[] | null;
  measure: Json | null;
  window: Window | null;
}

/** Occurrences of an event: MATCHES, or with NOT those who have none. */
export function eventCondition(
  sense: Sense,
  event: EventType,
  { negative, parameters }: { negative: boolean; parameters: Clause[] },
  at: number,
): Json {
  const { where, measure, window } = partsOf(sense, event, parameters);
  const leaf = (more: Json) => sense.placed({ did: event.name, ...(where ? { where } : {}), ...more }, at);
  const none = (of: Json): Json => (negative ? { none: [of] } : of);
  if (!window || window.is === "one") {
    const when = window ? { window: window.window } : {};
    if (negative && !measure) return leaf({ count: { eq: 0 }, ...when });
    return none(leaf({ ...measure, ...when }));
  }
  if (measure) {
    throw new TextError(at, "beside a count or a sum this date takes >= or <, or a BETWEEN of two offsets");
  }
  if (window.is === "either") return none({ any: window.windows.map((one) => leaf({ window: one })) });
  const { length } = window;
  const last = (op: string, value: unknown) => leaf({ lastAt: { op, value } });
  return none({ all: [last("in_last", length), { none: [last("between_ago", { from: length, to: length })] }] });
}

/** An event followed by another one within a time, or not followed. */
export function sequence(sense: Sense, clause: Clause, followed: NonNullable<Clause["followed"]>): Json {
  const first = stepOf(sense, clause);
  const next = stepOf(sense, followed.clause);
  if (next.window) throw new TextError(followed.clause.at, "the date of a sequence is that of its first event");
  if (first.window && first.window.is !== "one") {
    throw new TextError(clause.at, "the date of a sequence takes >= or <, or a BETWEEN of two offsets");
  }
  return {
    first: first.step,
    [followed.negative ? "notFollowedBy" : "followedBy"]: next.step,
    within: followed.within,
    ...(first.window ? { window: first.window.window } : {}),
  };
}

function stepOf(sense: Sense, clause: Clause): { step: Json; window: Window | null } {
  const event = namedEvent(clause.written);
  if (!event) throw new TextError(clause.at, `${clause.written} is no event that is known here (see the catalogue)`);
  const matches = matchesOf(clause.operation);
  if (!matches || matches.negative) {
    throw new TextError(clause.operationAt, "an event of a sequence is asked with MATCHES (...)");
  }
  const { where, measure, window } = partsOf(sense, event, matches.parameters);
  if (measure) throw new TextError(clause.at, "an event of a sequence is neither counted nor summed");
  return { step: sense.placed({ did: event.name, ...(where ? { where } : {}) }, clause.at), window };
}

function partsOf(sense: Sense, event: EventType, parameters: Clause[]): Parts {
  const parts: Parts = { where: null, measure: null, window: null };
  for (const parameter of parameters) {
    const { at, name, operation, operationAt } = parameter;
    const measure = measureOf(sense, event, parameter);
    if (measure) {
      if (parts.measure) throw new TextError(at, "one of count, sum, distinct, first_at and last_at can be asked");
      parts.measure = measure;
    } else if (name === "date") {
      if (parts.window) throw new TextError(at, "date stands here already; say BETWEEN");
      parts.window = windowOf(operation, operationAt, sense.shop);
    } else if (name === "where") {
      parts.where ??= [];
    } else {
      const where = whereOf(sense, event, parameter);
      if (!("field" in where)) throw new TextError(operationAt, "this cannot be asked inside MATCHES");
      parts.where = [...(parts.where ?? []), sense.placed(where, at)];
    }
  }
  return parts;
}

function measureOf(sense: Sense, event: EventType, { at, name, of, operation, operationAt }: Clause): Json | null {
  if (name === "count") return { count: numberTest(operation, operationAt, numberOf) };
  if ((name === "sum" || name === "distinct") && of) {
    const isMoney = name === "sum" && typeOf(event, of.name) === "money";
    const read = isMoney ? (token: ValueToken) => moneyOf(token, sense.shop) : numberOf;
    return { [name]: sense.placed({ of: of.name, ...numberTest(operation, operationAt, read) }, at) };
  }
  const edge = of?.name.toLowerCase() ?? name;
  if (edge !== "first_at" && edge !== "last_at") return null;
  const { field, ...asked } =
    name === "anniversary"
      ? anniversary(edge, operation, operationAt, sense.shop)
      : condition({ name: edge, type: "date" }, operation, operationAt, sense.shop);
  if (field === undefined) throw new TextError(operationAt, "this cannot be asked inside MATCHES");
  return { [edge === "first_at" ? "firstAt" : "lastAt"]: asked };
}

function whereOf(sense: Sense, event: EventType, { at, written, name, of, operation, operationAt }: Clause): Json {
  const property = name === "anniversary" && of ? of.name : written;
  const lower = property.toLowerCase();
  const known = Object.hasOwn(event.properties, lower) || lower.startsWith("items.") ? lower : property;
  const type = typeOf(event, known);
  if (type === undefined || (of && name !== "anniversary")) {
    throw new TextError(at, `${property} is no property of ${event.name} (see the catalogue)`);
  }
  if (of) return anniversary(known, operation, operationAt, sense.shop);
  const asked = { name: known, type: type ?? openType(operation), future: type === null };
  return condition(asked, operation, operationAt, sense.shop);
}

/** The type of a property; null for data of any shape, undefined for none. */
export function typeOf(event: EventType, name: string): ValueType | null | undefined {
  return findProperty(event, name)?.type;
}
