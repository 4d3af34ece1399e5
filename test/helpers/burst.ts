import type { Random } from "./random";

/** One delivery of a burst. */
export interface BurstDelivery {
  topic: string;
  webhookId: string;
  triggeredAt: number;
  body: string;
}

export interface Burst {
  /** As they arrive: late ones first, shuffled, with duplicates. */
  arriving: BurstDelivery[];
  /** The newest of each record, oldest first: applied in this order they lead to the same state. */
  newest: BurstDelivery[];
  /** Deliveries that differ from each other. */
  distinct: number;
}

type Fields = Record<string, unknown>;

const MINUTE_MS = 60_000;

/** What a burst of this size is made of, besides duplicates: shares of it. */
const STORM = 0.15;
const CUSTOMERS = 0.02;
const ORDERS = 0.05;
const PRODUCTS = 0.002;

const iso = (at: number) => new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z");
const money = (amount: string) => ({
  shop_money: { amount, currency_code: "EUR" },
  presentment_money: { amount, currency_code: "EUR" },
});

/**
 * A flash sale as a shop's deliveries: one customer updated over and over, orders from cart to refund, tags and
 * consents that change back and forth, products; out of order and with duplicates of both kinds (the same webhook id,
 * and the same bytes under another). Repeats itself for the same dice.
 *
 * @param size deliveries, duplicates included
 * @param now everything happened in the three hours before
 */
export function burst(size: number, random: Random, now: number): Burst {
  const made = new Series(now - 170 * MINUTE_MS);
  const share = (part: number) => Math.max(2, Math.round(size * part));
  const customers = Array.from({ length: share(CUSTOMERS) }, (_, i) => customerOf(i));

  for (const customer of customers)
    made.add("customers/create", `customer ${customer.id}`, (at) => person(customer, at));
  for (let i = 0; i < share(STORM); i++) {
    const storm = customerOf(0);
    made.add("customers/update", `customer ${storm.id}`, (at) => ({ ...person(storm, at), first_name: `Storm ${i}` }));
  }
  for (let i = 0; i < share(ORDERS); i++) {
    shopping(made, i, customers[random.int(1, customers.length - 1)] ?? customerOf(1), random);
  }
  for (const customer of customers) decisions(made, customer, random);
  for (let i = 0; i < share(PRODUCTS); i++) {
    for (let version = 0; version < 10; version++) {
      made.add("products/update", `product ${i}`, (at) => ({
        id: 3_000 + i,
        title: `Lamp ${i} v${version}`,
        vendor: "Glow",
        product_type: "Lights",
        tags: "brass",
        updated_at: iso(at),
      }));
    }
  }

  const distinct = made.all.slice(0, size);
  const arriving = distinct.toReversed();
  while (arriving.length < size) {
    const again = random.pick(distinct as [BurstDelivery, ...BurstDelivery[]]);
    arriving.push(random.chance(0.5) ? again : { ...again, webhookId: `again-${arriving.length}` });
  }
  shuffleNearby(arriving, random, Math.ceil(size / 4));
  return { arriving, newest: made.newest(distinct), distinct: distinct.length };
}

/** Deliveries in the order of what happened, and which of them is the newest of its record. */
class Series {
  readonly all: BurstDelivery[] = [];
  readonly #records = new Map<string, BurstDelivery>();
  readonly #order: { delivery: BurstDelivery; at: number; record: string }[] = [];
  #at: number;

  constructor(start: number) {
    this.#at = start;
  }

  /** @param record bodies of one record replace each other; every record of its own name stands for itself */
  add(topic: string, record: string, make: (at: number) => Fields): void {
    this.#at += 1_000;
    const delivery = {
      topic,
      webhookId: `burst-${this.all.length}`,
      triggeredAt: this.#at + 300,
      body: JSON.stringify(make(this.#at)),
    };
    this.all.push(delivery);
    this.#order.push({ delivery, at: this.#at, record });
  }

  newest(among: BurstDelivery[]): BurstDelivery[] {
    const kept = new Set(among);
    for (const { delivery, record } of this.#order) if (kept.has(delivery)) this.#records.set(record, delivery);
    const last = new Set(this.#records.values());
    return among.filter((delivery) => last.has(delivery));
  }
}

interface Customer {
  id: number;
  email: string;
}

function customerOf(i: number): Customer {
  return { id: 700_000 + i, email: `shopper${i}@post.example` };
}

function person({ id, email }: Customer, at: number): Fields {
  return {
    id,
    admin_graphql_api_id: `gid://shopify/Customer/${id}`,
    email,
    first_name: "Mira",
    last_name: `Ödegård ${id}`,
    state: "enabled",
    tax_exempt: false,
    phone: null,
    currency: "EUR",
    created_at: iso(at - 86_400_000),
    updated_at: iso(at),
    default_address: {
      id: id + 1,
      address1: "Große Straße 5",
      city: "Köln",
      zip: "50667",
      country_code: "DE",
      country: "Germany",
      phone: null,
    },
  };
}

/** From the cart to the order, to payment and fulfilment, and sometimes to a refund or a cancellation. */
function shopping(made: Series, i: number, customer: Customer, random: Random): void {
  const [cartToken, checkoutToken, id] = [`cart-${i}`, `checkout-${i}`, 800_000 + i];
  const quantity = random.int(1, 5);
  const lines = (n: number) => [
    {
      id: id * 10,
      product_id: 3_000 + (i % 7),
      variant_id: 4_000,
      title: "Lamp",
      sku: "LAMP",
      quantity: n,
      price: "20.00",
    },
  ];
  for (const n of [1, quantity]) {
    made.add(n === 1 ? "carts/create" : "carts/update", `cart ${i} ${n}`, (at) => ({
      id: cartToken,
      token: cartToken,
      updated_at: new Date(at).toISOString(),
      created_at: iso(at),
      line_items: lines(n),
    }));
  }
  made.add("checkouts/create", `checkout ${i}`, (at) => ({
    token: checkoutToken,
    cart_token: cartToken,
    email: customer.email,
    currency: "EUR",
    total_price: `${20 * quantity}.00`,
    abandoned_checkout_url: `https://lamps.example/checkouts/${checkoutToken}`,
    created_at: iso(at),
    updated_at: iso(at),
    line_items: lines(quantity),
  }));
  const ends = random.pick(["fulfilled", "refunded", "cancelled"]);
  const total = `${20 * quantity}.00`;
  const refund = (at: number) => ({
    id: 600_000 + i,
    order_id: id,
    created_at: iso(at),
    processed_at: iso(at),
    refund_line_items: [{ id: 1, line_item_id: id * 10, quantity: 1, subtotal: 20, subtotal_set: money("20.00") }],
    order_adjustments: [],
    transactions: [],
  });
  const placedAt = { at: 0 };
  const order = (at: number, more: Fields): Fields => {
    placedAt.at ||= at;
    return {
      id,
      admin_graphql_api_id: `gid://shopify/Order/${id}`,
      name: `#${1_000 + i}`,
      cart_token: cartToken,
      checkout_token: checkoutToken,
      created_at: iso(placedAt.at),
      processed_at: iso(placedAt.at),
      updated_at: iso(at),
      currency: "EUR",
      financial_status: "pending",
      fulfillment_status: null,
      total_price: total,
      current_total_price: total,
      total_price_set: money(total),
      current_total_price_set: money(total),
      email: customer.email,
      line_items: lines(quantity),
      fulfillments: [],
      refunds: [],
      customer: { ...person(customer, placedAt.at), updated_at: undefined, created_at: undefined },
      ...more,
    };
  };
  const about = `order ${i}`;
  made.add("orders/create", `${about} created`, (at) => order(at, {}));
  made.add("orders/updated", about, (at) => order(at, { note: "call first" }));
  made.add("orders/paid", `${about} paid`, (at) => order(at, { financial_status: "paid" }));
  if (ends === "fulfilled") {
    made.add("orders/fulfilled", about, (at) =>
      order(at, {
        financial_status: "paid",
        fulfillment_status: "fulfilled",
        fulfillments: [{ created_at: iso(at), status: "success" }],
      }),
    );
  } else if (ends === "cancelled") {
    made.add("orders/cancelled", about, (at) =>
      order(at, { financial_status: "refunded", cancelled_at: iso(at), cancel_reason: "customer" }),
    );
  } else {
    made.add("refunds/create", `refund ${i}`, refund);
    const left = `${20 * (quantity - 1)}.00`;
    made.add("orders/updated", about, (at) =>
      order(at, {
        financial_status: quantity === 1 ? "refunded" : "partially_refunded",
        current_total_price: left,
        current_total_price_set: money(left),
        refunds: [refund(at - 1_000)],
      }),
    );
  }
}

/** Tags and consents that change back and forth. */
function decisions(made: Series, { id, email }: Customer, random: Random): void {
  for (const tag of ["VIP", "lamp"]) {
    for (const added of [true, false, random.chance(0.5)]) {
      made.add(added ? "customer.tags_added" : "customer.tags_removed", `tag ${id} ${tag}`, (at) => ({
        customerId: `gid://shopify/Customer/${id}`,
        tags: [tag],
        occurredAt: new Date(at).toISOString(),
      }));
    }
  }
  for (const state of ["subscribed", "unsubscribed", random.pick(["subscribed", "unsubscribed"])]) {
    made.add("customers_email_marketing_consent/update", `consent ${id}`, (at) => ({
      customer_id: id,
      email_address: email,
      email_marketing_consent: { state, opt_in_level: "single_opt_in", consent_updated_at: iso(at) },
    }));
  }
}

function shuffleNearby(list: BurstDelivery[], random: Random, reach: number): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.int(Math.max(0, i - reach), i);
    const [a, b] = [list[i], list[j]];
    if (a !== undefined && b !== undefined) [list[i], list[j]] = [b, a];
  }
}

/** What a merchant could see of a shop, without our own ids and the times of our own work: one query a part. */
export const VISIBLE_STATE: Record<string, string> = {
  contacts: `select shopify_customer_id, email, phone, first_name, last_name, line1, city, country, zip, source, account_state,
    stage, status, orders_count, shopify_updated_at from contacts where shop = ? and deleted_at is null order by 1`,
  identities: `select i.kind, i.value, c.shopify_customer_id from identities i join contacts c on c.key = i.contact
    where i.shop = ? order by 1, 2`,
  consents: `select c.shopify_customer_id, channel, state, level, basis, decided_at from consents x
    join contacts c on c.key = x.contact where x.shop = ? order by 1, 2`,
  tags: `select c.shopify_customer_id, t.label, t.origin from contact_tags t join contacts c on c.key = t.contact
    where t.shop = ? and t.removed = 0 order by 1, 2`,
  orders: `select o.external_id, o.state, o.financial_status, o.fulfillment_status, o.total, o.original_total, o.cart_token,
    o.paid_at is not null as paid, o.cancelled_at, o.fulfilled_at, o.source_updated_at, c.shopify_customer_id
    from orders o left join contacts c on c.key = o.contact where o.shop = ? order by 1`,
  lines: `select o.external_id, i.line, i.quantity, i.current_quantity, i.price from order_items i
    join orders o on o.key = i."order" where o.shop = ? order by 1, 2`,
  refunds: "select external_id, order_external_id, amount, currency from refunds where shop = ? order by 1",
  carts: `select k.token, k.checkout_token, k.state, k.value, k.currency, k.items, k.reached, c.shopify_customer_id
    from carts k left join contacts c on c.key = k.contact where k.shop = ? order by 1`,
  products: "select external_id, title, category, tags from products where shop = ? order by 1",
  unfinished: "select topic, state, error from webhook_inbox where shop = ? and state in ('pending', 'dead')",
};
