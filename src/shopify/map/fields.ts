import { z } from "zod";

import type { Version } from "../../contacts";
import { toMinor } from "../../lib/money";

/** What a mapping may know beside the body. */
export interface MapContext {
  /** The shop's currency, for bodies that name none. */
  currency: string;
  domain: string;
  /** Query parameters that the shop keeps in stored addresses. */
  keepQueryParams: string[];
  /** Epoch ms of the trigger, and of the receipt. */
  triggeredAt: number;
  receivedAt: number;
  /** Set where the record was asked for and no webhook told of it. */
  isReading?: boolean;
}

/** A correctly signed body that no rule can use: it goes to the dead letters, and nothing is changed. */
export class UnusableBody extends Error {
  override readonly name = "UnusableBody";
}

const DAY_MS = 86_400_000;

/**
 * Parses JSON without losing digits: integers beyond 2^53 come out as text. Shopify's ids are written as numbers, and
 * those of its test notifications have 18 digits.
 */
export function parseLossless(text: string): unknown {
  const reviver = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "")
      ? context?.source
      : value;
  return JSON.parse(text, reviver);
}

/** An id as digits, from a number, from text or from the tail of a global id (`gid://shopify/Order/1`). */
export const Id = z.union([z.int().nonnegative().transform(String), z.string().max(200)]).transform((value, ctx) => {
  const digits = /^(?:gid:\/\/shopify\/\w+\/)?(\d{1,20})(?:\?.*)?$/.exec(value)?.[1];
  if (digits !== undefined) return digits;
  ctx.addIssue({ code: "custom", message: "not an id" });
  return z.NEVER;
});

/** Keys of a record that has a number and a global id. */
export const WithId = { id: Id, admin_graphql_api_id: Id.nullable().optional() };

/**
 * The id of a record, with all its digits: a sender that rounded the number (2^53) left them in the global id. Where the
 * two name different records, the number is the record's own.
 */
export function idOf(record: { id: string; admin_graphql_api_id?: string | null | undefined }): string {
  const whole = record.admin_graphql_api_id ?? record.id;
  return Number(whole) === Number(record.id) ? whole : record.id;
}

/** Text of a column: null stays null, empty is null, longer than the limit is cut. */
export const text = (most = 500) =>
  z
    .string()
    .nullable()
    .transform((value) => value?.trim().slice(0, most) || null);

/** A token of a cart or a checkout: opaque, without the `?key=` that the storefront's API adds. */
export const Token = z
  .string()
  .max(500)
  .nullable()
  .transform((value) => value?.split("?")[0]?.slice(0, 200) || null);

/** A moment with any offset, as epoch ms. */
export const Moment = z.string().transform((value, ctx) => {
  const at = Date.parse(value);
  if (Number.isFinite(at) && at >= 0) return at;
  ctx.addIssue({ code: "custom", message: "not a date" });
  return z.NEVER;
});

export const Currency = z.string().regex(/^[A-Z]{3}$/);

/** A decimal as text, or as the number that refunds use. */
export const Decimal = z.union([z.string().regex(/^-?\d{1,15}(\.\d{0,10})?$/), z.number()]);

const Amount = z.object({ amount: Decimal, currency_code: Currency });

/** An amount in the shop's currency and in the one that the customer saw. */
export const MoneySet = z.object({ shop_money: Amount, presentment_money: Amount });

export const Quantity = z.int().min(0).max(1_000_000);

/** Minor units; throws for what is not a decimal. */
export function minor(value: string | number, currency: string): number {
  const amount = toMinor(value, currency);
  if (amount === null) throw new UnusableBody("an amount is not a decimal");
  return amount;
}

export function minorOr<T>(value: string | number | null | undefined, currency: string, otherwise: T): number | T {
  return value === null || value === undefined ? otherwise : minor(value, currency);
}

/** A list of attributes of a cart, or whatever older bodies had in its place. */
const NoteAttributes = z
  .union([z.array(z.object({ name: z.string(), value: z.unknown() })), z.unknown().transform(() => [])])
  .optional();

export const WithNotes = { note_attributes: NoteAttributes };

const TRACKER = /^[\w-]{16,64}$/;

/** The tracker's id that the cart carried. A shopper can change it, so anything else is ignored. */
export function trackerOf(attributes: z.infer<typeof NoteAttributes>): string | null {
  const value = attributes?.find((attribute) => attribute.name === "__ff_visitor")?.value;
  return typeof value === "string" && TRACKER.test(value) ? value : null;
}

/** The version of a body; one from the future would win for ever, so it is refused. */
export function versionAt(updatedAt: number, context: MapContext): Version {
  refuseFuture(updatedAt, context);
  const { triggeredAt, isReading = false } = context;
  return { updatedAt, triggeredAt, ...(isReading ? { isReading } : {}) };
}

/** A time beyond every clock's error would win, or settle carts, for ever. */
export function refuseFuture(at: number, { receivedAt }: MapContext): void {
  if (at > receivedAt + DAY_MS) throw new UnusableBody("the body is from the future");
}
