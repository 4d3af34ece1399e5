import type { FieldType } from "./schemas";

/** What decides whether a value fits. */
export interface FieldRule {
  type: FieldType;
  options: string[];
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** Why a value does not fit its field, as the end of a sentence about it; null when it does. */
export function valueProblem(rule: FieldRule, value: unknown): string | null {
  switch (rule.type) {
    case "text":
      return typeof value === "string" ? null : "is not text";
    case "number":
      return typeof value === "number" && Number.isFinite(value) ? null : "is not a number";
    case "boolean":
      return typeof value === "boolean" ? null : "is not true or false";
    case "date":
      return typeof value === "string" && isDate(value) ? null : "is not a date (2026-11-30, or with time and offset)";
    case "radio":
      return typeof value === "string" && rule.options.includes(value) ? null : `is not one of ${list(rule.options)}`;
    case "multiselect":
      return isChoice(value, rule.options) ? null : `is not a list of ${list(rule.options)}, each at most once`;
    default:
      return rule.type satisfies never;
  }
}

/** A day of the calendar: the 30th of February is none, though `Date` would take it for March. */
function isDate(text: string): boolean {
  const [, year, month, day] = (DATE.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined || Number.isNaN(Date.parse(text))) return false;
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function isChoice(value: unknown, options: string[]): boolean {
  return (
    Array.isArray(value) && new Set(value).size === value.length && value.every((choice) => options.includes(choice))
  );
}

function list(options: string[]): string {
  return options.length > 10 ? `${options.slice(0, 10).join(", ")}, ...` : options.join(", ");
}
