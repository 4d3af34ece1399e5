import { textsOf } from "./places";
import { valuesOf } from "./values";
import { heldSince } from "./values-of-contacts";
import { type Clause, happenings, isAsked, measured } from "./happenings";
import { type Clock, compares, foldText, inWindow, isHeld, meets } from "./operators";
import { type Json, member, groupName, type Subject, textOf, type World } from "./world";

type Leaf = { [name: string]: Json };

/**
 * Whether somebody is a member, by a definition as a merchant writes it. Written from the rules alone: everything is
 * looked at one by one, and nothing of src/segments is used.
 */
export function evaluate(world: World, node: Json, subject: Subject, clock: Clock): boolean {
  const inside = (name: string) => {
    const nodes = member(node, name);
    return Array.isArray(nodes) ? nodes : null;
  };
  const is = (child: Json) => evaluate(world, child, subject, clock);
  const all = inside("all");
  if (all) return all.every(is);
  const any = inside("any");
  if (any) return any.some(is);
  const none = inside("none");
  if (none) return !none.some(is);
  if (typeof node !== "object" || node === null || Array.isArray(node)) throw new Error("no condition");
  return leafHolds(world, node, subject, clock);
}

/** Who can be a member at all. */
export function subjectsOf(world: World, audience: string): Subject[] {
  const contacts = world.contacts.filter(({ deletedAt }) => deletedAt === null);
  const visitors = world.visitors.filter(({ contact, channel }) => contact === null && channel === "browser");
  return [
    ...(audience === "visitors" ? [] : contacts.map((contact): Subject => ({ kind: "contact", contact }))),
    ...(audience === "contacts" ? [] : visitors.map((visitor): Subject => ({ kind: "visitor", visitor }))),
  ];
}

export const keyOf = (subject: Subject) => (subject.kind === "contact" ? subject.contact.key : subject.visitor.key);

function leafHolds(world: World, leaf: Leaf, subject: Subject, clock: Clock): boolean {
  if ("field" in leaf) return attributeHolds(world, leaf, subject, clock);
  if ("did" in leaf) return eventHolds(world, leaf, subject, clock);
  if ("first" in leaf) return sequenceHolds(world, leaf, subject, clock);
  if ("sample" in leaf) return inSample(world, leaf["sample"], subject);
  return membershipHolds(world, leaf, subject, clock);
}

function attributeHolds(world: World, leaf: Leaf, subject: Subject, clock: Clock): boolean {
  const { field, op, value } = leaf;
  if (typeof field !== "string" || typeof op !== "string") throw new Error("no field");
  if (op === "has_been") return hasBeen(subject, field, value, clock);
  if (op === "has_not_been") return !hasBeen(subject, field, value, clock);
  return meets(valuesOf(world, subject, field, clock.now), op, value, clock, textsOf(field));
}

/** One of these states, and the same one since a moment that is as long ago as asked. */
function hasBeen(subject: Subject, field: string, operand: Json | undefined, clock: Clock): boolean {
  if (subject.kind === "visitor") return false;
  const { contact } = subject;
  const words = [member(operand, "is") ?? null].flat().map((word) => foldText(textOf(word)));
  const isIt = (state: string | null | undefined) => typeof state === "string" && words.includes(foldText(state));
  const channel = /^(.+)_consent$/.exec(field)?.[1];
  if (channel !== undefined) {
    const consent = contact.consents.find((one) => one.channel === channel);
    return (
      consent !== undefined &&
      isIt(consent.state) &&
      isHeld(consent.decidedAt ?? consent.updatedAt, member(operand, "for"), clock)
    );
  }
  const column = field === "lifecycle_stage" ? "stage" : "status";
  const since = heldSince(contact, column);
  return isIt(contact[column]) && since !== null && isHeld(since, member(operand, "for"), clock);
}

function clauses(step: Json | undefined): Clause[] {
  const where = member(step, "where");
  return Array.isArray(where)
    ? where.map((clause) => ({
        field: textOf(member(clause, "field")),
        op: textOf(member(clause, "op")),
        value: member(clause, "value"),
      }))
    : [];
}

function asked(world: World, step: Json | undefined, subject: Subject, clock: Clock) {
  const where = clauses(step);
  return happenings(world, subject, textOf(member(step, "did"))).filter((one) => isAsked(one, where, clock));
}

function eventHolds(world: World, leaf: Leaf, subject: Subject, clock: Clock): boolean {
  const where = clauses(leaf);
  const found = asked(world, leaf, subject, clock).filter(({ at }) => inWindow(at, leaf["window"], clock));
  const times = found.map(({ at }) => at).sort((a, b) => a - b);
  for (const [name, at] of [
    ["firstAt", times.at(0)],
    ["lastAt", times.at(-1)],
  ] as const) {
    const test = leaf[name];
    if (test !== undefined) {
      return meets(at === undefined ? [] : [at], textOf(member(test, "op")), member(test, "value"), clock);
    }
  }
  for (const kind of ["sum", "distinct"] as const) {
    const test = leaf[kind];
    if (typeof test !== "object" || test === null || Array.isArray(test)) continue;
    const { of, ...comparison } = test;
    const values = found.flatMap((one) => measured(one, textOf(of), where, clock, kind === "sum"));
    return compares(
      kind === "sum" ? values.reduce<number>((sum, value) => sum + Number(value), 0) : new Set(values).size,
      comparison,
    );
  }
  return compares(found.length, leaf["count"] ?? { gte: 1 });
}

const LENGTHS: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000 };

function sequenceHolds(world: World, leaf: Leaf, subject: Subject, clock: Clock): boolean {
  const within = Number(member(leaf["within"], "n")) * (LENGTHS[textOf(member(leaf["within"], "unit"))] ?? 0);
  const firsts = asked(world, leaf["first"], subject, clock).filter(({ at }) => inWindow(at, leaf["window"], clock));
  const others = asked(world, leaf["followedBy"] ?? leaf["notFollowedBy"], subject, clock);
  const follows = (at: number) => others.some((other) => other.at > at && other.at <= at + within);
  return "followedBy" in leaf
    ? firsts.some(({ at }) => follows(at))
    : firsts.some(({ at }) => !follows(at) && at + within < clock.now);
}

function membershipHolds(world: World, leaf: Leaf, subject: Subject, clock: Clock): boolean {
  const target = leaf["in"] ?? leaf["notIn"];
  const id = member(target, "segment") ?? member(target, "list");
  const group = world.groups.find((one) => groupName(one) === id);
  const entry = group?.members.find(({ kind, key }) => kind === subject.kind && key === keyOf(subject));
  return "in" in leaf ? entry !== undefined && inWindow(entry.at, leaf["window"], clock) : entry === undefined;
}

/** The published share: three rounds of a hash over the row's key and the seed, in millionths. */
function inSample(world: World, sample: Json | undefined, subject: Subject): boolean {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(textOf(member(sample, "seed") ?? ""))) {
    seed = Math.imul(seed ^ byte, 0x01000193) >>> 0;
  }
  let x = Number((BigInt(world.base + keyOf(subject)) * 2654435761n + BigInt(seed)) & 0xffffffffn);
  for (let round = 0; round < 3; round++) x = Math.imul((x ^ (x >>> 16)) >>> 0, 73244475) >>> 0;
  return x % 1_000_000 < Math.round(Number(member(sample, "percent")) * 10_000);
}
