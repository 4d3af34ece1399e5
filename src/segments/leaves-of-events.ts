import type { NumberTest, ValueType } from "./condition";
import { type LineFact, LINE_FACTS } from "./compile/lines";
import { type EventType, eventType } from "./event-catalogue";
import { readCondition, readLength, readNumberTest } from "./read-condition";
import { isObject, only, ownStore, readAsked, type Reading, readSpan, tell } from "./reading";
import type { EventLeaf, Happening, Measure, PropertyRef, SequenceLeaf, Where } from "./tree";

const MEASURES = ["count", "sum", "distinct", "firstAt", "lastAt"] as const;

/** Reads a condition on an event; null after telling what is wrong with it. */
export function readEvent(reading: Reading, leaf: Record<string, unknown>, pointer: string): EventLeaf | null {
  const names = ["did", "window", "where", "store", ...MEASURES];
  const isWhole = only(reading, leaf, pointer, names) && ownStore(reading, leaf, pointer);
  const happening = readHappening(reading, leaf, pointer);
  const window = readSpan(reading, leaf["window"], `${pointer}/window`);
  if (!happening) return null;
  const given = MEASURES.filter((name) => leaf[name] !== undefined);
  if (given.length > 1) reading.problem(`${pointer}/${given[1]}`, `cannot be asked together with ${given[0]}`);
  const measure = readMeasure(reading, happening.event, leaf, pointer);
  if (!measure || window === undefined || !isWhole) return null;
  return { kind: "event", pointer, ...happening, measure, window };
}

function readHappening(reading: Reading, leaf: Record<string, unknown>, pointer: string): Happening | null {
  const event = typeof leaf["did"] === "string" ? eventType(leaf["did"]) : undefined;
  if (!event) {
    reading.problem(`${pointer}/did`, "is no event that is known here (see the catalogue)");
    return null;
  }
  const { where = [] } = leaf;
  if (!Array.isArray(where)) {
    reading.problem(`${pointer}/where`, "is not a list");
    return null;
  }
  if (where.length > MOST_WHERE) reading.problem(`${pointer}/where`, `has more than ${MOST_WHERE} conditions`);
  const clauses = where.flatMap((clause, i) => readWhere(reading, event, clause, `${pointer}/where/${i}`) ?? []);
  return clauses.length === where.length ? { event, where: clauses } : null;
}

/** Most conditions on one event. */
const MOST_WHERE = 10;

function readWhere(reading: Reading, event: EventType, clause: unknown, pointer: string): Where | null {
  if (!isObject(clause)) {
    reading.problem(pointer, "is no condition");
    return null;
  }
  const isWhole = only(reading, clause, pointer, ["field", "op", "value"]);
  const found = findProperty(event, clause["field"]);
  if (!found) {
    reading.problem(`${pointer}/field`, `is no property of ${event.name}`);
    return null;
  }
  const asked = found.type === null ? { type: openType(clause) } : { type: found.type, many: found.many };
  const condition = readAsked(reading, asked, clause, pointer);
  return condition && isWhole ? { property: found.ref, condition } : null;
}

interface Found {
  ref: PropertyRef;
  /** Null for a path in data of any shape. */
  type: ValueType | null;
  many: boolean;
}

/** What a name is of an event: its own property, a fact of its lines, or a path in its data; undefined for nothing. */
export function findProperty(event: EventType, name: unknown): Found | undefined {
  if (typeof name !== "string") return undefined;
  const own = Object.hasOwn(event.properties, name) ? event.properties[name] : undefined;
  if (own) return { ref: { of: "own", name }, type: own.type, many: own.many === true };
  const fact = Object.keys(LINE_FACTS).find((known): known is LineFact => name === `items.${known}`);
  if (fact !== undefined && event.lines) {
    return { ref: { of: "line", fact }, type: LINE_FACTS[fact].type, many: LINE_FACTS[fact].many };
  }
  const path = /^data\.((?:[\w$-]{1,64}\.){0,7}[\w$-]{1,64})$/.exec(name)?.[1];
  return path !== undefined && event.open ? { ref: { of: "data", path }, type: null, many: false } : undefined;
}

/** Data of any shape is asked as what the condition is about: a number, true or false, a date, or else text. */
function openType({ op, value }: Record<string, unknown>): ValueType {
  const example: unknown = Array.isArray(value) ? value[0] : value;
  const isOf = (type: ValueType) => typeof op === "string" && readsAs(type, op);
  if (typeof example === "number" && (isOf("number") || !isOf("date"))) return "number";
  if (typeof example === "boolean") return "bool";
  return !isOf("text") && isOf("date") ? "date" : "text";
}

function readsAs(type: ValueType, op: string): boolean {
  const outcome = readCondition({ type }, op, undefined);
  return !("problems" in outcome) || outcome.problems.every(({ path }) => path[0] !== "op");
}

function readMeasure(
  reading: Reading,
  event: EventType,
  leaf: Record<string, unknown>,
  pointer: string,
): Measure | null {
  if (leaf["count"] !== undefined) {
    const test = readNumber(reading, leaf["count"], `${pointer}/count`);
    return test && { kind: "count", test };
  }
  for (const kind of ["sum", "distinct"] as const) {
    const value = leaf[kind];
    if (value === undefined) continue;
    if (!isObject(value)) {
      reading.problem(`${pointer}/${kind}`, "needs what it is of, and a comparison");
      return null;
    }
    const { of, ...comparison } = value;
    const found = findProperty(event, of);
    const fits = found && !found.many && (kind === "distinct" || found.type === null || isNumeric(found.type));
    if (!fits) {
      reading.problem(`${pointer}/${kind}/of`, `is nothing of ${event.name} that a ${kind} can be of`);
      return null;
    }
    const test = readNumber(reading, comparison, `${pointer}/${kind}`);
    return test && { kind, of: found.ref, test };
  }
  for (const kind of ["firstAt", "lastAt"] as const) {
    const value = leaf[kind];
    if (value === undefined) continue;
    if (!isObject(value)) {
      reading.problem(`${pointer}/${kind}`, "needs an operator of dates");
      return null;
    }
    if (!only(reading, value, `${pointer}/${kind}`, ["op", "value"])) return null;
    const condition = readAsked(reading, { type: "date" }, value, `${pointer}/${kind}`);
    return condition && { kind, ...condition };
  }
  return { kind: "count", test: { compare: "gte", to: 1 } };
}

function isNumeric(type: ValueType): boolean {
  return type === "number" || type === "money";
}

function readNumber(reading: Reading, value: unknown, pointer: string): NumberTest | null {
  const parsed = readNumberTest(value);
  if (parsed.success) return parsed.data;
  return tell(
    reading,
    pointer,
    parsed.error.issues.map(({ path, message }) => ({ path: path.map(String), detail: message })),
  );
}

const LENGTH_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000 } as const;

/** Reads an event that is followed by another one, or not. */
export function readSequence(reading: Reading, leaf: Record<string, unknown>, pointer: string): SequenceLeaf | null {
  const isWhole =
    only(reading, leaf, pointer, ["first", "followedBy", "notFollowedBy", "within", "window", "store"]) &&
    ownStore(reading, leaf, pointer);
  const happens = "followedBy" in leaf;
  if (happens === "notFollowedBy" in leaf) {
    reading.problem(pointer, "needs either followedBy or notFollowedBy");
    return null;
  }
  const first = readStep(reading, leaf["first"], `${pointer}/first`);
  const next = readStep(
    reading,
    happens ? leaf["followedBy"] : leaf["notFollowedBy"],
    `${pointer}/${happens ? "followedBy" : "notFollowedBy"}`,
  );
  const window = readSpan(reading, leaf["window"], `${pointer}/window`);
  const length = readLength(leaf["within"]);
  const unit = length.success ? length.data.unit : null;
  if (!length.success || unit === null || unit === "month" || unit === "year") {
    reading.problem(`${pointer}/within`, "is not a number of minutes, hours, days or weeks");
    return null;
  }
  if (!first || !next || window === undefined || !isWhole) return null;
  return { kind: "sequence", pointer, first, next, happens, withinMs: length.data.n * LENGTH_MS[unit], window };
}

function readStep(reading: Reading, value: unknown, pointer: string): Happening | null {
  if (!isObject(value)) {
    reading.problem(pointer, "is no event");
    return null;
  }
  return only(reading, value, pointer, ["did", "where"]) ? readHappening(reading, value, pointer) : null;
}
