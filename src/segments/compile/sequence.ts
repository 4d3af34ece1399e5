import type { Happening, SequenceLeaf } from "../tree";
import { belongs } from "./attribute";
import { after, type Bounds, boundsOf, fromNow } from "./bounds";
import { type Frame, keysOf, type Relation } from "./frame";
import { occurrences } from "./happenings";

/**
 * SQL of a sequence: somebody did the first and then, later by at least a millisecond and at most the given time, the
 * other; or did not, once that time is over. Both events are put in one row of time for each subject, so that everyone
 * costs one pass: forward, where each of the others remembers the latest first one before it, or backward.
 */
export function sequenceCondition(frame: Frame, { first, next, happens, withinMs, window }: SequenceLeaf): string {
  const { parameters } = frame;
  const range = window && boundsOf(window, frame.zone);
  const later: Bounds | null = range && { ...range, to: range.to && after(range.to, withinMs) };
  const within = parameters.one(withinMs);
  const [firsts, nexts] = [moments(frame, first, range), moments(frame, next, later)];
  const [some, others] =
    frame.one !== null
      ? [firsts, nexts]
      : happens && isCommon(first) && !isCommon(next)
        ? [ofThose(firsts, nexts), nexts]
        : isCommon(next) && !isCommon(first)
          ? [firsts, ofThose(nexts, firsts)]
          : [firsts, nexts];
  const seen = happens ? "max(iif(z.is_first, z.at, null))" : "min(iif(z.is_first, null, z.at))";
  // At the same moment nothing has followed yet, whichever way the rows are walked.
  const order = happens ? "z.at, z.is_first" : "z.at desc, z.is_first desc";
  const rows = `select a.subject, a.at, 1 as is_first from (${union(some)}) a
    union all select b.subject, b.at, 0 from (${union(others)}) b`;
  const walked = `select z.subject, z.at, z.is_first, ${seen} over (partition by z.subject order by ${order}
    rows unbounded preceding) as seen_at from (${rows}) z`;
  const outcome = happens
    ? `not q.is_first and q.seen_at >= q.at - ${within}`
    : `q.is_first and (q.seen_at is null or q.seen_at > q.at + ${within}) and q.at + ${within} < ${parameters.one(fromNow())}`;
  const end = frame.one === null ? " group by q.subject" : "";
  return belongs(`select q.subject from (${walked}) q where ${outcome}${end}`, false);
}

/** What most visits have: not worth sorting for people who lack the rarer event beside it. */
const COMMON = new Set(["page_viewed", "product_viewed", "collection_viewed"]);

function isCommon({ event, where }: Happening): boolean {
  return COMMON.has(event.name) && where.length === 0;
}

interface Moments {
  rows: Relation;
  at: string;
}

function union(parts: Moments[]): string {
  return parts
    .map(
      ({ rows, at }) =>
        `select ${rows.key} as subject, ${at} as at from ${rows.from} where ${rows.where.join(" and ")}`,
    )
    .join(" union all ");
}

function moments(frame: Frame, happening: Happening, window: Bounds | null): Moments[] {
  return occurrences(frame, happening, window, null);
}

/** The moments of subjects who have others as well; the plus keeps SQLite from trying all of these for every row. */
function ofThose(parts: Moments[], others: Moments[]): Moments[] {
  const subjects = others.map(({ rows }) => keysOf(rows)).join(" union all ");
  return parts.map(({ rows, at }) => ({
    rows: { ...rows, where: [...rows.where, `+${rows.key} in (${subjects})`] },
    at,
  }));
}
