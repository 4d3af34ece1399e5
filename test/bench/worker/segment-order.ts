/** A segment that the bench asks, as a merchant would write it. */
export interface AskedSegment {
  audience: "contacts" | "visitors" | "both";
  definition: unknown;
}

/** What the bench orders of the Worker that compiles segments. */
export type SegmentOrder =
  /** Answers with the SQL of a count, and its values. */
  | { do: "compile"; asked: AskedSegment; now: number }
  /** Every definition about each of these contacts, one batch a contact; answers with how many memberships were found. */
  | { do: "subjects"; asked: AskedSegment[]; now: number; contacts: number[] };
