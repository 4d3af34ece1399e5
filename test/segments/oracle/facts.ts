import type { CustomField } from "../../../src/segments";
import { foldText, type Texts, TEXTS, type Value } from "./operators";
import {
  type Cart,
  type Contact,
  type Json,
  member,
  type Order,
  type OrderLine,
  type Subject,
  type Visitor,
  type World,
} from "./world";

const DAY = 86_400_000;

/** What a line of an order, a cart or a browser's event says of each fact; without a member, it says nothing. */
export type Line = Record<string, Value[]>;

/** Values that are there. */
export function some(...values: (Value | null | undefined)[]): Value[] {
  return values.filter((value) => value !== null && value !== undefined);
}

/** Orders that belong to somebody: an anonymous visitor has those of no contact. */
function ownedBy<T extends { contact: number | null; visitor: number | null }>(rows: T[], subject: Subject): T[] {
  return rows.filter((row) =>
    subject.kind === "contact"
      ? row.contact === subject.contact.key
      : row.contact === null && row.visitor === subject.visitor.key,
  );
}

export function realOrders(world: World, subject: Subject): Order[] {
  return ownedBy(world.orders, subject).filter(({ test }) => !test);
}

/** Orders that count, the latest last. */
export function orders(world: World, subject: Subject): Order[] {
  return realOrders(world, subject)
    .filter(({ cancelledAt }) => cancelledAt === null)
    .sort((a, b) => a.placedAt - b.placedAt || a.key - b.key);
}

export function carts(world: World, subject: Subject): Cart[] {
  return ownedBy(world.carts, subject);
}

/** All personas whose events are this subject's. */
export function personas(world: World, subject: Subject): Visitor[] {
  return subject.kind === "visitor"
    ? [subject.visitor]
    : world.visitors.filter(({ contact }) => contact === subject.contact.key);
}

/** Lines of an order as it stands, or as it was placed. */
export function orderLines(world: World, order: Order, gone: boolean): Line[] {
  return order.lines
    .filter(({ currentQuantity }) => gone || currentQuantity > 0)
    .map((line) => ({
      ...fromProduct(world, line.productId, line),
      variant_id: some(line.variantId),
      sku: some(line.sku),
      title: some(line.title),
      price: order.currency === world.currency ? [line.price] : [],
      quantity: [gone ? line.quantity : line.currentQuantity],
      on_sale: [line.discountedPrice < line.price],
      discount: order.currency === world.currency ? [line.price - line.discountedPrice] : [],
    }));
}

/** What a line says itself goes before what its product does. */
function fromProduct(world: World, id: Value | null, own: Partial<Pick<OrderLine, "vendor" | "category">>): Line {
  const product = world.products.find((one) => one.id === id);
  return {
    product_id: some(id),
    vendor: some(own.vendor ?? product?.vendor),
    category: some(own.category ?? product?.category),
    tag: product?.tags ?? [],
    collection: product?.collections ?? [],
  };
}

export function amount(world: World, money: Json | undefined): number[] {
  const value = member(money, "amount");
  return member(money, "currency") === world.currency && typeof value === "number" ? [value] : [];
}

const scalar = (value: Json | undefined): Value[] => (typeof value === "object" || value === undefined ? [] : [value]);

/** A line of a cart or an event. */
export function jsonLine(world: World, line: Json): Line {
  const [id = null] = scalar(member(line, "productId"));
  const vendor = member(line, "vendor");
  const quantity = scalar(member(line, "quantity"));
  return {
    ...fromProduct(world, id, { vendor: typeof vendor === "string" ? vendor : null }),
    variant_id: scalar(member(line, "variantId")),
    sku: scalar(member(line, "sku")),
    title: scalar(member(line, "title")),
    price: amount(world, member(line, "price")),
    quantity: quantity.length > 0 ? quantity : [1],
  };
}

export function pieces(cart: Cart): number {
  return cart.items.reduce((sum, item) => sum + Number(member(item, "quantity") ?? 1), 0);
}

const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
const least = (numbers: number[]) => (numbers.length > 0 ? [Math.min(...numbers)] : []);
const most = (numbers: number[]) => (numbers.length > 0 ? [Math.max(...numbers)] : []);

const regions = new Intl.DisplayNames(["en"], { type: "region" });
const short = new Intl.DisplayNames(["en"], { type: "region", style: "short" });
const CODES = ["DE", "FR", "CH", "GB", "US", "JP", "CI", "NO", "RU", "CA"];
const EU = ["DE", "FR"];

/** The code of a country that our worlds have, by its code or its name. */
function countryCode(text: string): string | undefined {
  const word = foldText(text);
  return CODES.find((code) =>
    [code, regions.of(code) ?? "", short.of(code) ?? ""].some((name) => foldText(name) === word),
  );
}

const COUNTRIES: Texts = {
  ...TEXTS,
  same: (stored, asked) => {
    const code = countryCode(asked);
    return foldText(stored) === foldText(asked) || (code !== undefined && countryCode(stored) === code);
  },
};

const CALLING: Record<string, string> = {
  DE: "+49",
  FR: "+33",
  CH: "+41",
  GB: "+44",
  JP: "+81",
  CI: "+225",
  NO: "+47",
};

/** A number of a country begins with its calling code. */
const PHONE_COUNTRIES: Texts = {
  ...TEXTS,
  same: (stored, asked) => stored.startsWith(CALLING[countryCode(asked) ?? ""] ?? asked),
};

const tagFold = (text: string) => text.normalize("NFC").trim().toLowerCase();

/** How the texts of a field are compared. */
export function textsOf(field: string): Texts {
  if (/(^|_)country$/.test(field)) return field === "phone_country" ? PHONE_COUNTRIES : COUNTRIES;
  return field === "tags" ? { fold: tagFold, stored: tagFold } : TEXTS;
}

/** The values that a subject has of a field; none for a missing one. */
export function valuesOf(world: World, subject: Subject, field: string, now: number): Value[] {
  const touch = /^(first|last)_touch_(.+)$/.exec(field);
  const device = /^device_(type|browser|os)$/.exec(field);
  const edge = edgeBrowser(world, subject, touch?.[1] === "first" ? "first" : "last");
  if (touch) {
    const touched = touch[1] === "first" ? edge?.firstTouch : edge?.lastTouch;
    return some(touched?.[touch[2] === "landing_page" ? "landingUrl" : (touch[2] ?? "")]);
  }
  if (device) return some(edge?.device?.[device[1] ?? ""]);
  switch (field) {
    case "ip_country":
      return some(edge?.country);
    case "ip_region":
      return some(edge?.region);
    case "ip_city":
      return some(edge?.city);
    default:
      break;
  }
  const visiting = ofVisits(world, subject, field);
  if (visiting) return visiting;
  const cart = ofCarts(world, subject, field);
  if (cart) return cart;
  if (subject.kind === "visitor") {
    const { country, region, city } = subject.visitor;
    const place: Record<string, string | null> = { country, region, city };
    if (field === "source") return ["anonymous_website_visitors"];
    return field === "in_eu" ? inEu(country) : some(place[field]);
  }
  return (
    ofContact(subject.contact, field) ??
    ofOrders(world, subject, field, now) ??
    ofLines(world, subject, field) ??
    unknown(field)
  );
}

function unknown(field: string): never {
  throw new Error(`the oracle does not know the field ${field}`);
}

function inEu(country: string | null | undefined): Value[] {
  return country ? [EU.includes(countryCode(country) ?? "")] : [];
}

function edgeBrowser(world: World, subject: Subject, edge: "first" | "last"): Visitor | undefined {
  const browsers = personas(world, subject).filter(({ channel }) => channel === "browser");
  const by = (a: Visitor, b: Visitor) =>
    edge === "first" ? a.firstSeenAt - b.firstSeenAt : b.lastSeenAt - a.lastSeenAt;
  return browsers.sort((a, b) => by(a, b) || a.key - b.key)[0];
}

function ofVisits(world: World, subject: Subject, field: string): Value[] | null {
  const browsers = personas(world, subject).filter(({ channel }) => channel === "browser");
  const visits = sum(browsers.map((one) => one.visits));
  const pages = sum(browsers.map((one) => one.pageViews));
  const are = <T>(value: T) => (browsers.length > 0 ? [value] : []);
  switch (field) {
    case "first_seen":
      return least(browsers.map((one) => one.firstSeenAt));
    case "last_seen":
      return most(browsers.map((one) => one.lastSeenAt));
    case "visits":
      return are(visits);
    case "page_views":
      return are(pages);
    case "pages_per_visit":
      return visits > 0 ? [pages / visits] : [];
    case "returning":
      return are(visits > 1);
    default:
      return null;
  }
}

function ofCarts(world: World, subject: Subject, field: string): Value[] | null {
  const own = carts(world, subject);
  const open = own.filter(({ state }) => state === "open");
  const times = (name: "activityAt" | "abandonedAt" | "recoveredAt") =>
    most(own.flatMap((cart) => (cart[name] === null ? [] : [cart[name]])));
  switch (field) {
    case "open_cart_value":
      return open.flatMap(({ currency, value }) => (currency === world.currency ? some(value) : []));
    case "open_cart_quantity":
      return open.map(pieces);
    case "abandoned_carts":
      return [own.filter(({ state }) => state === "abandoned").length];
    case "recovered_carts":
      return [own.filter(({ state }) => state === "recovered").length];
    case "last_cart_at":
      return times("activityAt");
    case "last_cart_abandoned_at":
      return times("abandonedAt");
    case "last_cart_recovered_at":
      return times("recoveredAt");
    default:
      return null;
  }
}

function ofContact(contact: Contact, field: string): Value[] | null {
  const { texts } = contact;
  if (field.startsWith("fields.")) return customValues(contact, field.slice("fields.".length));
  const consent =
    /^(email|sms|whatsapp)_(consent|can_receive|opt_in_level|consent_basis|consent_source|consent_at)$/.exec(field);
  if (consent) return ofConsent(contact, consent[1] ?? "", consent[2] ?? "");
  const stored = Object.entries(texts).find(([name]) => name === field)?.[1];
  switch (field) {
    case "email_domain": {
      const at = texts.email?.indexOf("@") ?? -1;
      return at < 0 ? [] : some(texts.email?.slice(at + 1));
    }
    case "phone_country":
      return some(texts.phone);
    case "region":
      return some(texts.province);
    case "postal_code":
      return some(texts.zip);
    case "in_eu":
      return inEu(texts.country);
    case "tax_exempt":
      return some(contact.taxExempt);
    case "created_at":
      return [contact.createdAt];
    case "updated_at":
      return [contact.updatedAt];
    case "shopify_created_at":
      return some(contact.shopifyCreatedAt);
    case "lifecycle_stage":
      return [contact.stage];
    case "lifecycle_status":
      return some(contact.status);
    case "lifecycle_changed_at":
      return most(contact.history.map(({ at }) => at));
    case "lifecycle_previous_status":
      return some(timeline(contact).findLast(({ status }) => status !== contact.status)?.status);
    case "tags":
      return [...new Set(contact.tags.filter(({ removed }) => !removed).map(({ label }) => tagFold(label)))];
    case "score":
      return [contact.score];
    case "orders_count":
      return [contact.ordersCount];
    case "total_revenue":
      return [contact.ordersTotal];
    case "average_order_value":
      return contact.ordersCount > 0 ? [contact.ordersTotal / contact.ordersCount] : [];
    default:
      return stored !== undefined || CONTACT_OWN.has(field) ? some(stored) : null;
  }
}

const CONTACT_OWN = new Set(
  "email phone first_name last_name company city country shopify_customer_id external_id source account_state".split(
    " ",
  ),
);

/** Oldest first; of those at one moment, as they came in. */
function timeline({ history }: Contact) {
  return history.toSorted((a, b) => a.at - b.at);
}

/** Since when the stage or status has been what it is; null where no history tells. */
export function heldSince(contact: Contact, column: "stage" | "status"): number | null {
  let since: number | null = null;
  for (const entry of timeline(contact).toReversed()) {
    if (entry[column] !== contact[column]) break;
    since = entry.at;
  }
  return since;
}

function ofConsent(contact: Contact, channel: string, what: string): Value[] {
  const consent = contact.consents.find((one) => one.channel === channel);
  switch (what) {
    case "consent":
      return some(consent?.state);
    case "can_receive":
      return [
        (channel === "email" ? contact.texts.email : contact.texts.phone) !== undefined &&
          consent?.state === "subscribed",
      ];
    case "opt_in_level":
      return some(consent?.level);
    case "consent_basis":
      return some(consent?.basis);
    case "consent_source":
      return some(consent?.source);
    default:
      return some(consent?.decidedAt);
  }
}

/** Types of the custom fields that our worlds have; a value of another type is missing. */
export const CUSTOM_FIELDS: CustomField[] = [
  { name: "nick", label: "Nick", type: "text", options: [] },
  { name: "points", label: "Points", type: "number", options: [] },
  { name: "birthday", label: "Birthday", type: "date", options: [] },
  { name: "vip", label: "VIP", type: "boolean", options: [] },
  { name: "plan", label: "Plan", type: "radio", options: ["gold", "Basic"] },
  { name: "likes", label: "Likes", type: "multiselect", options: ["tea", "Tee ☕", "100%"] },
];

function customValues({ fields }: Contact, name: string): Value[] {
  const type = CUSTOM_FIELDS.find((field) => field.name === name)?.type;
  const value = fields[name];
  if (type === "multiselect") return Array.isArray(value) ? value.flatMap(scalar) : [];
  const wanted = type === "number" || type === "boolean" ? type : "string";
  return typeof value === wanted ? scalar(value) : [];
}

function ofOrders(world: World, subject: Subject, field: string, now: number): Value[] | null {
  const counting = orders(world, subject);
  const [first, last] = [counting[0], counting.at(-1)];
  const own = counting.filter(({ currency }) => currency === world.currency);
  const lastQuantity = last?.lines.map(({ currentQuantity }) => currentQuantity);
  const refunded = world.refunds.filter(({ order }) =>
    realOrders(world, subject).some(({ externalId }) => externalId === order),
  );
  switch (field) {
    case "gross_revenue":
      return [sum(own.map(({ originalTotal }) => originalTotal))];
    case "products_purchased":
      return [sum(counting.flatMap(({ lines }) => lines.map(({ currentQuantity }) => currentQuantity)))];
    case "refunds_count":
      return [refunded.length];
    case "refunds_total":
      return [sum(refunded.filter(({ currency }) => currency === world.currency).map((refund) => refund.amount))];
    case "first_order_date":
      return some(first?.placedAt);
    case "last_order_date":
      return some(last?.placedAt);
    case "favourite_category":
      return some(favourite(counting.flatMap((order) => orderLines(world, order, false))));
    case "days_since_last_order":
      return last ? [Math.trunc((now - last.placedAt) / DAY)] : [];
    case "average_days_between_orders":
      return first && last && counting.length > 1
        ? [(last.placedAt - first.placedAt) / DAY / (counting.length - 1)]
        : [];
    case "last_order_total":
      return last?.currency === world.currency ? [last.total] : [];
    case "last_order_currency":
      return some(last && (last.presentmentCurrency ?? last.currency));
    case "last_order_state":
      return some(last?.state);
    case "last_order_product_count":
      return lastQuantity ? [sum(lastQuantity)] : [];
    case "last_order_shipping_method":
      return some(last?.shippingMethod);
    case "last_order_discount_code":
      return last?.discountCodes ?? [];
    case "last_order_source":
      return some(last?.sourceName);
    case "last_order_location":
      return some(last && (last.locationName ?? last.locationId));
    default:
      return null;
  }
}

/** The category of the most pieces, of equals the first by name, letter by letter. */
function favourite(lines: Line[]): Value | undefined {
  const pieces = new Map<string, number>();
  for (const { category = [], quantity = [] } of lines) {
    const name = String(category[0] ?? "");
    if (name !== "") pieces.set(name, (pieces.get(name) ?? 0) + Number(quantity[0]));
  }
  const letters = (name: string) =>
    Array.from(name, (letter) => (letter.codePointAt(0) ?? 0).toString(16).padStart(6, "0")).join();
  return [...pieces].sort(([a, m], [b, n]) => n - m || (letters(a) < letters(b) ? -1 : 1))[0]?.[0];
}

const FACTS = "product_id variant_id sku title category vendor tag collection price quantity on_sale discount".split(
  " ",
);

function ofLines(world: World, subject: Subject, field: string): Value[] | null {
  const [, which, fact = ""] = /^(last|any)_order_(.+)$/.exec(field) ?? [];
  if (which === undefined || !FACTS.includes(fact)) return null;
  const counting = orders(world, subject);
  return (which === "last" ? counting.slice(-1) : counting)
    .flatMap((order) => orderLines(world, order, false))
    .flatMap((line) => line[fact] ?? []);
}
