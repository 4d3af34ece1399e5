import type { Length, Span } from "./window";

/** What can be asked about a value. A place is the number of its cell (`lib/grid.ts`). */
export type ValueType = "text" | "number" | "money" | "bool" | "date" | "place";

export const COMPARISONS = ["eq", "ne", "gt", "gte", "lt", "lte", "between"] as const;

export type Comparison = (typeof COMPARISONS)[number];

/** A comparison of a number; `between` has both ends, included. */
export type NumberTest =
  | { compare: Exclude<Comparison, "between">; to: number }
  | { compare: "between"; from: number; to: number };

/** The positive part of a condition: false for a missing value. */
export type Test =
  | { kind: "present" }
  | { kind: "text"; match: "is" | "contains" | "starts" | "ends" | "glob" | "prefix"; words: string[] }
  | { kind: "number"; test: NumberTest }
  | { kind: "oneOf"; numbers: number[] }
  | { kind: "bool"; is: boolean }
  | { kind: "time"; span: Span }
  | { kind: "anniversary"; of: { in: "next" | "last"; length: Length } | { month: number | null } }
  /** Has been this for so long. */
  | { kind: "held"; words: string[]; length: Length }
  /** Of a field with many values: all of these; so many. */
  | { kind: "all"; words: string[] }
  | { kind: "size"; test: NumberTest };

/** A condition is its test, or everybody for whom the test is false, those without a value included. */
export interface Condition {
  test: Test;
  negative: boolean;
}

export function holds(test: NumberTest, value: number): boolean {
  switch (test.compare) {
    case "eq":
      return value === test.to;
    case "ne":
      return value !== test.to;
    case "gt":
      return value > test.to;
    case "gte":
      return value >= test.to;
    case "lt":
      return value < test.to;
    case "lte":
      return value <= test.to;
    case "between":
      return value >= test.from && value <= test.to;
    default:
      return test satisfies never;
  }
}
