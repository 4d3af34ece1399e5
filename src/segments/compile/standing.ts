import type { MembershipLeaf, SampleLeaf } from "../tree";
import { belongs } from "./attribute";
import { boundsOf } from "./bounds";
import type { Frame } from "./frame";
import { happened } from "./predicate";

/** SQL of being in a segment or on a list, as it is stored; nobody is in one that is gone. */
export function membershipCondition(frame: Frame, { of, id, is, window }: MembershipLeaf): string {
  const { kind, one, parameters, shop } = frame;
  const since = of === "segment" ? "m.entered_at" : "m.added_at";
  const where = [
    `m.${of} = (select t.key from ${of}s t where t.shop = ${shop} and t.id = ${parameters.one(id)}
      and t.deleted_at is null)`,
    `m.kind = '${kind}'`,
    ...(one === null ? [] : [`m.subject = ${one}`]),
    ...happened(frame, since, window && boundsOf(window, frame.zone)),
  ];
  return belongs(`select m.subject from ${of}_members m where ${where.join(" and ")}`, !is);
}

const BITS = 0xffffffff;
const STEPS = 1_000_000;

/** Mixes the bits of a number of 32 bits. SQL has no exclusive or, and its products must stay below 2^63. */
const round = (x: string) => `select (((x | (x >> 16)) - (x & (x >> 16))) * 73244475) & ${BITS} as x from (${x})`;

/**
 * SQL of a stable share of the subjects: the key, mixed with the seed until neighbours have nothing in common, falls
 * into the first so many parts of a million.
 */
export function sampleCondition({ parameters }: Frame, { percent, seed }: SampleLeaf): string {
  const start = `select (s.key * 2654435761 + ${parameters.one(seed)}) & ${BITS} as x`;
  const mixed = round(round(round(start)));
  return `((select x from (${mixed})) % ${STEPS} < ${parameters.one(Math.round((percent / 100) * STEPS))})`;
}
