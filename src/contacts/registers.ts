/** When a source said something: its own `updated_at`, then when the delivery was triggered, for ties within a second. */
export interface Version {
  updatedAt: number;
  triggeredAt: number;
  /** Set where it was asked for, not told: a reading that says what is known is no news, and nothing is written. */
  isReading?: boolean;
}

/** Facts of a contact that a source may tell. */
export const SOURCE_FIELDS = [
  "email",
  "phone",
  "addressPhone",
  "firstName",
  "lastName",
  "company",
  "line1",
  "line2",
  "city",
  "province",
  "country",
  "zip",
  "accountState",
  "taxExempt",
  "createdAt",
  "updatedAt",
  "ordersCount",
  "totalSpent",
  "tags",
] as const;

export type SourceField = (typeof SOURCE_FIELDS)[number];
export type SourceValue = string | number | null;

/** Figures, which are true as of the moment when they were told, not of the record's last change. */
const FIGURES: SourceField[] = ["ordersCount", "totalSpent"];

/** An absent field was not told and changes nothing; null was told to be empty. */
export type SourceValues = Partial<Record<SourceField, SourceValue>>;

/** `customer` is the source's own record of the person; `order` is what an order or checkout mentions on the side. */
export type Trust = "order" | "customer";

/** Value, updatedAt, triggeredAt, rank of the trust. */
type Register = [SourceValue, number, number, number];

/** What the source last said, field by field. */
export type Registers = Partial<Record<SourceField, Register>>;

const RANK: Record<Trust, number> = { order: 0, customer: 1 };

/**
 * Merges what a body says into what is known, each field by itself: the better trust wins, then the newer version, then
 * (for a tie in everything) the greater value. So any order of the same bodies, with any of them repeated, ends in the
 * same registers.
 *
 * @param orderedAt when an order last changed the figures, as far as is known
 */
export function mergeValues(
  known: Registers,
  values: SourceValues,
  version: Version,
  trust: Trust,
  orderedAt = 0,
): { registers: Registers; changed: SourceField[] } {
  const told: Registers = {};
  for (const field of SOURCE_FIELDS) {
    const value = values[field];
    const isFigure = FIGURES.includes(field);
    const at = isFigure ? version.triggeredAt : version.updatedAt;
    const before = version.isReading ? known[field] : undefined;
    const isKnown = before?.[0] === value && before?.[3] === RANK[trust];
    // A figure that is still the same after an order has to be known as of after it, or the order would be added.
    if (isKnown && (isFigure ? before[1] >= orderedAt : before[1] === at)) continue;
    if (value !== undefined) told[field] = [value, at, version.triggeredAt, RANK[trust]];
  }
  return mergeRegisters(known, told);
}

/** The later of two sets of registers, field by field; `changed` names the fields that `told` has won. */
export function mergeRegisters(known: Registers, told: Registers): { registers: Registers; changed: SourceField[] } {
  const registers: Registers = { ...known };
  const changed: SourceField[] = [];
  for (const field of SOURCE_FIELDS) {
    const next = told[field];
    if (next === undefined) continue;
    const before = known[field];
    if (before !== undefined && !isLater(next, before)) continue;
    registers[field] = next;
    changed.push(field);
  }
  return { registers, changed };
}

/** Registers of a record that was merged away: they fill gaps and overrule nothing. */
export function demoted(registers: Registers): Registers {
  const lower: Registers = {};
  for (const field of SOURCE_FIELDS) {
    const register = registers[field];
    if (register !== undefined) lower[field] = [register[0], register[1], register[2], RANK.order];
  }
  return lower;
}

function isLater(next: Register, before: Register): boolean {
  for (const part of [3, 1, 2] as const) {
    if (next[part] !== before[part]) return next[part] > before[part];
  }
  return String(next[0] ?? "") > String(before[0] ?? "");
}
