import { z } from "zod";

import type { CartSource } from "../../carts";
import type { ConsentDecision, ContactSource, SourceValues } from "../../contacts";
import { normaliseEmail, normalisePhone } from "../../identity/normalise";
import type { OrderSource, RefundSource } from "../../orders";
import type { ProductSource } from "../../products";
import { mapCart, mapCheckout, mapDeletedCheckout } from "./cart";
import { consentsOf, EmailConsent, SmsConsent, WhatsAppConsent } from "./consent";
import { contactOfCustomer, Customer, tagsOf } from "./customer";
import {
  Currency,
  Decimal,
  Id,
  idOf,
  type MapContext,
  minor,
  Moment,
  MoneySet,
  parseLossless,
  text,
  UnusableBody,
  versionAt,
  WithId,
} from "./fields";
import { mapOrder } from "./order";
import { mapPersonRequest, mapShopRedact, type PrivacyRequest } from "./privacy";
import { mapProduct } from "./product";
import { mapRefund, Refund } from "./refund";

export { type MapContext, UnusableBody } from "./fields";
export { ForeignBody } from "./privacy";

/** What a body asks for, in the product's own terms. */
export type Change =
  | { kind: "contact"; contact: ContactSource }
  | { kind: "tags"; contact: ContactSource; tags: string[]; added: boolean; at: number }
  | { kind: "customer_deleted"; customerId: string; at: number }
  | { kind: "customers_merged"; kept: string; lost: string }
  | { kind: "order"; order: OrderSource; contact: ContactSource | null }
  | { kind: "order_deleted"; orderId: string; at: number }
  | { kind: "refund"; refund: RefundSource }
  | { kind: "cart"; cart: CartSource; contact: ContactSource | null }
  | { kind: "checkout_deleted"; token: string; at: number }
  | { kind: "product"; product: ProductSource }
  | { kind: "product_deleted"; productId: string; at: number }
  | { kind: "uninstalled"; domain: string | null }
  | { kind: "scopes_changed" }
  | { kind: "operation_ended"; operation: string }
  | { kind: "privacy_request"; request: PrivacyRequest }
  /** Understood, and nothing to do: the body that matters follows. */
  | { kind: "nothing" };

type Mapping = (body: unknown, context: MapContext) => Change;

const customer =
  (revives: boolean): Mapping =>
  (body, context) => ({
    kind: "contact",
    contact: contactOfCustomer(Customer.parse(body), context, context.triggeredAt, revives),
  });

const order: Mapping = (body, context) => ({ kind: "order", ...mapOrder(body, context) });
const checkout: Mapping = (body, context) => ({ kind: "cart", ...mapCheckout(body, context) });
const cart: Mapping = (body, context) => ({ kind: "cart", cart: mapCart(body, context), contact: null });
const product: Mapping = (body, context) => ({ kind: "product", product: mapProduct(body, context) });

const ById = z.object(WithId);
const OperationBody = z.object({ admin_graphql_api_id: z.string().max(200) });

/** A contact known only by its customer id, with what the body tells on the side. */
function mention(
  customerId: string,
  at: number,
  context: MapContext,
  told: { values?: SourceValues; consents?: ConsentDecision[] } = {},
): ContactSource {
  const version = versionAt(at, context);
  const { values = {}, consents = [] } = told;
  return { customerId, values, trust: "order", version, consents, tags: null, revives: false };
}

const address = (email: string | null | undefined): SourceValues => {
  const usable = typeof email === "string" ? normaliseEmail(email) : null;
  return usable === null ? {} : { email: usable };
};

const number = (phone: string | null | undefined): SourceValues => {
  const usable = typeof phone === "string" ? normalisePhone(phone) : null;
  return usable === null ? {} : { phone: usable };
};

const EmailConsentBody = z.object({
  customer_id: Id,
  email_address: text(320).optional(),
  email_marketing_consent: EmailConsent,
});
const SmsConsentBody = z.object({ id: Id, phone: text(60).optional(), sms_marketing_consent: SmsConsent });
const WhatsAppConsentBody = z.object({
  customer_id: Id,
  phone_number: text(60).optional(),
  whats_app_marketing_consent: WhatsAppConsent,
});
const TagsBody = z.object({ customerId: Id, tags: z.array(z.string()), occurredAt: Moment });
const SummaryBody = z.object({
  customerId: Id,
  numberOfOrders: z.int().min(0),
  amountSpent: z.object({ amount: Decimal, currencyCode: Currency }).nullable().optional(),
  occurredAt: Moment,
});
const MergeBody = z.object({
  admin_graphql_api_customer_kept_id: Id,
  admin_graphql_api_customer_deleted_id: Id,
  status: z.string(),
});
const RefundBody = Refund.extend({
  order_id: Id,
  total_duties_set: MoneySet.nullable().optional(),
});
const RefundCurrency = z.object({
  refund_line_items: z.array(z.object({ subtotal_set: MoneySet })).min(1),
});
/**
 * A shop, or next to nothing. Shopify's samples leave both domains null, but their keys are there; another topic's body,
 * replayed under this one, has neither.
 */
const ShopBody = z
  .looseObject({ myshopify_domain: text(255).optional(), domain: text(255).optional() })
  .refine(
    (shop) => "myshopify_domain" in shop || "domain" in shop || Object.keys(shop).length <= 1,
    "not the body of a shop",
  );

const tags =
  (added: boolean): Mapping =>
  (body, context) => {
    const { customerId, tags, occurredAt } = TagsBody.parse(body);
    const { updatedAt } = versionAt(occurredAt, context);
    return { kind: "tags", contact: mention(customerId, updatedAt, context), tags: tagsOf(tags), added, at: updatedAt };
  };

const person =
  (kind: "data_request" | "customer_redact"): Mapping =>
  (body, context) => ({ kind: "privacy_request", request: mapPersonRequest(kind, body, context) });

/** Every topic with a rule. A topic that is not here is kept and listed as unhandled. */
const TOPICS: Record<string, Mapping> = {
  "customers/create": customer(true),
  "customers/update": customer(false),
  "customers/enable": customer(false),
  "customers/disable": customer(false),
  "customers/delete": (body, { triggeredAt }) => ({
    kind: "customer_deleted",
    customerId: idOf(ById.parse(body)),
    at: triggeredAt,
  }),
  "customers/merge": (body) => {
    const merge = MergeBody.parse(body);
    if (merge.status.toLowerCase() !== "completed") return { kind: "nothing" };
    const kept = merge.admin_graphql_api_customer_kept_id;
    const lost = merge.admin_graphql_api_customer_deleted_id;
    if (kept === lost) throw new UnusableBody("a customer is merged into itself");
    return { kind: "customers_merged", kept, lost };
  },
  "customers_email_marketing_consent/update": (body, context) => {
    const { customer_id, email_address, email_marketing_consent: consent } = EmailConsentBody.parse(body);
    const consents = consentsOf("email", consent, context.triggeredAt);
    const at = consent.consent_updated_at ?? context.triggeredAt;
    return {
      kind: "contact",
      contact: mention(customer_id, at, context, { values: address(email_address), consents }),
    };
  },
  "customers_marketing_consent/update": (body, context) => {
    const { id, phone, sms_marketing_consent: consent } = SmsConsentBody.parse(body);
    const consents = consentsOf("sms", consent, context.triggeredAt);
    const at = consent.consent_updated_at ?? context.triggeredAt;
    return { kind: "contact", contact: mention(id, at, context, { values: number(phone), consents }) };
  },
  "customers_whats_app_marketing_consent/update": (body, context) => {
    const { customer_id, phone_number, whats_app_marketing_consent: consent } = WhatsAppConsentBody.parse(body);
    const decided = { ...consent, consent_updated_at: consent.updated_at ?? null };
    const consents = consentsOf("whatsapp", decided, context.triggeredAt);
    const at = consent.updated_at ?? context.triggeredAt;
    return { kind: "contact", contact: mention(customer_id, at, context, { values: number(phone_number), consents }) };
  },
  "customer.tags_added": tags(true),
  "customer.tags_removed": tags(false),
  "customers/purchasing_summary": (body, context) => {
    const { customerId, numberOfOrders, amountSpent, occurredAt } = SummaryBody.parse(body);
    const values: SourceValues = { ordersCount: numberOfOrders };
    // Another currency than the shop's cannot be added to its orders.
    if (amountSpent?.currencyCode === context.currency) {
      values.totalSpent = minor(amountSpent.amount, context.currency);
    }
    const contact = mention(customerId, occurredAt, context, { values });
    const version = { updatedAt: occurredAt, triggeredAt: occurredAt };
    return { kind: "contact", contact: { ...contact, version, trust: "customer" } };
  },
  "orders/create": order,
  "orders/updated": order,
  "orders/paid": order,
  "orders/cancelled": order,
  "orders/fulfilled": order,
  "orders/partially_fulfilled": order,
  "orders/edited": () => ({ kind: "nothing" }),
  "orders/delete": (body, { triggeredAt }) => ({
    kind: "order_deleted",
    orderId: idOf(ById.parse(body)),
    at: triggeredAt,
  }),
  "refunds/create": (body, context) => {
    const refund = RefundBody.parse(body);
    const named = RefundCurrency.safeParse(body);
    const duties = refund.total_duties_set?.shop_money.currency_code;
    const currency = named.data?.refund_line_items[0]?.subtotal_set.shop_money.currency_code ?? duties;
    return {
      kind: "refund",
      refund: mapRefund(refund, refund.order_id, currency ?? context.currency, context.triggeredAt),
    };
  },
  "checkouts/create": checkout,
  "checkouts/update": checkout,
  "checkouts/delete": (body, { triggeredAt }) => {
    const token = mapDeletedCheckout(body);
    return token === null ? { kind: "nothing" } : { kind: "checkout_deleted", token, at: triggeredAt };
  },
  "carts/create": cart,
  "carts/update": cart,
  "products/create": product,
  "products/update": product,
  "products/delete": (body, { triggeredAt }) => ({
    kind: "product_deleted",
    productId: idOf(ById.parse(body)),
    at: triggeredAt,
  }),
  "customers/data_request": person("data_request"),
  "customers/redact": person("customer_redact"),
  "shop/redact": (body, context) => ({ kind: "privacy_request", request: mapShopRedact(body, context) }),
  "bulk_operations/finish": (body) => ({
    kind: "operation_ended",
    operation: OperationBody.parse(body).admin_graphql_api_id,
  }),
  "app/scopes_update": () => ({ kind: "scopes_changed" }),
  "app/uninstalled": (body) => ({ kind: "uninstalled", domain: ShopBody.parse(body).myshopify_domain ?? null }),
};

/**
 * Topics whose bodies are whole and dated (`updated_at`), by family: the same bytes again, under any topic of the
 * family, say nothing new.
 */
const FAMILIES = [
  ["customers/create", "customers/update", "customers/enable", "customers/disable"],
  [
    "orders/create",
    "orders/updated",
    "orders/paid",
    "orders/cancelled",
    "orders/fulfilled",
    "orders/partially_fulfilled",
  ],
  ["checkouts/create", "checkouts/update"],
  ["carts/create", "carts/update"],
  ["products/create", "products/update"],
];

/** Topics that an uninstalled shop still has a right to. */
export const LASTING_TOPICS = ["app/uninstalled", "customers/data_request", "customers/redact", "shop/redact"];

/** Topics under which the same bytes need no second handling; empty where each delivery counts. */
export function sameBodyTopics(topic: string): string[] {
  return FAMILIES.find((family) => family.includes(topic)) ?? [];
}

/**
 * What a delivery asks for; null for a topic without a rule. Throws `UnusableBody` for a body that does not fit: such a
 * body changes nothing at all.
 */
export function mapBody(topic: string, body: string, context: MapContext): Change | null {
  return mapped(topic, () => parseLossless(body), context);
}

/** The same for a record in the shape of the topic's body that was read in another way. */
export function mapRecord(topic: string, record: Record<string, unknown>, context: MapContext): Change | null {
  return mapped(topic, () => record, context);
}

function mapped(topic: string, read: () => unknown, context: MapContext): Change | null {
  const mapping = Object.hasOwn(TOPICS, topic) ? TOPICS[topic] : undefined;
  if (!mapping) return null;
  try {
    return mapping(read(), context);
  } catch (error) {
    if (error instanceof UnusableBody) throw error;
    if (error instanceof z.ZodError) {
      const where = error.issues.map((issue) => `${issue.path.join(".")} (${issue.code})`);
      throw new UnusableBody(`does not fit: ${[...new Set(where)].slice(0, 10).join(", ")}`);
    }
    throw new UnusableBody("is not JSON that can be read");
  }
}
