import { z } from "zod";
import { NOTHING, type Pair } from "./money.ts";
import { computeTotals } from "./order-totals.ts";
import {
  checkoutSchema,
  collectionSchema,
  customerSchema,
  lineSchema,
  locationSchema,
  orderSchema,
  productSchema,
  refundSchema,
  staffSchema,
} from "./records.ts";
import type { AdminStore } from "./store.ts";

/* Records that tests write down: only what matters to them, the rest is filled in. */

const amount = z.union([
  z
    .number()
    .int()
    .transform((shop): Pair => ({ shop, presentment: shop })),
  z.custom<Pair>(isPair),
]);

function isPair(value: unknown): boolean {
  return typeof value === "object" && value !== null && "shop" in value && "presentment" in value;
}

const usual = { id: z.number().optional(), createdAt: z.number().optional(), updatedAt: z.number().optional() };

const lineSeed = lineSchema.extend({
  id: z.number().optional(),
  title: z.string().default("Mug"),
  quantity: z.number().int().default(1),
  currentQuantity: z.number().int().optional(),
  price: amount.default({ shop: 1999, presentment: 1999 }),
  discount: amount.default(NOTHING),
  tax: amount.default(NOTHING),
});

const refundSeed = refundSchema.extend({
  id: z.number().optional(),
  createdAt: z.number().optional(),
  lines: z
    .array(
      z.object({
        lineId: z.number(),
        quantity: z.number().int(),
        restock: z.enum(["CANCEL", "NO_RESTOCK", "RETURN", "LEGACY_RESTOCK"]).default("RETURN"),
        subtotal: amount,
        tax: amount.default(NOTHING),
      }),
    )
    .default([]),
  shipping: amount.default(NOTHING),
  discrepancy: amount.default(NOTHING),
  amount: amount.optional(),
});

const orderSeed = orderSchema.omit({ totals: true }).extend({
  ...usual,
  number: z.number().int().optional(),
  processedAt: z.number().optional(),
  presentmentCurrency: z.string().optional(),
  taxesIncluded: z.boolean().optional(),
  lines: z.array(lineSeed).default([lineSeed.parse({})]),
  discounts: z
    .array(
      z.object({
        code: z.string().nullable().default(null),
        title: z.string().nullable().default(null),
        type: z.enum(["percentage", "fixed_amount", "shipping"]).default("fixed_amount"),
        value: z.number().default(0),
        amount,
      }),
    )
    .default([]),
  shippingLine: z
    .object({
      id: z.number().optional(),
      title: z.string().default("Standard"),
      code: z.string().nullable().default("standard"),
      price: amount,
      discount: amount.default(NOTHING),
    })
    .nullable()
    .default(null),
  financialStatus: orderSchema.shape.financialStatus.default("PAID"),
  refunds: z.array(refundSeed).default([]),
});

const productSeed = productSchema.extend({
  ...usual,
  title: z.string().default("Mug"),
  handle: z.string().optional(),
  variants: z
    .array(
      productSchema.shape.variants.element.extend({
        id: z.number().optional(),
        title: z.string().default("Default Title"),
        price: z.number().int().default(1999),
      }),
    )
    .default([{ title: "Default Title", price: 1999, sku: null, compareAt: null, barcode: null, inventory: 100 }]),
});

const checkoutSeed = checkoutSchema.omit({ totals: true }).extend({
  ...usual,
  presentmentCurrency: z.string().optional(),
  lines: z.array(lineSeed).default([lineSeed.parse({})]),
});

export const seedSchema = z.object({
  customers: z.array(customerSchema.extend(usual)).default([]),
  orders: z.array(orderSeed).default([]),
  products: z.array(productSeed).default([]),
  collections: z
    .array(collectionSchema.extend({ ...usual, title: z.string().default("Sale"), handle: z.string().optional() }))
    .default([]),
  checkouts: z.array(checkoutSeed).default([]),
  locations: z.array(locationSchema.extend(usual)).default([]),
  staff: z.array(staffSchema.extend(usual)).default([]),
  /** Ids to take away, by kind. */
  deleted: z
    .object({
      customers: z.array(z.number()).default([]),
      orders: z.array(z.number()).default([]),
      products: z.array(z.number()).default([]),
      checkouts: z.array(z.number()).default([]),
    })
    .default({ customers: [], orders: [], products: [], checkouts: [] }),
});

export type Seed = z.input<typeof seedSchema>;

type Seeded = { customers: number[]; orders: number[]; products: number[]; collections: number[]; checkouts: number[] };

/** Writes records into a store, one with a known id in place of what was there; the ids, in order. */
export function seedRecords(store: AdminStore, seed: z.output<typeof seedSchema>): Seeded {
  const records = store.records();
  const now = store.now();
  const stamped = (given: {
    id?: number | undefined;
    createdAt?: number | undefined;
    updatedAt?: number | undefined;
  }) => ({
    id: given.id ?? store.nextId(),
    createdAt: given.createdAt ?? now,
    updatedAt: given.updatedAt ?? given.createdAt ?? now,
  });
  for (const location of seed.locations) records.locations.put({ ...location, ...stamped(location) });
  for (const staff of seed.staff) records.staff.put({ ...staff, ...stamped(staff) });
  const seeded: Seeded = {
    customers: seed.customers.map((given) => put(records.customers, { ...given, ...stamped(given) })),
    products: seed.products.map((given) => {
      const stamps = stamped(given);
      const variants = given.variants.map((variant) => ({ ...variant, id: variant.id ?? store.nextId() }));
      return put(
        records.products,
        productSchema.parse({ ...given, ...stamps, handle: given.handle ?? `product-${stamps.id}`, variants }),
      );
    }),
    collections: seed.collections.map((given) => {
      const stamps = stamped(given);
      return put(records.collections, { ...given, ...stamps, handle: given.handle ?? `collection-${stamps.id}` });
    }),
    orders: seed.orders.map((given) => put(records.orders, wholeOrder(store, given, stamped(given)))),
    checkouts: seed.checkouts.map((given) => put(records.checkouts, wholeCheckout(store, given, stamped(given)))),
  };
  for (const kind of ["customers", "orders", "products", "checkouts"] as const)
    for (const id of seed.deleted[kind]) records[kind].delete(id);
  return seeded;
}

function put<T extends { id: number }>(table: { put(record: T): void }, record: T): number {
  table.put(record);
  return record.id;
}

type Stamps = { id: number; createdAt: number; updatedAt: number };

const wholeLine = (store: AdminStore, line: z.output<typeof lineSeed>) => ({
  ...line,
  id: line.id ?? store.nextId(),
  currentQuantity: line.currentQuantity ?? line.quantity,
});

function wholeOrder(store: AdminStore, given: z.output<typeof orderSeed>, stamps: Stamps) {
  const order = {
    ...given,
    ...stamps,
    number: given.number ?? 1000 + (stamps.id % 100_000),
    processedAt: given.processedAt ?? stamps.createdAt,
    presentmentCurrency: given.presentmentCurrency ?? store.currency,
    taxesIncluded: given.taxesIncluded ?? store.taxesIncluded,
    lines: given.lines.map((line) => wholeLine(store, line)),
    shippingLine:
      given.shippingLine === null ? null : { ...given.shippingLine, id: given.shippingLine.id ?? store.nextId() },
    refunds: given.refunds.map((refund) => ({
      ...refund,
      id: refund.id ?? store.nextId(),
      createdAt: refund.createdAt ?? stamps.updatedAt,
      lines: refund.lines.map((line) => ({ ...line, id: store.nextId() })),
      amount: refund.amount ?? {
        shop:
          refund.shipping.shop +
          refund.discrepancy.shop +
          refund.lines.reduce((sum, line) => sum + line.subtotal.shop, 0),
        presentment:
          refund.shipping.presentment +
          refund.discrepancy.presentment +
          refund.lines.reduce((sum, line) => sum + line.subtotal.presentment, 0),
      },
    })),
  };
  return orderSchema.parse({ ...order, totals: computeTotals(order) });
}

function wholeCheckout(store: AdminStore, given: z.output<typeof checkoutSeed>, stamps: Stamps) {
  const lines = given.lines.map((line) => wholeLine(store, line));
  const { items, discount, subtotal, tax, total } = computeTotals({
    taxesIncluded: given.taxesIncluded,
    financialStatus: "PENDING",
    lines,
    shippingLine: null,
    refunds: [],
  });
  return checkoutSchema.parse({
    ...given,
    ...stamps,
    lines,
    presentmentCurrency: given.presentmentCurrency ?? store.currency,
    totals: { items, discount, subtotal, tax, total },
  });
}

export const patchSchema = z.object({
  kind: z.enum(["customers", "orders", "products", "checkouts"]),
  id: z.number(),
  changes: z.record(z.string(), z.unknown()),
});

/** Changes some fields of a record that is there; `updatedAt` is now unless given. Undefined for an unknown one. */
export function patchRecord(
  store: AdminStore,
  { kind, id, changes }: z.output<typeof patchSchema>,
): object | undefined {
  const records = store.records();
  const before = records[kind].get(id);
  if (before === undefined) return undefined;
  const after = { ...before, updatedAt: store.now(), ...changes, id };
  if (kind === "customers") records.customers.put(customerSchema.parse(after));
  if (kind === "products") records.products.put(productSchema.parse(after));
  if (kind === "checkouts") records.checkouts.put(checkoutSchema.parse(after));
  if (kind === "orders") {
    const order = orderSchema.parse(after);
    records.orders.put({ ...order, totals: computeTotals(order) });
  }
  return after;
}
