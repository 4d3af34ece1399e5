import type { Happening, SequenceLeaf } from "../tree";
import { type Range, rangeOf } from "../window";
import { belongs } from "./attribute";
import type { Frame } from "./frame";
import { occurrences } from "./happenings";

/**
 * SQL of a sequence: somebody did the first and then, later by at least a millisecond and at most the given time, the
 * other; or did not, once that time is over. Both events are put in one row of time for each subject, so that everyone
 * costs one pass.
 */
export function sequenceCondition(frame: Frame, { first, next, happens, withinMs, window }: SequenceLeaf): string {
  const { parameters } = frame;
  const range = window && rangeOf(window, frame.now, frame.zone);
  const after: Range | null = range && {
    ...range,
    from: range.from,
    to: range.to === null ? null : range.to + withinMs,
  };
  const within = parameters.one(withinMs);
  const rows = `select a.subject, a.at, 1 as is_first, null as then_at from (${moments(frame, first, range)}) a
    union all select b.subject, b.at, 0, b.at from (${moments(frame, next, after)}) b`;
  const following = `select z.subject, z.at, z.is_first, min(z.then_at) over (partition by z.subject order by z.at desc
    groups between unbounded preceding and 1 preceding) as next_at from (${rows}) z`;
  const outcome = happens
    ? `q.next_at <= q.at + ${within}`
    : `(q.next_at is null or q.next_at > q.at + ${within}) and q.at + ${within} < ${parameters.one(frame.now)}`;
  return belongs(`select q.subject from (${following}) q where q.is_first and ${outcome}`, false);
}

function moments(frame: Frame, happening: Happening, window: Range | null): string {
  return occurrences(frame, happening, window, null)
    .map(
      ({ rows, at }) =>
        `select ${rows.key} as subject, ${at} as at from ${rows.from} where ${rows.where.join(" and ")}`,
    )
    .join(" union all ");
}
