import { dayNumber, dayOfNumber, dayPlus, inPeriod, localDay, startOfDay, UNIT_MS } from "./calendar";
import { isNear } from "./near";
import { type Json, textOf } from "./world";

/** A value of a field: text, a number, true or false. A moment is epoch ms, or a day or a time written out. */
export type Value = string | number | boolean;

export interface Clock {
  now: number;
  zone: string;
}

/** How two texts are told to be the same, where that is not by their letters. */
export interface Texts {
  /** Of what is asked. */
  fold: (text: string) => string;
  /** Of what is stored, which is taken as it is. */
  stored: (text: string) => string;
  same?: (stored: string, asked: string) => boolean;
}

const single = (text: string) => (Array.from(text).length === 1 ? text : null);
const isAscii = (letter: string) => (letter.codePointAt(0) ?? 0) < 128;

/** Letter by letter to lower case by way of upper case, where each is one letter, and never from outside ASCII into it. */
export function foldText(text: string): string {
  return foldLetters(text.normalize("NFC"));
}

/** The same few texts are compared again and again. */
const folded = new Map<string, string>();

function foldLetters(text: string): string {
  const known = folded.get(text);
  if (known !== undefined) return known;
  const made = foldAnew(text);
  if (folded.size > 50_000) folded.clear();
  folded.set(text, made);
  return made;
}

function foldAnew(text: string): string {
  return Array.from(text)
    .map((letter) => {
      const upper = single(letter.toUpperCase()) ?? letter;
      const lower = single(upper.toLowerCase()) ?? single(letter.toLowerCase()) ?? letter;
      return isAscii(letter) === isAscii(lower) ? lower : letter;
    })
    .join("");
}

export const TEXTS: Texts = { fold: foldText, stored: foldLetters };

const POSITIVE: Record<string, string> = {
  ne: "eq",
  not_in: "in",
  not_contains: "contains",
  not_starts_with: "starts_with",
  not_ends_with: "ends_with",
  not_matches: "matches",
  has_none: "has_any",
  not_set: "is_set",
  is_empty: "not_empty",
  not_on: "on",
  not_in_last: "in_last",
  not_within: "within",
};

/** Whether a field with these values meets a condition. A missing value meets every negative one and no positive one. */
export function meets(values: Value[], op: string, operand: Json | undefined, clock: Clock, texts = TEXTS): boolean {
  const positive = POSITIVE[op];
  if (positive !== undefined) return !meets(values, positive, operand, clock, texts);
  if (op === "count") return compares(new Set(values).size, operand);
  if (op === "has_all") {
    return list(operand).every((word) => values.some((value) => passes(value, "eq", word, clock, texts)));
  }
  return values.some((value) => passes(value, op, operand, clock, texts));
}

function list(operand: Json | undefined): Json[] {
  if (!Array.isArray(operand)) throw new Error("no list");
  return operand;
}

/** `{ "gte": 2 }`, `{ "between": [1, 3] }`. */
export function compares(value: number, test: Json | undefined): boolean {
  const [entry] = Object.entries(typeof test === "object" && test !== null ? test : {});
  if (!entry) throw new Error("no comparison");
  return compare(value, entry[0], entry[1]);
}

function compare(value: number, op: string, operand: Json | undefined): boolean {
  if (op === "between") return value >= Number(list(operand)[0]) && value <= Number(list(operand)[1]);
  const to = Number(operand);
  switch (op) {
    case "eq":
      return value === to;
    case "ne":
      return value !== to;
    case "gt":
      return value > to;
    case "gte":
      return value >= to;
    case "lt":
      return value < to;
    case "lte":
      return value <= to;
    default:
      throw new Error(`no comparison: ${op}`);
  }
}

function passes(value: Value, op: string, operand: Json | undefined, clock: Clock, texts: Texts): boolean {
  if (op === "is_set" || op === "not_empty") return value !== "";
  if (op === "is") return value === operand;
  if (op === "within") return typeof value === "number" && isNear(value, operand);
  if (op === "in" || op === "has_any") {
    return list(operand).some((word) => passes(value, "eq", word, clock, texts));
  }
  const example = Array.isArray(operand) ? operand[0] : operand;
  if (typeof example === "number" && !op.startsWith("anniversary")) {
    return typeof value === "number" && compare(value, op, operand);
  }
  if (/^(eq|contains|starts_with|ends_with|matches)$/.test(op)) {
    return typeof value === "string" && typeof operand === "string" && textPasses(value, op, operand, texts);
  }
  return typeof value !== "boolean" && datePasses(value, op, operand, clock);
}

function textPasses(value: string, op: string, asked: string, { fold, stored, same }: Texts): boolean {
  const [text, word] = [stored(value), fold(asked)];
  switch (op) {
    case "eq":
      return same ? same(value, asked) : text === word;
    case "contains":
      return text.includes(word);
    case "starts_with":
      return text.startsWith(word);
    case "ends_with":
      return text.endsWith(word);
    default:
      return expression(asked, fold).test(text);
  }
}

/** A pattern of the safe subset, without regard to case; only its letters are folded, not its classes. */
function expression(pattern: string, fold: (text: string) => string): RegExp {
  const parts = pattern.match(/\\.|\[[^\]]*\]|\.[*+]?|\^|\$|[^]/gu) ?? [];
  const source = parts.map((part) => {
    if (/^\\[dD]$/.test(part)) return part === "\\d" ? "[0-9]" : "[^0-9]";
    if (/^\\[wW]$/.test(part)) return part === "\\w" ? "[a-z0-9_]" : "[^a-z0-9_]";
    if (part.startsWith("\\")) return escaped(part.slice(1));
    if (part.startsWith("[") || part === "^" || part === "$" || part.startsWith(".")) return fold(part);
    return escaped(fold(part));
  });
  return new RegExp(source.join(""), "su");
}

const escaped = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/gu, "\\$&").replaceAll("\\-", "-");

interface Length {
  n: number;
  unit: string;
}

function length(operand: Json | undefined): Length {
  if (typeof operand === "object" && operand !== null && !Array.isArray(operand)) {
    return { n: Number(operand["n"]), unit: textOf(operand["unit"]) };
  }
  throw new Error("no length");
}

const WRITTEN = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;
const isDay = (text: string) => text.length === 10;

/** @param given an instant; a day; a time written out */
function datePasses(given: number | string, op: string, operand: Json | undefined, clock: Clock): boolean {
  if (typeof given === "string" && !WRITTEN.test(given)) return false;
  const value = typeof given === "string" && !isDay(given) ? Date.parse(given) : given;
  const { now, zone } = clock;
  const today = localDay(now, zone);
  const day = typeof value === "number" ? localDay(value, zone) : value;
  const [first, second] = Array.isArray(operand) ? operand : [operand];
  switch (op) {
    case "on":
      return beside(value, first, zone) === 0;
    case "before":
      return beside(value, first, zone) < 0;
    case "after":
      return beside(value, first, zone) > 0;
    case "on_or_before":
      return beside(value, first, zone) <= 0;
    case "on_or_after":
      return beside(value, first, zone) >= 0;
    case "between":
      return beside(value, first, zone) >= 0 && beside(value, second, zone) <= 0;
    case "in_last":
      return isSince(value, length(operand), clock) && (typeof value === "number" ? value <= now : value <= today);
    case "before_last":
      return !isSince(value, length(operand), clock);
    case "in_next":
      return (typeof value === "number" ? value >= now : value >= today) && isUntil(value, length(operand), clock);
    case "between_ago":
      return isBetweenAgo(value, operand, clock);
    case "anniversary_today":
      return hasAnniversary(day, today, today);
    case "anniversary_in_last":
      return hasAnniversary(day, edge(length(operand), -1, clock), today);
    case "anniversary_in_next":
      return hasAnniversary(day, today, edge(length(operand), 1, clock));
    case "anniversary_month":
      return Number(day.slice(5, 7)) === (operand === undefined ? Number(today.slice(5, 7)) : operand);
    default:
      return inPeriod(op, day, today);
  }
}

/** Below, at or above 0: before, at or after the point, a whole day or an instant. A day without time is its first instant. */
function beside(value: number | string, point: Json | undefined, zone: string): number {
  const to = textOf(point);
  if (isDay(to)) return order(typeof value === "number" ? localDay(value, zone) : value, to);
  return (typeof value === "number" ? value : startOfDay(value, zone)) - Date.parse(to);
}

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const exactMs = ({ n, unit }: Length) => (unit === "minute" || unit === "hour" ? n * (UNIT_MS[unit] ?? 0) : null);

/** The local day so long before (-1) or after (1) now. */
function edge({ n, unit }: Length, sign: 1 | -1, { now, zone }: Clock): string {
  const ms = exactMs({ n, unit });
  return ms === null ? dayPlus(localDay(now, zone), sign * n, unit) : localDay(now + sign * ms, zone);
}

/** Not longer ago: whole days for days and more, exact for hours and minutes. */
function isSince(value: number | string, ago: Length, clock: Clock): boolean {
  const ms = exactMs(ago);
  if (typeof value === "string") return value >= edge(ago, -1, clock);
  return ms === null ? localDay(value, clock.zone) >= edge(ago, -1, clock) : value >= clock.now - ms;
}

/** At least so long ago, where the last of whole days belongs to it. */
function isBy(value: number | string, ago: Length, clock: Clock): boolean {
  const ms = exactMs(ago);
  if (typeof value === "string") return value <= edge(ago, -1, clock);
  return ms === null ? localDay(value, clock.zone) <= edge(ago, -1, clock) : value <= clock.now - ms;
}

function isUntil(value: number | string, ahead: Length, clock: Clock): boolean {
  const ms = exactMs(ahead);
  if (typeof value === "string") return value <= edge(ahead, 1, clock);
  return ms === null ? localDay(value, clock.zone) <= edge(ahead, 1, clock) : value <= clock.now + ms;
}

function isBetweenAgo(value: number | string, operand: Json | undefined, clock: Clock): boolean {
  const given = typeof operand === "object" && operand !== null && !Array.isArray(operand) ? operand : {};
  const start = (ago: Length) => {
    const ms = exactMs(ago);
    return ms === null ? startOfDay(edge(ago, -1, clock), clock.zone) : clock.now - ms;
  };
  const [from, to] = [length(given["from"]), length(given["to"])];
  const [older, newer] = start(from) <= start(to) ? [from, to] : [to, from];
  return isSince(value, older, clock) && isBy(value, newer, clock);
}

/** Whether a day from the first to the last is an anniversary: the 29th of February falls on the 28th where it must. */
function hasAnniversary(day: string, first: string, last: string): boolean {
  const [start, end] = [dayNumber(first), dayNumber(last)];
  if (end - start >= 366) return true;
  for (let number = start; number <= end; number++) {
    const other = dayOfNumber(number);
    if (other.slice(5) === day.slice(5)) return true;
    const isLeap = new Date(Date.UTC(Number(other.slice(0, 4)), 1, 29)).getUTCDate() === 29;
    if (day.endsWith("-02-29") && other.endsWith("-02-28") && !isLeap) return true;
  }
  return false;
}

/** Whether it has been so since a moment, for so long: of whole days, wherever in the first of them it began. */
export function isHeld(since: number, operand: Json | undefined, clock: Clock): boolean {
  return isBy(since, length(operand), clock);
}

/** What the one key of a `window` asks of the moment of an event. */
export function inWindow(at: number, window: Json | undefined, clock: Clock): boolean {
  if (window === undefined) return true;
  const [entry] = Object.entries(typeof window === "object" && window !== null ? window : {});
  if (!entry) throw new Error("no window");
  const [name, operand] = entry;
  if (name === "during") return datePasses(at, textOf(operand), undefined, clock);
  const op = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return datePasses(at, op === "not_in_last" ? "before_last" : op, operand, clock);
}
