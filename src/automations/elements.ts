import { z } from "zod";

import { INSTANT_UNITS, CALENDAR_UNITS } from "./length";

/** A length of time: `{ "n": 3, "unit": "day" }`. */
export const Length = z.strictObject({
  n: z.int("is not a whole number").min(1, "is less than 1").max(10_000, "is more than 10000"),
  unit: z.enum([...INSTANT_UNITS, ...CALENDAR_UNITS]),
});

export type Length = z.infer<typeof Length>;

/** A time of day in the shop's time zone. */
export const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "is no time of day (09:00)");

/** ISO days of the week: 1 is Monday. */
export const Weekdays = z.array(z.int().min(1).max(7)).min(1, "is an empty list").max(7);

const Word = z.string().trim().min(1, "is empty").max(500);
const Words = z.array(Word).min(1, "is an empty list").max(500).optional();
const Id = z.string().min(1).max(100);

const COMPARE = { eq: z.number(), gt: z.number(), gte: z.number(), lt: z.number(), lte: z.number() };

/** A comparison of a number, such as `{ "gte": 2 }`; several must all hold. Money is in minor units. */
export const Comparison = z
  .strictObject(z.strictObject(COMPARE).partial().shape)
  .refine((given) => Object.values(given).some((to) => to !== undefined), "needs one of eq, gt, gte, lt, lte");

export type Comparison = z.infer<typeof Comparison>;

const Products = {
  /** The shop's id or domain. */
  store: Word.optional(),
  products: Words,
  categories: Words,
};

export const VisitedUrl = z.strictObject({
  type: z.literal("visited_url"),
  url: Word.max(2_000),
  match: z.enum(["exact", "contains", "starts_with"]).default("exact"),
});

const MadePurchase = z.strictObject({
  type: z.literal("made_purchase"),
  ...Products,
  total: Comparison.optional(),
  /** Which of the person's orders: `{ "eq": 1 }` is the first. */
  nth: Comparison.optional(),
});

const CART = { ...Products, value: Comparison.optional() };
const AbandonedCart = z.strictObject({ type: z.literal("abandoned_cart"), ...CART });
const AbandonedCheckout = z.strictObject({ type: z.literal("abandoned_checkout"), ...CART });
const CartRecovered = z.strictObject({ type: z.literal("cart_recovered"), ...CART });

const AbandonedBrowse = z.strictObject({
  type: z.literal("abandoned_browse"),
  after: Length,
  products: Words,
});

const Scalar = z.union([z.string().max(500), z.number(), z.boolean()]);

export const EVENT_OPERATORS = [
  "eq",
  "ne",
  "in",
  "contains",
  "starts_with",
  "gt",
  "gte",
  "lt",
  "lte",
  "is_set",
  "not_set",
] as const;

/** One condition on what an event says: `data.<path>`, or `url`. */
const EventFilter = z.strictObject({
  field: z.string().regex(/^(url|data(\.[\w$-]{1,64}){1,8})$/, "is neither url nor data.<path>"),
  op: z.enum(EVENT_OPERATORS),
  value: z.union([Scalar, z.array(Scalar).min(1).max(500)]).optional(),
});

export type EventFilter = z.infer<typeof EventFilter>;

/** Events that an automation may be started by under their own name. */
export const NAMED_EVENTS = [
  "page_viewed",
  "product_viewed",
  "collection_viewed",
  "search_submitted",
  "cart_viewed",
  "cart_updated",
  "product_added_to_cart",
  "product_removed_from_cart",
  "checkout_started",
  "form_submitted",
  "contact_created",
  "contact_identified",
  "order_paid",
  "order_fulfilled",
  "order_delivered",
  "order_cancelled",
  "order_refunded",
] as const;

const AnyEvent = z.strictObject({
  type: z.literal("event"),
  event: z.union([z.enum(NAMED_EVENTS), z.string().regex(/^custom:[\w.-]{1,64}$/, "is no event that is known here")]),
  where: z.array(EventFilter).max(5).optional(),
});

export const ORDER_FIELDS = ["state", "financial_status", "fulfillment_status", "shipping_method", "total"] as const;

const OrderUpdated = z.strictObject({
  type: z.literal("order_updated"),
  field: z.enum(ORDER_FIELDS),
  from: Scalar.optional(),
  to: Scalar.optional(),
});

const SegmentChanged = z.strictObject({
  type: z.literal("segment"),
  segment: Id,
  change: z.enum(["entered", "left"]),
});

const ListChanged = z.strictObject({ type: z.literal("list"), list: Id, change: z.enum(["added", "removed"]) });
const TagChanged = z.strictObject({ type: z.literal("tag"), tag: Word, change: z.enum(["added", "removed"]) });

const FieldChanged = z.strictObject({
  type: z.literal("field_changed"),
  field: Word,
  from: Scalar.optional(),
  to: Scalar.optional(),
});

/** The score passes a mark, upwards or downwards. */
const ScoreReached = z.strictObject({
  type: z.literal("score_reached"),
  score: z.int(),
  direction: z.enum(["up", "down"]).default("up"),
});

const LifecycleChanged = z.strictObject({
  type: z.literal("lifecycle_changed"),
  stage: Word.optional(),
  status: z.enum(["invited", "enabled", "paying", "disabled", "declined"]).optional(),
});

export const CHANNELS = ["email", "sms", "whatsapp"] as const;

const ConsentChanged = z.strictObject({
  type: z.literal("consent_changed"),
  channel: z.enum(CHANNELS),
  state: z.enum(["subscribed", "not_subscribed", "pending", "unsubscribed"]),
});

export const MESSAGE_EVENTS = [
  "sent",
  "delivered",
  "opened",
  "clicked",
  "bounced",
  "complained",
  "unsubscribed",
  "replied",
] as const;

/** What became of a message of ours; of any, or of one template, campaign or automation. */
const MessageEvent = z.strictObject({
  type: z.literal("message"),
  event: z.enum(MESSAGE_EVENTS),
  channel: z.enum(CHANNELS).optional(),
  template: Id.optional(),
  campaign: Id.optional(),
  automation: Id.optional(),
});

const FormSubmitted = z.strictObject({ type: z.literal("form_submitted"), form: Word.optional() });
const SmsKeyword = z.strictObject({ type: z.literal("sms_keyword"), keyword: z.string().trim().min(1).max(40) });

/** Elements that start an automation, and that a condition or goal in the middle of one waits for. */
const EVENTS = [
  VisitedUrl,
  MadePurchase,
  AbandonedCart,
  AbandonedCheckout,
  CartRecovered,
  AnyEvent,
  OrderUpdated,
  SegmentChanged,
  ListChanged,
  TagChanged,
  FieldChanged,
  ScoreReached,
  LifecycleChanged,
  ConsentChanged,
  MessageEvent,
  FormSubmitted,
  SmsKeyword,
] as const;

export const EventElement = z.discriminatedUnion("type", [...EVENTS]);

export type EventElement = z.infer<typeof EventElement>;

/** A day of every contact: a date field of the shop, or when the contact was made. */
const DateTrigger = z.strictObject({
  type: z.literal("date"),
  field: z.string().regex(/^(fields\.[a-z][a-z0-9_]{0,63}|created_at)$/, "is neither fields.<name> nor created_at"),
  offset: z
    .strictObject({
      n: z.int().min(1).max(1_000),
      unit: z.enum(["day", "week", "month"]),
      direction: z.enum(["before", "after"]),
    })
    .optional(),
  /** Every year on that day, instead of once. */
  yearly: z.boolean().default(false),
  time: TimeOfDay,
});

export type DateTrigger = z.infer<typeof DateTrigger>;

const ScheduleTrigger = z.strictObject({
  type: z.literal("schedule"),
  every: z.enum(["day", "week", "month"]),
  time: TimeOfDay,
  weekdays: Weekdays.optional(),
  /** Of the month; the last day where a month is shorter. */
  dayOfMonth: z.int().min(1).max(31).optional(),
});

export type ScheduleTrigger = z.infer<typeof ScheduleTrigger>;

const ManualTrigger = z.strictObject({ type: z.literal("manual") });

/** Those who viewed a product, or had it in a cart, in the last days. */
const interested = {
  audience: z.enum(["viewed", "in_cart"]),
  days: z.int().min(1).max(90).default(30),
  products: Words,
};

const PriceDrop = z.strictObject({
  type: z.literal("price_drop"),
  ...interested,
  /** Of the price before, in percent, at least. */
  percent: z.number().min(0).max(100).default(0),
});

/** A product that had run out is there again. */
const BackInStock = z.strictObject({ type: z.literal("back_in_stock"), ...interested });

/** A product's stock falls to so many pieces, and some are left. */
const LowStock = z.strictObject({
  type: z.literal("low_stock"),
  ...interested,
  pieces: z.int().min(1).max(1_000).default(5),
});

const ProductTrigger = z.discriminatedUnion("type", [PriceDrop, BackInStock, LowStock]);

export type ProductTrigger = z.infer<typeof ProductTrigger>;

export const Trigger = z.discriminatedUnion("type", [
  ...EVENTS,
  AbandonedBrowse,
  DateTrigger,
  ScheduleTrigger,
  ManualTrigger,
  ...ProductTrigger.options,
]);

export type Trigger = z.infer<typeof Trigger>;

export type BrowseTrigger = z.infer<typeof AbandonedBrowse>;
