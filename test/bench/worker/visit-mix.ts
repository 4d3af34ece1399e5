/**
 * The visit mix that row writes are counted over. Shares are assumptions, written here and in docs/bench.md: 3.7 page
 * views a visit and 45% of visits with a single one are the design's; the shares of carts, checkouts, purchases and
 * newsletter forms are those of an ordinary shop.
 */
export const MIX = {
  onePageShare: 0.45,
  pagesPerVisit: 3.7,
  /** Mean time on a page, exponentially spread, s. */
  secondsPerPage: 50,
  newVisitorShare: 0.65,
  /** Share of visits with something put into the cart, and mean number of changes of such a cart. */
  cartShare: 0.08,
  changesPerCart: 1.6,
  /** Share of carts that reach the checkout, and of those that pay. */
  checkoutShare: 0.5,
  paidShare: 0.5,
  /** Share of visits that leave an address in a form. */
  formShare: 0.02,
  /** Pages of the shop, visited by a Zipf law. */
  pages: 500,
  /** Share of page views that show a product or a collection, of which a Shopify theme's part tells beside the view. */
  productShare: 0.45,
  collectionShare: 0.2,
} as const;

/**
 * What shoppers do: `browsing` only looks at pages, `shop` adds carts, checkouts and forms in the shares above, `theme`
 * also what a Shopify theme's part tells beside each page view.
 */
export type Mix = "browsing" | "shop" | "theme";

/** Visits a day of a shop with a million page views in 30 days. */
export const VISITS_PER_DAY = 1_000_000 / 30 / MIX.pagesPerVisit;

export interface SentEvent {
  id: string;
  type: string;
  at: number;
  url: string;
  title: string;
  referrer?: string;
  data?: Record<string, unknown>;
}

export interface SentBeacon {
  at: number;
  visitor: string;
  events: SentEvent[];
}

/** Mulberry32: the same visits in every run. */
export function randomFrom(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const SITE = "https://bench.example";
const SOURCES = ["https://www.google.com/", "https://www.instagram.com/", ""];

/** Makes visits one after the other, each as the beacons that the tracker would send. */
export class VisitMaker {
  readonly #random: () => number;
  readonly #mix: Mix;
  readonly #weights: number[];
  /** Browsers that may come back, with the end of their last visit. */
  readonly #known: { visitor: string; until: number }[] = [];
  #made = 0;

  constructor(seed: number, mix: Mix) {
    this.#random = randomFrom(seed);
    this.#mix = mix;
    let sum = 0;
    this.#weights = Array.from({ length: MIX.pages }, (_, i) => (sum += 1 / (i + 1)));
  }

  /** The beacons of a visit that starts at `at`, in their order. */
  visit(at: number): SentBeacon[] {
    const visitor = this.#visitorAt(at);
    const pages = this.#random() < MIX.onePageShare ? 1 : 2 + this.#geometric(MORE_PAGES);
    const browses = this.#mix === "browsing";
    const cartAt = !browses && pages > 1 && this.#random() < MIX.cartShare / (1 - MIX.onePageShare) ? pages - 1 : -1;
    const formAt = !browses && this.#random() < MIX.formShare ? pages - 1 : -1;
    const from = SOURCES[Math.floor(this.#random() * SOURCES.length)] ?? "";
    const beacons: SentBeacon[] = [];
    let now = at;
    let referrer = from;
    for (let page = 0; page < pages; page++) {
      const url = this.#page(page === 0 && from !== "");
      const view = this.#event("page_viewed", now, url, referrer);
      beacons.push({ at: now, visitor, events: this.#mix === "theme" ? [view, ...this.#shown(now, url)] : [view] });
      if (page === cartAt) beacons.push(...this.#cart(visitor, now, url));
      if (page === formAt) beacons.push(this.#form(visitor, now, url));
      referrer = url;
      now += Math.ceil(-Math.log(1 - this.#random()) * 1000 * MIX.secondsPerPage);
    }
    beacons.sort((a, b) => a.at - b.at);
    this.#known.push({ visitor, until: beacons.at(-1)?.at ?? at });
    return beacons;
  }

  #visitorAt(at: number): string {
    const back = this.#random() >= MIX.newVisitorShare;
    const idle = this.#known.findIndex(({ until }) => until < at - 40 * 60_000);
    if (back && idle >= 0) return this.#known.splice(idle, 1)[0]?.visitor ?? this.#uuid();
    return this.#uuid();
  }

  #event(type: string, at: number, url: string, referrer?: string, data?: Record<string, unknown>): SentEvent {
    return {
      id: `e${(this.#made++).toString(36).padStart(11, "0")}`,
      type,
      at,
      url,
      title: `Title of ${url}`,
      ...(referrer ? { referrer } : {}),
      ...(data ? { data } : {}),
    };
  }

  #shown(at: number, url: string): SentEvent[] {
    const dice = this.#random();
    if (dice < MIX.productShare) {
      return [
        this.#event("product_viewed", at, url, undefined, { productId: "7", price: { amount: 1999, currency: "EUR" } }),
      ];
    }
    if (dice < MIX.productShare + MIX.collectionShare) {
      return [this.#event("collection_viewed", at, url, undefined, { collectionId: "3" })];
    }
    return [];
  }

  #cart(visitor: string, from: number, url: string): SentBeacon[] {
    const token = this.#uuid();
    const beacons: SentBeacon[] = [];
    const tell = (at: number, type: string, data: Record<string, unknown>) =>
      beacons.push({ at, visitor, events: [this.#event(type, at, url, undefined, data)] });
    const value = { amount: 1999, currency: "EUR" };
    const changes = 1 + this.#geometric(MIX.changesPerCart - 1);
    let at = from;
    for (let n = 1; n <= changes; n++) {
      at += 10_000;
      tell(at, "cart_updated", {
        token,
        value: { amount: 1999 * n, currency: "EUR" },
        lines: [{ productId: "7", variantId: "70", title: "Mug", quantity: n, price: value }],
      });
    }
    if (this.#random() >= MIX.checkoutShare) return beacons;
    const checkout = { cartToken: token, checkoutToken: this.#uuid(), value };
    tell((at += 15_000), "checkout_started", checkout);
    tell((at += 30_000), "checkout_contact_info_submitted", { ...checkout, email: `${visitor}@bench.example` });
    if (this.#random() >= MIX.paidShare) return beacons;
    tell((at += 60_000), "checkout_completed", {
      ...checkout,
      orderId: String(this.#made),
      email: `${visitor}@bench.example`,
    });
    return beacons;
  }

  #form(visitor: string, from: number, url: string): SentBeacon {
    const at = from + 8_000;
    const told = this.#event("identified", at, url, undefined, { email: `${visitor}@bench.example` });
    return { at, visitor, events: [this.#event("form_submitted", at, url, undefined, { formId: "newsletter" }), told] };
  }

  #page(withCampaign: boolean): string {
    const wanted = this.#random() * (this.#weights.at(-1) ?? 0);
    const rank = this.#weights.findIndex((weight) => weight >= wanted);
    return `${SITE}/products/thing-${rank}${withCampaign && this.#random() < 0.3 ? "?utm_source=news&utm_medium=email&utm_campaign=may" : ""}`;
  }

  #geometric(mean: number): number {
    return Math.floor(Math.log(1 - this.#random()) / Math.log(mean / (mean + 1)));
  }

  #uuid(): string {
    const hex = Array.from({ length: 32 }, () => Math.floor(this.#random() * 16).toString(16)).join("");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}

/** Mean number of pages after the second of a visit that has two. */
const MORE_PAGES = (MIX.pagesPerVisit - MIX.onePageShare) / (1 - MIX.onePageShare) - 2;
