import { type Range, rangeOf, type Span } from "../window";
import type { Later } from "./parameters";

/**
 * The ends of a stretch of time, both included, as values of a query: instants, and days for values that are days
 * without a time. Null is no bound.
 */
export type Bounds = Record<keyof Range, Later | null>;

/** What a span comes to whenever the query is asked. */
export function boundsOf(span: Span, zone: string): Bounds {
  let last: { now: number; range: Range } | undefined;
  const at = (now: number): Range => {
    if (last?.now !== now) last = { now, range: rangeOf(span, now, zone) };
    return last.range;
  };
  const name = `${zone} ${JSON.stringify(span)}`;
  const end = (side: keyof Range): Later => ({ name: `${side} ${name}`, of: ({ now }) => at(now)[side] });
  const isOpen = (side: "from" | "to") =>
    span.kind === "fixed" ? span[side] === null : side === "from" && span.kind === "before";
  return {
    from: isOpen("from") ? null : end("from"),
    to: isOpen("to") ? null : end("to"),
    fromDay: isOpen("from") ? null : end("fromDay"),
    toDay: isOpen("to") ? null : end("toDay"),
  };
}

/** Now, and a number of ms beside it. */
export function fromNow(ms = 0): Later {
  return { name: `now ${ms}`, of: ({ now }) => now + ms };
}

/** A number of ms after another value; null while that is none. */
export function after({ name, of }: Later, ms: number): Later {
  return {
    name: `${ms} after ${name}`,
    of: (asked) => {
      const at = of(asked);
      return typeof at === "number" ? at + ms : null;
    },
  };
}
