import { type Chance, ZONES } from "./chance";
import {
  distinct,
  lineMakers,
  makeCart,
  makeOrder,
  makeProduct,
  makeRefund,
  members,
  money,
  PRODUCTS,
} from "./make-commerce";
import {
  type BrowserEvent,
  type Contact,
  type ContactText,
  CONTACT_TEXTS,
  type Json,
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
export const STAGES: [string, ...string[]] = ["lead", "customer", "vip_club"];
export const STATUSES: [string, ...string[]] = ["invited", "enabled", "paying", "disabled", "declined"];
export const TAGS: [string, ...string[]] = ["VIP", "vip ", "Zoë", "50%", "a_b", "News"];
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
  chance.newWorld();
  const contacts = Array.from({ length: chance.int(5, 9) }, (_, i) => makeContact(chance, i + 1));
  const pages = URLS.map((url, i) => ({ key: i + 1, url, title: chance.maybe(0.8, () => chance.word()) }));
  const visitors = Array.from({ length: chance.int(6, 11) }, (_, i) =>
    makeVisitor(chance, i + 1, contacts.length, eventTypes, pages.length),
  );
  const orders = chance.some(6, 16, (i) => makeOrder(chance, i + 1, contacts.length, visitors));
  return {
    shop: 0,
    base: 0,
    currency: chance.currency,
    zone: chance.pick(ZONES),
    contacts,
    visitors,
    orders,
    refunds: chance.some(0, 6, (i) => makeRefund(chance, i + 1, orders)),
    carts: chance
      .some(5, 12, (i) => makeCart(chance, i + 1, contacts.length, visitors.length, orders))
      .filter(({ token }, i, all) => all.findIndex((other) => other.token === token) === i),
    products: PRODUCTS.filter((id) => id !== "gone" && chance.chance(0.9)).map((id) => makeProduct(chance, id)),
    pages,
    rfm: chance.maybe(0.9, () => ({
      recency: fifths(() => chance.moment()),
      frequency: fifths(() => chance.int(0, 4)),
      monetary: fifths(() => chance.int(0, 16) * 500),
    })),
    groups: (["segment", "list"] as const).map((of, i) => ({
      key: i + 1,
      of,
      isLive: false,
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

const fifths = (make: () => number) => [make(), make(), make(), make()].sort((a, b) => a - b);

export function makeContact(chance: Chance, key: number): Contact {
  const history = chance.some(0, 4, (i) => ({
    key: key * 10 + i,
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
export function customValues(chance: Chance): Record<string, Json> {
  const moment = () => {
    const at = new Date(chance.moment());
    const text = at.toISOString();
    return chance.pick([
      text.slice(0, 10),
      text.slice(0, 10),
      text,
      text.replace("Z", "+00:00"),
      `19${chance.int(40, 99)}-02-28`,
      `19${chance.int(10, 24) * 4}-02-29`,
      `19${chance.int(40, 99)}-03-01`,
    ]);
  };
  const values: Record<string, () => Json> = {
    nick: () => chance.word(),
    points: () => chance.pick([0, 1, 2.5, -3, 1e9, chance.int(0, 5)]),
    birthday: moment,
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

export function touch(chance: Chance): Record<string, string | null> {
  return Object.fromEntries(
    ["source", "medium", "campaign", "term", "content", "channel", "referrer", "landingUrl"].map((name) => [
      name,
      chance.maybe(0.7, () => chance.word()),
    ]),
  );
}

export function makeVisitor(
  chance: Chance,
  key: number,
  contacts: number,
  types: readonly string[],
  pages: number,
): Visitor {
  const channel = chance.chance(0.9) ? "browser" : "api";
  return {
    key,
    contact: chance.maybe(channel === "api" ? 1 : 0.5, () => chance.int(1, contacts)),
    channel,
    country: chance.maybe(0.8, () => chance.pick(["DE", "FR", "US"])),
    region: chance.maybe(0.7, () => chance.word()),
    city: chance.maybe(0.7, () => chance.word()),
    cell: chance.maybe(0.8, () => 14_000_000 + chance.int(0, 30) * 10_000 + 1_930 + chance.int(0, 30)),
    timezone: chance.maybe(0.7, () => chance.pick(["Europe/Berlin", "America/New_York"])),
    language: chance.maybe(0.7, () => chance.pick(["de", "en", "fil"])),
    visits: chance.int(0, 3),
    visitSeconds: chance.int(0, 5) * 30,
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

export function makeEvent(chance: Chance, seq: number, types: readonly string[], pages: number): BrowserEvent {
  return {
    seq,
    at: chance.moment(),
    type: chance.chance(0.7) ? chance.pick(BROWSER_TYPES) : (chance.oneOf(types) ?? "page_viewed"),
    page: chance.maybe(0.8, () => chance.int(1, pages)),
    data: chance.maybe(0.85, () => eventData(chance)),
  };
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
