import {
  demoted,
  mergeRegisters,
  mergeValues,
  type Registers,
  type SourceField,
  type SourceValues,
  type Trust,
  type Version,
} from "./registers";
import type { ConsentDecision } from "./source-consents";

/** A person as a source describes them, in normalised values. */
export interface ContactSource {
  /** The source's own id of the customer; null for guests. */
  customerId: string | null;
  values: SourceValues;
  trust: Trust;
  version: Version;
  consents: ConsentDecision[];
  /** All tags, where the body has them. */
  tags: string[] | null;
  /** The person did something new, so they come back from the trash. */
  revives: boolean;
}

/** A stored contact, as far as a source can change it. */
export interface ContactRow {
  key: number;
  id: string;
  email: string | null;
  phone: string | null;
  phoneSource: "customer" | "address" | "api" | "claim" | null;
  firstName: string | null;
  lastName: string | null;
  company: string | null;
  line1: string | null;
  line2: string | null;
  city: string | null;
  province: string | null;
  country: string | null;
  zip: string | null;
  accountState: string | null;
  taxExempt: number | null;
  customerId: string | null;
  createdAt: number | null;
  updatedAt: number | null;
  /** JSON of `Registers`. */
  registers: string;
  revision: number;
  verified: number;
  deletedAt: number | null;
  /** When an order last changed its figures; absent where that decides nothing. */
  orderedAt?: number;
}

type Named = { kind: "email" | "phone" | "shopify_customer"; value: string };

/** Who holds the values that a source names. */
interface Holders {
  customer: ContactRow | null;
  email: (ContactRow & { evidence: "verified" | "claimed" }) | null;
  phone: (ContactRow & { evidence: "verified" | "claimed" }) | null;
}

export interface Decision {
  /** Null: a new contact. */
  target: ContactRow | null;
  /** Contacts that turn out to be the same person. */
  merge: ContactRow[];
  /** Values that move away from another customer of the source, whose record is older. */
  loses: (Named & { from: ContactRow; column: "email" | "phone" })[];
  /** Column and value. */
  columns: Map<string, string | number | null>;
  registers: Registers;
  changed: SourceField[];
  drops: Named[];
  holds: (Named & { free: boolean })[];
  /** Whether there is a phone number now; null when that did not change. */
  hasPhone: boolean | null;
}

const COLUMN_OF = {
  email: "email",
  firstName: "first_name",
  lastName: "last_name",
  company: "company",
  line1: "line1",
  line2: "line2",
  city: "city",
  province: "province",
  country: "country",
  zip: "zip",
  accountState: "account_state",
  taxExempt: "tax_exempt",
  createdAt: "shopify_created_at",
  updatedAt: "shopify_updated_at",
} as const;

/**
 * Which contact a source speaks of and what becomes of it.
 *
 * - The customer id decides, then the e-mail address, then the phone number; an address that belongs to another
 *   customer of the source is no sign of this one.
 * - A contact without a customer id that holds this customer's address is the same person: the older one survives.
 * - Between two customers of the source the newer record has the address: they are unique there.
 * - Addresses that the person had before go on leading here, until another customer has them; one that the source
 *   emptied does not.
 * - The source's own record overrules what is stored; what an order mentions only fills gaps. Null clears a value only
 *   where the source had set it.
 */
export function decideContact(source: ContactSource, holders: Holders): Decision {
  const values: SourceValues = { ...source.values };
  const email = typeof values.email === "string" ? values.email : null;
  const phone = typeof values.phone === "string" ? values.phone : null;
  const isOther = (row: ContactRow) =>
    source.customerId !== null && row.customerId !== null && row.customerId !== source.customerId;
  const samePhone = (row: ContactRow) => !isOther(row) && (row.email === null || email === null || row.email === email);

  let target = holders.customer;
  if (!target && holders.email && !isOther(holders.email)) target = holders.email;
  if (!target && holders.phone && samePhone(holders.phone)) target = holders.phone;
  // A record that was merged away in the source still speaks now and then: it fills gaps only.
  const isMergedAway = target !== null && isOther(target);
  const trust = isMergedAway ? "order" : source.trust;
  const isCustomer = source.customerId !== null && !isMergedAway;

  const merge: ContactRow[] = [];
  const loses: Decision["loses"] = [];
  const free = { email: holders.email === null, phone: holders.phone === null };
  const mine = { email: holders.email?.key === target?.key, phone: holders.phone?.key === target?.key };
  if (holders.email && !mine.email && email !== null) {
    if (isCustomer && !isOther(holders.email)) merge.push(holders.email);
    else if (isCustomer && trust === "customer" && isNewer(source, holders.email, "email")) {
      loses.push({ kind: "email", value: email, from: holders.email, column: "email" });
      free.email = true;
    } else delete values.email;
  }
  if (holders.phone && !mine.phone && phone !== null && !merge.some((row) => row.key === holders.phone?.key)) {
    if (isCustomer && target !== null && holders.phone.customerId === null && samePhone(holders.phone))
      merge.push(holders.phone);
    else if (isCustomer && trust === "customer" && isOther(holders.phone) && isNewer(source, holders.phone, "phone")) {
      loses.push({ kind: "phone", value: phone, from: holders.phone, column: "phone" });
      free.phone = true;
    }
  }
  const same = [target, ...merge].filter((row) => row !== null).sort((a, b) => a.key - b.key);
  const survivor = same[0] ?? null;
  let known: Registers = survivor ? readRegisters(survivor) : {};
  for (const row of same.slice(1)) {
    const theirs = readRegisters(row);
    known = mergeRegisters(known, row.key === holders.customer?.key ? theirs : demoted(theirs)).registers;
  }
  const orderedAt = Math.max(0, ...same.map((row) => row.orderedAt ?? 0));
  const { registers, changed } = mergeValues(known, values, source.version, trust, orderedAt);
  const columns = new Map<string, string | number | null>();
  const drops: Named[] = [];
  const holds: Decision["holds"] = [];

  for (const [field, column] of Object.entries(COLUMN_OF) as [keyof typeof COLUMN_OF, string][]) {
    const value = registers[field]?.[0];
    const touched = changed.includes(field) || (merge.length > 0 && registers[field]?.[3] === 1);
    if (value === undefined || !touched) continue;
    const stored = survivor?.[field] ?? null;
    const isOurs = stored === null || stored === (known[field]?.[0] ?? null);
    if (value === stored || ((value === null || trust === "order") && !isOurs)) continue;
    columns.set(column, value);
    if (field === "email" && value === null && stored !== null) drops.push({ kind: "email", value: String(stored) });
  }

  let hasPhone: boolean | null = null;
  if (changed.includes("phone") || changed.includes("addressPhone") || merge.length > 0) {
    const own = registers.phone?.[0] ?? null;
    const fallback = registers.addressPhone?.[0] ?? null;
    const stored = survivor?.phone ?? null;
    const isOurs = stored === null || survivor?.phoneSource === "customer" || survivor?.phoneSource === "address";
    const next = isOurs || (own !== null && trust === "customer") ? (own ?? fallback) : stored;
    if (next !== stored || (next !== null && isOurs)) {
      columns.set("phone", next);
      columns.set("phone_source", next === null ? null : next === own ? "customer" : "address");
      if (stored !== null && own === null && survivor?.phoneSource === "customer")
        drops.push({ kind: "phone", value: stored });
      hasPhone = next !== null;
    }
  }

  if (isCustomer && source.customerId !== null) {
    if (survivor?.customerId !== source.customerId) columns.set("shopify_customer_id", source.customerId);
    if (holders.customer === null) holds.push({ kind: "shopify_customer", value: source.customerId, free: true });
  }
  for (const [kind, value] of [
    ["email", email],
    ["phone", phone],
  ] as const) {
    if (value === null || registers[kind]?.[0] === null) continue;
    if (free[kind]) holds.push({ kind, value, free: true });
    else if (mine[kind] && holders[kind]?.evidence === "claimed") holds.push({ kind, value, free: false });
  }
  if (survivor?.verified === 0) columns.set("verified", 1);
  // What is read again happened when it was changed, not when it was read.
  const { isReading, updatedAt, triggeredAt } = source.version;
  if (source.revives && survivor?.deletedAt && (isReading ? updatedAt : triggeredAt) > survivor.deletedAt)
    columns.set("deleted_at", null);
  return {
    target: survivor,
    merge: same.slice(1),
    loses,
    columns,
    registers,
    changed,
    drops: drops.filter((drop) => !holds.some((hold) => hold.kind === drop.kind && hold.value === drop.value)),
    holds,
    hasPhone,
  };
}

function readRegisters(row: ContactRow): Registers {
  return JSON.parse(row.registers);
}

function isNewer(source: ContactSource, holder: ContactRow, field: "email" | "phone"): boolean {
  const register = readRegisters(holder)[field];
  if (!register) return true;
  const { updatedAt, triggeredAt } = source.version;
  return updatedAt === register[1] ? triggeredAt > register[2] : updatedAt > register[1];
}
