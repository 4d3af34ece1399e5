import type { Person } from "./state";

/** Identities that one browser may give in a day; more is guessing, or a shop's own till. */
export const IDENTITIES_A_DAY = 5;

export type PersonaChoice =
  /** The person who sits there, or one who sat there before; with the hashes this adds. */
  | { kind: "known"; n: number; adds: string[] }
  /** Somebody new from this event on. */
  | { kind: "new"; hashes: string[] }
  /** Over the day's limit: the event is kept, the identification is not followed. */
  | { kind: "limit" }
  /** A link token only names a browser that nobody has used under another name. */
  | { kind: "ignored" };

/** What decides who somebody is, when several things are told at once; families and shops share phone numbers. */
const STRONGEST_FIRST = ["contact", "customer", "email", "phone"];

const kindOf = (hash: string) => hash.slice(0, hash.indexOf(":"));

/**
 * Which person an identification speaks of. One who gave the same deciding value before is that person again.
 * Otherwise it is the current person, unless that one gave a different value of a kind that is told now: then
 * somebody else sits there.
 *
 * @param hashes `kind:keyed hash`, at least one; kind `contact` stands for a signed link token
 * @param givenToday identities that this browser already gave today
 */
export function choosePersona(persons: Person[], current: number, hashes: string[], givenToday: number): PersonaChoice {
  const now = persons.find((p) => p.n === current);
  const deciding = STRONGEST_FIRST.flatMap((kind) => hashes.filter((h) => kindOf(h) === kind))[0] ?? "";
  const known = now?.hashes.includes(deciding) ? now : persons.find((p) => p.hashes.includes(deciding));
  if (known) {
    const adds = hashes.filter((h) => !known.hashes.includes(h) && !has(known, kindOf(h)));
    return { kind: "known", n: known.n, adds };
  }
  if (now && now.hashes.length > 0 && kindOf(deciding) === "contact") return { kind: "ignored" };
  if (givenToday >= IDENTITIES_A_DAY) return { kind: "limit" };
  const adds = hashes.filter((h) => !now?.hashes.includes(h));
  if (now && !adds.some((h) => has(now, kindOf(h)))) return { kind: "known", n: now.n, adds };
  return { kind: "new", hashes };
}

function has(person: Person, kind: string): boolean {
  return person.hashes.some((h) => kindOf(h) === kind);
}
