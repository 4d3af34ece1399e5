/** A segment that the bench asks, as a merchant would write it. */
export interface AskedSegment {
  audience: "contacts" | "visitors" | "both";
  definition: unknown;
}

/** What the bench orders of the Worker that compiles segments. */
export type SegmentOrder =
  /** Answers with the SQL of a count, and its values. */
  | { do: "compile"; asked: AskedSegment; now: number }
  /** Stores a segment, fills it, lets a day pass, and takes it away; answers with `Filled`. */
  | { do: "fill"; asked: AskedSegment; now: number }
  /** Every definition about each of these contacts, as after a change; answers with how many memberships were found. */
  | { do: "subjects"; asked: AskedSegment[]; now: number; contacts: number[] };

/** What a fill took. */
export interface Filled {
  fillMs: number;
  size: number;
  /** People whom time alone may bring in or take out. */
  waiting: number;
  /** Looked at again for that reason within a day, and what it took. */
  swept: number;
  sweepMs: number;
}
