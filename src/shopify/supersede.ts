import type { Change } from "./map";

interface Version {
  updatedAt: number;
  triggeredAt: number;
}

/** The record that a change replaces as a whole, and when; null for changes that each stand for themselves. */
export function recordOf(change: Change): { name: string; version: Version } | null {
  if (change.kind === "product") {
    return { name: `product ${change.product.externalId}`, version: change.product.version };
  }
  if (change.kind === "contact" && change.contact.customerId !== null) {
    return { name: `customer ${change.contact.customerId}`, version: change.contact.version };
  }
  return null;
}

/**
 * True when applying `older` besides `newer`, in either order, ends where `newer` alone does: the same record, told
 * earlier, and nothing in it that `newer` does not tell again. What identifies somebody must be the same, since former
 * addresses go on leading to the contact; consents are decisions of their own and are never passed over.
 */
export function supersedes(newer: Change, older: Change): boolean {
  const [a, b] = [recordOf(newer), recordOf(older)];
  if (a === null || a.name !== b?.name || !isBefore(b.version, a.version)) return false;
  if (newer.kind === "product" && older.kind === "product") return tellsAgain(newer.product, older.product);
  if (newer.kind !== "contact" || older.kind !== "contact") return false;
  const [next, last] = [newer.contact, older.contact];
  return (
    next.trust === last.trust &&
    next.revives === last.revives &&
    next.values.email === last.values.email &&
    next.values.phone === last.values.phone &&
    last.consents.length === 0 &&
    (last.tags === null || next.tags !== null) &&
    tellsAgain(next.values, last.values)
  );
}

/** Figures go by the time of the trigger, other fields by that of the update: both must say so. */
function isBefore(a: Version, b: Version): boolean {
  return (
    a.updatedAt <= b.updatedAt &&
    a.triggeredAt <= b.triggeredAt &&
    (a.updatedAt < b.updatedAt || a.triggeredAt < b.triggeredAt)
  );
}

function tellsAgain(newer: object, older: object): boolean {
  const told = new Set(Object.entries(newer).flatMap(([name, value]) => (value === undefined ? [] : [name])));
  return Object.entries(older).every(([name, value]) => value === undefined || told.has(name));
}
