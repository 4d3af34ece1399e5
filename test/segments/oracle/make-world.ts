import type { Chance } from "./chance";
import {
  type BrowserEvent,
  type Cart,
  type Contact,
  type ContactText,
  CONTACT_TEXTS,
  type Json,
  type Order,
  type OrderLine,
  type Visitor,
  type World,
} from "./world";

const EMAILS: [string, ...string[]] = [
  "ada@example.com",
  "BOB@Example.org",
  "o'hara@müller.example",
  "x_y%z@a.example",
];
const PHONES: [string, ...string[]] = ["+4930123456", "+33123456789", "+442071234567", "+41441234567"];
const COUNTRIES: [string, ...string[]] = [
  "DE",
  "de",
  "Germany",
  "FR",
  "France",
  "CH",
  "Côte d’Ivoire",
  "United Kingdom",
  "UK",
  "Nowhere",
];
const STAGES: [string, ...string[]] = ["lead", "customer", "vip_club"];
const STATUSES: [string, ...string[]] = ["invited", "enabled", "paying", "disabled", "declined"];
const TAGS: [string, ...string[]] = ["VIP", "vip ", "Zoë", "50%", "a_b", "News"];
const PRODUCTS: [string, ...string[]] = ["p1", "p2", "p3", "50%", "gone"];
const URLS: [string, ...string[]] = [
  "https://a.example/",
  "https://a.example/products/mug?utm_source=news&utm_medium=E-Mail",
  "https://a.example/products/mug?x=1&utm_source=News&utm_campaign=",
  "https://a.example/p?utm_term=50%25&utm_content=a_b",
  "https://a.example/ümlaut",
  "https://a.example/?xutm_source=no",
];

const OWN_TEXTS: Partial<Record<ContactText, [string, ...string[]]>> = {
  email: EMAILS,
  phone: PHONES,
  country: COUNTRIES,
  source: ["Shopify", "Website", "API", "Import"],
  account_state: ["disabled", "invited", "enabled", "declined"],
};

export const CURRENCY = "EUR";
export const BROWSER_TYPES: [string, ...string[]] = [
  "page_viewed",
  "product_viewed",
  "collection_viewed",
  "search_submitted",
  "cart_viewed",
  "product_added_to_cart",
  "checkout_started",
  "checkout_completed",
  "form_submitted",
  "custom:quiz",
];

/** A world by chance: small, so that everybody can be looked at, and with every oddity that rows may have. */
export function makeWorld(chance: Chance, eventTypes: readonly string[]): World {
  chance.newMoments();
  const contacts = Array.from({ length: chance.int(5, 9) }, (_, i) => makeContact(chance, i + 1));
  const pages = URLS.map((url, i) => ({ key: i + 1, url, title: chance.maybe(0.8, () => chance.word()) }));
  const visitors = Array.from({ length: chance.int(6, 11) }, (_, i) =>
    makeVisitor(chance, i + 1, contacts.length, eventTypes, pages.length),
  );
  const orders = chance.some(6, 16, (i) => makeOrder(chance, i + 1, contacts.length, visitors));
  return {
    shop: 0,
    base: 0,
    currency: CURRENCY,
    contacts,
    visitors,
    orders,
    refunds: chance.some(0, 6, () => ({
      order: chance.chance(0.9) ? (chance.oneOf(orders)?.externalId ?? "none") : "none",
      amount: chance.int(0, 4) * 500,
      currency: chance.chance(0.9) ? CURRENCY : "USD",
      at: chance.moment(),
    })),
    carts: chance.some(5, 12, (i) => makeCart(chance, i + 1, contacts.length, visitors.length, orders)),
    products: PRODUCTS.filter((id) => id !== "gone" && chance.chance(0.9)).map((id) => ({
      id,
      category: chance.maybe(0.8, () => chance.word()),
      vendor: chance.maybe(0.8, () => chance.word()),
      tags: distinct(chance.some(0, 3, () => chance.word())),
      collections: distinct(chance.some(0, 2, () => chance.word())),
    })),
    pages,
    groups: (["segment", "list"] as const).map((of, i) => ({
      key: i + 1,
      of,
      members: [
        ...contacts
          .filter(() => chance.chance(0.4))
          .map(({ key }) => ({ kind: "contact" as const, key, at: chance.moment() })),
        ...visitors
          .filter(() => chance.chance(0.4))
          .map(({ key }) => ({ kind: "visitor" as const, key, at: chance.moment() })),
      ],
    })),
  };
}

const distinct = (texts: string[]) => [...new Set(texts)];

function makeContact(chance: Chance, key: number): Contact {
  const history = chance.some(0, 4, () => ({
    stage: chance.pick(STAGES),
    status: chance.maybe(0.7, () => chance.pick(STATUSES)),
    at: chance.moment(),
  }));
  const latest = history.toSorted((a, b) => a.at - b.at).at(-1);
  const texts: Contact["texts"] = {};
  for (const name of CONTACT_TEXTS) {
    const own = OWN_TEXTS[name];
    if (name === "source" || chance.chance(0.75))
      texts[name] = own ? chance.pick(own) : chance.chance(0.05) ? "" : chance.word();
  }
  const ordersCount = chance.int(0, 4);
  return {
    key,
    deletedAt: chance.maybe(0.1, () => chance.moment()),
    texts,
    taxExempt: chance.maybe(0.7, () => chance.chance(0.5)),
    stage: latest && chance.chance(0.9) ? latest.stage : chance.pick(STAGES),
    status: latest && chance.chance(0.9) ? latest.status : chance.maybe(0.6, () => chance.pick(STATUSES)),
    score: chance.int(-2, 6),
    ordersCount,
    ordersTotal: ordersCount * 500 * chance.int(0, 4) + chance.int(0, 1),
    createdAt: chance.moment(),
    updatedAt: chance.moment(),
    shopifyCreatedAt: chance.maybe(0.6, () => chance.moment()),
    fields: customValues(chance),
    tags: TAGS.filter(
      (label, i) => chance.chance(0.35) && TAGS.findIndex((one) => foldTag(one) === foldTag(label)) === i,
    ).map((label) => ({ label, removed: chance.chance(0.2) })),
    consents: (["email", "sms", "whatsapp"] as const).flatMap((channel) =>
      chance.chance(0.7)
        ? [
            {
              channel,
              state: chance.pick(["subscribed", "subscribed", "not_subscribed", "pending", "unsubscribed"]),
              level: chance.maybe(0.7, () => chance.pick(["single_opt_in", "confirmed_opt_in", "unknown"])),
              basis: chance.pick(["shopify", "form", "api", "phone_default"]),
              source: chance.maybe(0.6, () => chance.word()),
              decidedAt: chance.maybe(0.7, () => chance.moment()),
              updatedAt: chance.moment(),
            },
          ]
        : [],
    ),
    history,
  };
}

const foldTag = (label: string) => label.normalize("NFC").trim().toLowerCase();

/** Now and then of another type than the field's: a field may have been made anew. */
function customValues(chance: Chance): Record<string, Json> {
  const moment = () => {
    const at = new Date(chance.moment());
    const text = at.toISOString();
    return chance.pick([
      text.slice(0, 10),
      text.slice(0, 10),
      text,
      text.replace("Z", "+00:00"),
      `19${chance.int(40, 99)}-02-${chance.pick(["28", "29", "01"])}`,
    ]);
  };
  const values: Record<string, () => Json> = {
    nick: () => chance.word(),
    points: () => chance.pick([0, 1, 2.5, -3, 1e9, chance.int(0, 5)]),
    birthday: () =>
      moment().endsWith("-02-29") ? "2000-02-29" : moment().replace(/^(19\d[13579])-02-29$/, "2000-02-29"),
    vip: () => chance.chance(0.5),
    plan: () => chance.pick(["gold", "Basic"]),
    likes: () => distinct(chance.some(0, 3, () => chance.pick(["tea", "Tee ☕", "100%"]))),
  };
  const others: [Json, ...Json[]] = ["tea", 1, true, ["tea"], null, { a: "tea" }];
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, make]): [string, Json][] =>
      chance.chance(0.75) ? [[name, chance.chance(0.08) ? chance.pick(others) : make()]] : [],
    ),
  );
}

function touch(chance: Chance): Record<string, string | null> {
  return Object.fromEntries(
    ["source", "medium", "campaign", "term", "content", "channel", "referrer", "landingUrl"].map((name) => [
      name,
      chance.maybe(0.7, () => chance.word()),
    ]),
  );
}

function makeVisitor(chance: Chance, key: number, contacts: number, types: readonly string[], pages: number): Visitor {
  const channel = chance.chance(0.9) ? "browser" : "api";
  return {
    key,
    contact: chance.maybe(channel === "api" ? 1 : 0.5, () => chance.int(1, contacts)),
    channel,
    country: chance.maybe(0.8, () => chance.pick(["DE", "FR", "US"])),
    region: chance.maybe(0.7, () => chance.word()),
    city: chance.maybe(0.7, () => chance.word()),
    visits: chance.int(0, 3),
    pageViews: chance.int(0, 6),
    firstSeenAt: chance.moment(),
    lastSeenAt: chance.moment(),
    firstTouch: chance.maybe(0.8, () => touch(chance)),
    lastTouch: chance.maybe(0.8, () => touch(chance)),
    device: chance.maybe(0.8, () => ({
      type: chance.pick(["desktop", "mobile", "tablet"]),
      browser: chance.maybe(0.8, () => chance.pick(["Chrome", "Safari"])),
      os: chance.maybe(0.8, () => chance.pick(["Windows", "iOS"])),
    })),
    events: chance.some(0, 14, (i) => makeEvent(chance, i + 1, types, pages)),
  };
}

function makeEvent(chance: Chance, seq: number, types: readonly string[], pages: number): BrowserEvent {
  return {
    seq,
    at: chance.moment(),
    type: chance.chance(0.7) ? chance.pick(BROWSER_TYPES) : (chance.oneOf(types) ?? "page_viewed"),
    page: chance.maybe(0.8, () => chance.int(1, pages)),
    data: chance.maybe(0.85, () => eventData(chance)),
  };
}

const money = (chance: Chance): Json => ({
  amount: chance.int(0, 6) * 500,
  currency: chance.chance(0.85) ? CURRENCY : "USD",
});

/** Members that are there, each by chance. */
function members(chance: Chance, makers: Record<string, () => Json>): { [name: string]: Json } {
  return Object.fromEntries(
    Object.entries(makers).flatMap(([name, make]): [string, Json][] => (chance.chance(0.6) ? [[name, make()]] : [])),
  );
}

function eventData(chance: Chance): { [name: string]: Json } {
  return members(chance, {
    ...lineMakers(chance),
    referrer: () => chance.word(),
    collectionId: () => chance.pick(["c1", "c2"]),
    query: () => chance.word(),
    value: () => money(chance),
    orderId: () => chance.pick(["o1", "o2"]),
    lines: () => chance.some(0, 3, () => members(chance, lineMakers(chance))),
    note: () =>
      chance.pick<Json>([chance.word(), chance.int(0, 4), true, false, null, "", "12", { deep: chance.word() }]),
    when: () =>
      chance.pick<Json>([
        new Date(chance.moment()).toISOString(),
        new Date(chance.moment()).toISOString().slice(0, 10),
        "helloworld",
        "now",
        "2461000",
      ]),
    nested: () => ({ level: chance.pick<Json>([chance.int(0, 4), chance.word(), 2.5]), "a-b": chance.word() }),
  });
}

function lineMakers(chance: Chance): Record<string, () => Json> {
  return {
    productId: () => chance.pick(PRODUCTS),
    variantId: () => chance.pick(["v1", "v2"]),
    sku: () => chance.word(),
    title: () => chance.word(),
    quantity: () => chance.int(0, 3),
    price: () => money(chance),
  };
}

function makeLine(chance: Chance): OrderLine {
  const quantity = chance.int(1, 3);
  const price = chance.int(1, 4) * 500;
  return {
    productId: chance.maybe(0.9, () => chance.pick(PRODUCTS)),
    variantId: chance.maybe(0.7, () => chance.pick(["v1", "v2"])),
    sku: chance.maybe(0.7, () => chance.word()),
    title: chance.word(),
    vendor: chance.maybe(0.5, () => chance.word()),
    category: chance.maybe(0.4, () => chance.word()),
    quantity,
    currentQuantity: chance.chance(0.8) ? quantity : chance.int(0, quantity),
    price,
    discountedPrice: chance.chance(0.6) ? price : Math.max(0, price - chance.int(0, 2) * 500),
  };
}

function makeOrder(chance: Chance, key: number, contacts: number, visitors: Visitor[]): Order {
  const visitor = chance.maybe(0.6, () => chance.oneOf(visitors) ?? null);
  const total = chance.int(0, 6) * 500;
  return {
    key,
    contact: visitor?.contact ?? chance.maybe(visitor ? 0.2 : 0.95, () => chance.int(1, contacts)),
    visitor: visitor?.key ?? null,
    origin: chance.chance(0.8) ? "shopify" : "api",
    externalId: `ext-${key}`,
    state: chance.pick(["completed", "pending_payment", "refunded", "cancelled"]),
    currency: chance.chance(0.9) ? CURRENCY : "USD",
    total,
    originalTotal: total + chance.int(0, 2) * 500,
    presentmentCurrency: chance.maybe(0.4, () => chance.pick(["EUR", "USD"])),
    discountCodes: distinct(chance.some(0, 2, () => chance.pick(["SPRING", "spring", "50%", "Zoë"]))),
    shippingMethod: chance.maybe(0.7, () => chance.word()),
    sourceName: chance.maybe(0.7, () => chance.pick(["web", "pos"])),
    locationId: chance.maybe(0.5, () => chance.pick(["l1", "l2"])),
    locationName: chance.maybe(0.4, () => chance.word()),
    landingSite: chance.maybe(0.5, () => chance.word()),
    referringSite: chance.maybe(0.5, () => chance.word()),
    test: chance.chance(0.1),
    placedAt: chance.moment(),
    paidAt: chance.maybe(0.6, () => chance.moment()),
    fulfilledAt: chance.maybe(0.6, () => chance.moment()),
    cancelledAt: chance.maybe(0.2, () => chance.moment()),
    cartToken: chance.maybe(0.4, () => `cart-${chance.int(1, 12)}`),
    checkoutToken: chance.maybe(0.4, () => `chk-${chance.int(1, 12)}`),
    lines: chance.some(0, 3, () => makeLine(chance)),
  };
}

function makeCart(chance: Chance, key: number, contacts: number, visitors: number, orders: Order[]): Cart {
  const purchasedBy = chance.maybe(0.5, () => chance.pick<"browser" | "order">(["browser", "browser", "order"]));
  const ofCheckout = chance.chance(0.2);
  const order = chance.chance(0.2) ? chance.oneOf(orders) : undefined;
  return {
    key,
    token: ofCheckout
      ? `checkout:${order?.checkoutToken ?? `chk-${key}`}-${chance.chance(0.5) ? key : ""}`.replace(/-$/, "")
      : `cart-${key}`,
    checkoutToken: chance.maybe(ofCheckout ? 0 : 0.5, () => `chk-${key}`),
    visitor: chance.maybe(0.7, () => chance.int(1, visitors)),
    contact: chance.maybe(0.5, () => chance.int(1, contacts)),
    state: chance.pick(["open", "open", "abandoned", "recovered", "purchased"]),
    currency: chance.chance(0.85) ? CURRENCY : chance.maybe(0.5, () => "USD"),
    value: chance.maybe(0.9, () => chance.int(0, 6) * 500),
    items: chance.some(0, 3, () => members(chance, { ...lineMakers(chance), vendor: () => chance.word() })),
    activityAt: chance.moment(),
    abandonedAt: chance.maybe(0.5, () => chance.moment()),
    recoveredAt: chance.maybe(0.4, () => chance.moment()),
    purchasedAt: purchasedBy && chance.moment(),
    purchasedBy,
  };
}
