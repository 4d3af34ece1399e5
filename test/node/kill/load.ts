import { createHmac, randomUUID } from "node:crypto";

import type { Ledger, SentCart } from "./ledger";
import type { Random } from "../../helpers/random";
import { type Product, WEBHOOK_SECRET } from "./worker";

const BROWSER =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";

/** Between an attempt that failed and the next, ms. */
const PAUSE_MS = 100;

/** Shopify's ids are 64 bits long; a number type that cannot hold them must not lose their last digits. */
const FIRST_ID = 9_007_199_254_740_993n;

interface Event {
  id: string;
  type: string;
  at: number;
  url?: string;
  data?: Record<string, unknown>;
}

/**
 * Shoppers and Shopify: both send everything again until it is acknowledged, with the same ids, both now and then send
 * twice what was acknowledged already, and a few give up.
 */
export class Load {
  readonly #product: Product;
  readonly #domain: string;
  readonly #ledger: Ledger;
  readonly #random: Random;
  #ids = 0;
  #running: Promise<unknown> | null = null;
  #isOn = false;

  constructor(product: Product, domain: string, ledger: Ledger, random: Random) {
    this.#product = product;
    this.#domain = domain;
    this.#ledger = ledger;
    this.#random = random;
  }

  /** Goes on until `stop`, also while the Worker is down. */
  start(): void {
    this.#isOn = true;
    const loops = [
      ...Array.from({ length: 4 }, () => () => this.#shopper()),
      ...Array.from({ length: 7 }, () => () => this.#customer()),
      ...Array.from({ length: 3 }, () => this.#regular()),
    ];
    this.#running = Promise.all(loops.map((loop) => this.#repeat(loop)));
  }

  /** Whoever has no answer yet gives up. */
  async stop(): Promise<void> {
    this.#isOn = false;
    await this.#running;
  }

  async #repeat(step: () => Promise<void>): Promise<void> {
    while (this.#isOn) {
      await step();
      await pause(this.#random.int(0, 30));
    }
  }

  /** One visit of somebody new, from the first page to wherever it ends. */
  async #shopper(): Promise<void> {
    const visitor = randomUUID();
    for (let i = this.#random.int(1, 3); i > 0; i--) await this.#beacon(visitor, this.#pages());
    if (this.#random.chance(0.3)) {
      await this.#beacon(visitor, [
        this.#event("page_viewed", { url: "https://acme.example/?utm_source=x&utm_campaign=c" }),
      ]);
    }
    if (this.#random.chance(0.4)) {
      const email = `${visitor}@example.com`;
      const told = this.#event("identified", { data: { email } });
      if ((await this.#beacon(visitor, [told])) === "acknowledged") this.#ledger.identified.set(email, visitor);
    }
    if (this.#random.chance(0.5)) await this.#fillCart(visitor, this.#cart());
  }

  /** Somebody who never leaves: pages beside events that are flushed at once, several requests under way together. */
  #regular(): () => Promise<void> {
    const visitor = randomUUID();
    return async () => {
      const hot = this.#event("form_submitted", { data: { form: "stock" } });
      await Promise.all([
        this.#beacon(visitor, [hot]),
        this.#beacon(visitor, this.#pages()),
        this.#beacon(visitor, this.#pages()),
      ]);
    };
  }

  async #fillCart(visitor: string, cart: SentCart): Promise<void> {
    const value = { amount: 4200, currency: "EUR" };
    const filled = this.#event("cart_updated", {
      data: { token: cart.token, value, lines: [{ productId: 1, title: "Mug", quantity: 2 }] },
    });
    await this.#onCart(cart, filled.at, () => this.#beacon(visitor, [filled, ...this.#pages()]));
    const isBought = cart.activityAt !== null && this.#random.chance(0.4);
    if (!isBought) return;
    const paid = this.#event("checkout_completed", { data: { cartToken: cart.token } });
    const fate = await this.#beacon(visitor, [paid]);
    if (fate === "acknowledged") cart.purchase = { at: paid.at, by: "browser" };
    else cart.isUnsure = true;
  }

  /** A customer of the store as its webhooks tell, some of them with a visit before. */
  async #customer(): Promise<void> {
    const id = this.#id();
    const email = `${id}@example.org`;
    const person = { id: `#${id}`, email, first_name: "Ada", created_at: now(), updated_at: now() };
    const known = { email, fate: "unknown" as "unknown" | "acknowledged" };
    this.#ledger.customers.set(id, known);
    if ((await this.#webhook("customers/create", person)) === "acknowledged") known.fate = "acknowledged";
    const cart = this.#cart();
    const visitor = this.#random.chance(0.4) ? randomUUID() : null;
    if (visitor) await this.#beacon(visitor, this.#pages());
    const notes = visitor ? [{ name: "__ff_visitor", value: visitor }] : [];
    const common = {
      cart_token: cart.token,
      currency: "EUR",
      total_price: "42.00",
      customer: person,
      note_attributes: notes,
      line_items: [{ id: `#${this.#id()}`, product_id: 7, title: "Mug", quantity: 2, price: "21.00" }],
    };
    const checkout = { ...common, token: `checkout-${cart.token}`, created_at: now(), updated_at: now() };
    const fate = await this.#onCart(cart, Date.parse(checkout.updated_at), () =>
      this.#webhook("checkouts/create", checkout),
    );
    if (fate === "acknowledged") {
      known.fate = "acknowledged";
      if (visitor && [...(this.#ledger.events.get(visitor)?.values() ?? [])].includes("acknowledged")) {
        this.#ledger.joined.set(visitor, id);
      }
    }
    if (this.#random.chance(0.5)) await this.#order(id, cart, { ...common, checkout_token: checkout.token });
  }

  async #order(customer: string, cart: SentCart, common: Record<string, unknown>): Promise<void> {
    const id = this.#id();
    const created = now();
    const order = {
      ...common,
      id: `#${id}`,
      name: `#${id}`,
      financial_status: "paid",
      created_at: created,
      updated_at: created,
    };
    const fate = await this.#webhook("orders/create", order);
    if (fate === "acknowledged") cart.purchase = { at: Date.parse(created), by: "order" };
    else cart.isUnsure = true;
    const sent: Ledger["orders"][number] = { id, customer, cartToken: cart.token, total: 4200, refund: null, fate };
    this.#ledger.orders.push(sent);
    if (fate === "unknown" || this.#random.chance(0.5)) return;
    const refund = {
      id: `#${this.#id()}`,
      order_id: `#${id}`,
      created_at: now(),
      refund_line_items: [{ line_item_id: 1, quantity: 1, subtotal: 21, total_tax: 0 }],
    };
    const fateOfRefund = await this.#webhook("refunds/create", refund);
    sent.refund = { id: refund.id.slice(1), amount: 2100, fate: fateOfRefund };
  }

  #pages(): Event[] {
    const kinds = ["page_viewed", "page_viewed", "product_viewed", "custom:hovered"] as const;
    return Array.from({ length: this.#random.int(1, 4) }, () =>
      this.#event(this.#random.pick(kinds), { url: `https://acme.example/p/${this.#random.int(1, 20)}` }),
    );
  }

  #event(type: string, more: Pick<Event, "url" | "data">): Event {
    return { id: `e${++this.#ids}`, type, at: Date.now(), ...more };
  }

  #cart(): SentCart {
    const cart = { token: `cart-${++this.#ids}`, activityAt: null, isUnsure: false, purchase: null };
    this.#ledger.carts.push(cart);
    return cart;
  }

  #id(): string {
    return String(FIRST_ID + BigInt(++this.#ids));
  }

  async #onCart(cart: SentCart, at: number, send: () => Promise<"acknowledged" | "unknown">) {
    const fate = await send();
    if (fate === "acknowledged") cart.activityAt = at;
    else cart.isUnsure = true;
    return fate;
  }

  async #beacon(visitor: string, events: Event[]) {
    const body = JSON.stringify({ shop: this.#domain, visitor, consent: { analytics: true }, events });
    const headers = { "content-type": "text/plain", "user-agent": BROWSER, "cf-ipcountry": "DE" };
    const mine = this.#ledger.events.get(visitor) ?? new Map<string, "acknowledged" | "unknown">();
    this.#ledger.events.set(visitor, mine);
    const mark = (fate: "acknowledged" | "unknown") => {
      for (const { type, id } of events) mine.set(`${type} ${id}`, fate);
    };
    mark("unknown");
    const fate = await this.#deliver("/ff", 204, () => ({ method: "POST", headers, body }));
    mark(fate);
    return fate;
  }

  async #webhook(topic: string, payload: Record<string, unknown>) {
    // Ids are numbers in Shopify's bodies, and longer than JavaScript's.
    const body = JSON.stringify(payload).replaceAll(/"(?:[\w ]+)":"#(\d+)"/g, (member, id: string) =>
      member.startsWith('"name"') ? member : `${member.slice(0, member.indexOf(":") + 1)}${id}`,
    );
    const webhookId = randomUUID();
    const headers = {
      "content-type": "application/json",
      "x-shopify-topic": topic,
      "x-shopify-shop-domain": this.#domain,
      "x-shopify-webhook-id": webhookId,
      "x-shopify-api-version": "2026-07",
      "x-shopify-triggered-at": now(),
      "x-shopify-hmac-sha256": createHmac("sha256", WEBHOOK_SECRET).update(body).digest("base64"),
    };
    this.#ledger.webhooks.set(webhookId, "unknown");
    const fate = await this.#deliver("/webhooks/shopify", 200, () => ({ method: "POST", headers, body }));
    this.#ledger.webhooks.set(webhookId, fate);
    return fate;
  }

  /** Sends until it is acknowledged, and a third of it once or twice more. */
  async #deliver(path: string, accepted: number, request: () => RequestInit): Promise<"acknowledged" | "unknown"> {
    for (;;) {
      const answers = await Promise.all(
        Array.from({ length: this.#random.chance(0.1) ? 2 : 1 }, () => this.#try(path, request())),
      );
      if (answers.includes(accepted)) break;
      if (!this.#isOn || this.#random.chance(0.01)) return "unknown";
      await pause(PAUSE_MS);
    }
    if (this.#random.chance(0.3)) await this.#try(path, request());
    return "acknowledged";
  }

  /** The answer's status; 0 without an answer. */
  async #try(path: string, request: RequestInit): Promise<number> {
    try {
      const response = await this.#product.fetch(path, request);
      await response.arrayBuffer();
      this.#ledger.answered(path, response.status);
      return response.status;
    } catch {
      return 0;
    }
  }
}

function now(): string {
  return new Date().toISOString();
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
