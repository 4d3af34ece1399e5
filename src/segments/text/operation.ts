import type { Length } from "../window";
import type { Token } from "./tokens";

export type ValueToken = Exclude<Token, { kind: "symbol" | "end" }>;

export type Sign = "=" | "!=" | "<" | "<=" | ">" | ">=";

export type Operation =
  | { op: "compare"; sign: Sign; value: ValueToken }
  | { op: "between"; from: ValueToken; to: ValueToken }
  /** `own`: IS SET, which no filter of Shopify's takes. */
  | { op: "null"; is: boolean; own: boolean }
  | { op: "empty"; is: boolean }
  | { op: "text"; what: "contains" | "starts_with" | "ends_with" | "matches"; negative: boolean; value: ValueToken }
  | { op: "in"; negative: boolean; values: ValueToken[] }
  | { op: "has"; which: "any" | "none" | "all"; values: ValueToken[] }
  | { op: "count"; test: Operation }
  | { op: "been"; negative: boolean; one: boolean; values: ValueToken[]; length: Length }
  | { op: "within"; which: "last" | "next"; negative: boolean; length: Length }
  | { op: "month"; value: ValueToken }
  | { op: "matches"; negative: boolean; parameters: Clause[] };

/** One condition as it is written, before anybody asks what its name means. */
export interface Clause {
  at: number;
  /** In lower case. */
  name: string;
  /** As written. */
  written: string;
  /** `anniversary(f)`, `sum(p)`, `distinct(p)`: what is inside. */
  of: { name: string; at: number } | null;
  operation: Operation;
  operationAt: number;
  /** What follows: the other event of a sequence, and the store. */
  followed: { negative: boolean; clause: Clause; within: Length } | null;
  store: string | null;
}

export type Tree = { group: "all" | "any" | "none"; trees: Tree[]; at: number } | { clause: Clause; at: number };

/** The parameters of MATCHES, and of the shorter ways to say it; null for another operation. */
export function matchesOf(operation: Operation): { negative: boolean; parameters: Clause[] } | null {
  if (operation.op === "matches") return operation;
  if (operation.op === "null" && !operation.own) return { negative: operation.is, parameters: [] };
  if (operation.op !== "compare" || operation.value.kind !== "word") return null;
  const { sign, value } = operation;
  if ((sign !== "=" && sign !== "!=") || (value.lower !== "true" && value.lower !== "false")) return null;
  return { negative: (sign === "=") === (value.lower === "false"), parameters: [] };
}
