import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/* What the stand-in remembers. Times are epoch ms, money is minor units. */

const pair = z.object({ shop: z.number(), presentment: z.number() });
const text = z.string().nullable();

export const addressSchema = z.object({
  firstName: z.string(),
  lastName: z.string(),
  company: text,
  address1: z.string(),
  address2: text,
  city: z.string(),
  province: text,
  provinceCode: text,
  country: z.string(),
  countryCode: z.string(),
  zip: z.string(),
  phone: text,
});

const lineSchema = z.object({
  key: z.string(),
  variantId: z.number(),
  quantity: z.number().int(),
  properties: z.record(z.string(), z.string()),
});

const cartSchema = z.object({
  token: z.string(),
  key: z.string(),
  country: z.string(),
  note: text,
  attributes: z.record(z.string(), z.string()),
  lines: z.array(lineSchema),
  createdAt: z.number(),
  updatedAt: z.number(),
  announced: z.boolean(),
  landingSite: text,
  referringSite: text,
});

const checkoutSchema = z.object({
  id: z.number(),
  token: z.string(),
  cartToken: z.string(),
  country: z.string(),
  lines: z.array(lineSchema),
  note: text,
  attributes: z.record(z.string(), z.string()),
  email: text,
  phone: text,
  acceptsMarketing: z.boolean(),
  shippingAddress: addressSchema.nullable(),
  shippingCode: text,
  discountCode: text,
  customerId: z.number().nullable(),
  landingSite: text,
  referringSite: text,
  orderId: z.number().nullable(),
  createdAt: z.number(),
  updatedAt: z.number(),
  completedAt: z.number().nullable(),
  /** Pixel events to publish on the next page the shopper sees, each once. */
  pendingEvents: z.array(z.string()),
});

const consentSchema = z.object({ state: z.string(), optInLevel: text, updatedAt: z.number().nullable() });

const customerSchema = z.object({
  id: z.number(),
  email: text,
  phone: text,
  firstName: text,
  lastName: text,
  state: z.string(),
  note: text,
  tags: z.array(z.string()),
  emailConsent: consentSchema,
  smsConsent: consentSchema,
  addressId: z.number().nullable(),
  address: addressSchema.nullable(),
  createdAt: z.number(),
  updatedAt: z.number(),
});

const orderLineSchema = z.object({
  id: z.number(),
  variantId: z.number(),
  quantity: z.number(),
  currentQuantity: z.number(),
  price: pair,
  discount: pair,
  properties: z.record(z.string(), z.string()),
});

const refundSchema = z.object({
  id: z.number(),
  transactionId: z.number(),
  createdAt: z.number(),
  note: text,
  restock: z.boolean(),
  lines: z.array(z.object({ id: z.number(), lineId: z.number(), quantity: z.number(), subtotal: pair, tax: pair })),
  shipping: pair,
  /** Money given back for no line in particular. */
  discrepancy: pair,
  amount: pair,
});

const orderSchema = z.object({
  id: z.number(),
  number: z.number(),
  token: z.string(),
  confirmationNumber: z.string(),
  cartToken: text,
  checkoutToken: text,
  checkoutId: z.number().nullable(),
  country: z.string(),
  email: text,
  phone: text,
  acceptsMarketing: z.boolean(),
  customerId: z.number().nullable(),
  firstOrder: z.boolean(),
  lines: z.array(orderLineSchema),
  /** Lines that an edit brought in; they are not part of the original sums. */
  addedLineIds: z.array(z.number()),
  discount: z.object({ code: z.string(), type: z.string(), value: z.string(), amount: pair }).nullable(),
  shipping: z.object({ id: z.number(), code: z.string(), title: z.string(), price: pair, discount: pair }).nullable(),
  address: addressSchema.nullable(),
  note: text,
  attributes: z.record(z.string(), z.string()),
  landingSite: text,
  referringSite: text,
  sourceName: z.string(),
  gateway: z.string(),
  test: z.boolean(),
  financialStatus: z.string(),
  cancelReason: text,
  cancelledAt: z.number().nullable(),
  refunds: z.array(refundSchema),
  createdAt: z.number(),
  updatedAt: z.number(),
  thankYouSeen: z.boolean(),
});

const deliverySchema = z.object({
  webhookId: z.string(),
  eventId: z.string(),
  topic: z.string(),
  /** Of the subscription it is for. */
  endpoint: z.string().optional(),
  name: z.string().nullish(),
  triggeredAt: z.string(),
  body: z.string(),
  state: z.enum(["pending", "delivered", "failed", "dropped"]),
  attempts: z.number(),
  /** How often it is still to be sent; more than one is a duplicate on purpose. */
  copies: z.number(),
  dueAt: z.number(),
  lastStatus: z.number().nullable(),
});

export const chaosSchema = z.object({
  /** Probability that a delivery arrives twice. */
  duplicate: z.number().min(0).max(1).default(0),
  /** Every delivery waits this long; with `shuffle` a random part of it. */
  delayMs: z.number().min(0).default(0),
  shuffle: z.boolean().default(false),
  /** Probability that a delivery is lost for good. */
  drop: z.number().min(0).max(1).default(0),
});

const stateSchema = z.object({
  sequence: z.number(),
  orderNumber: z.number(),
  simulatorRuns: z.number(),
  apiKey: text,
  inventory: z.record(z.string(), z.number()),
  carts: z.array(cartSchema),
  checkouts: z.array(checkoutSchema),
  customers: z.array(customerSchema),
  orders: z.array(orderSchema),
  deliveries: z.array(deliverySchema),
  chaos: chaosSchema,
});

export type Address = z.infer<typeof addressSchema>;
export type Line = z.infer<typeof lineSchema>;
export type Cart = z.infer<typeof cartSchema>;
export type Checkout = z.infer<typeof checkoutSchema>;
export type Customer = z.infer<typeof customerSchema>;
export type Order = z.infer<typeof orderSchema>;
export type OrderLine = z.infer<typeof orderLineSchema>;
export type Refund = z.infer<typeof refundSchema>;
export type Delivery = z.infer<typeof deliverySchema>;
export type Chaos = z.infer<typeof chaosSchema>;
export type State = z.infer<typeof stateSchema>;

/** Old carts and settled deliveries are forgotten beyond these numbers, so that the file stays small. */
const KEEP = { carts: 500, checkouts: 1000, deliveries: 600 };

export type StateFile = { state: State; save: () => void; close: () => void };

/**
 * Opens the stand-in's memory: `demo.json` in `directory`, or memory alone without one.
 * `save` writes soon, once for many calls; `close` writes at once. A file that does not parse is an error, never emptied.
 */
export function openState(directory: string | undefined): StateFile {
  const path = directory === undefined ? undefined : join(directory, "demo.json");
  if (directory !== undefined) mkdirSync(directory, { recursive: true });
  const state = load(path);
  let timer: NodeJS.Timeout | undefined;
  const write = (): void => {
    clearTimeout(timer);
    timer = undefined;
    forget(state);
    if (path === undefined) return;
    writeFileSync(`${path}.new`, JSON.stringify(state));
    renameSync(`${path}.new`, path);
  };
  return {
    state,
    save: () => {
      timer ??= setTimeout(write, 200);
    },
    close: write,
  };
}

function load(path: string | undefined): State {
  let stored: string;
  try {
    if (path === undefined) return empty();
    stored = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return empty();
    throw error;
  }
  return stateSchema.parse(JSON.parse(stored));
}

function empty(): State {
  return {
    sequence: 0,
    orderNumber: 1000,
    simulatorRuns: 0,
    apiKey: null,
    inventory: {},
    carts: [],
    checkouts: [],
    customers: [],
    orders: [],
    deliveries: [],
    chaos: chaosSchema.parse({}),
  };
}

function forget(state: State): void {
  state.carts.splice(0, Math.max(0, state.carts.length - KEEP.carts));
  state.checkouts.splice(0, Math.max(0, state.checkouts.length - KEEP.checkouts));
  let over = state.deliveries.length - KEEP.deliveries;
  if (over > 0) state.deliveries = state.deliveries.filter((one) => one.state === "pending" || over-- <= 0);
}
