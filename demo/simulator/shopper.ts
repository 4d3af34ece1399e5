import { inMarket, major, type Pair, plus, times, ZERO } from "../money.ts";
import { type Market, MARKETS } from "../shop.ts";
import type { Plan } from "./plan.ts";
import type { PageStep } from "./plan.ts";

export type World = {
  footfallUrl: string;
  storeUrl: string;
  shop: string;
  /** Epoch ms where the shopper is; earlier than the clock while history is told. */
  now(): number;
  /** Lets time pass for the shopper. */
  wait(ms: number): Promise<void>;
};

type BrowserEvent = { type: string; data?: object };

/**
 * Lives one visit: beacons as the tracker sends them, and a cart, a checkout and an order at the demo store, which
 * then sends its webhooks. Errors of the network end the visit; a shopper who cannot reach the shop goes away.
 */
export async function shop(plan: Plan, world: World): Promise<void> {
  const market = marketFor(plan);
  const store = storeClient(plan, market, world);
  let referrer = plan.source.referrer;
  let count = 0;

  const tell = async (path: string, title: string, ...events: BrowserEvent[]): Promise<void> => {
    const at = world.now();
    await fetch(`${world.footfallUrl}/ff`, {
      method: "POST",
      headers: {
        "content-type": "text/plain",
        "user-agent": plan.userAgent,
        origin: world.storeUrl,
        "cf-ipcountry": plan.city.country,
        "cf-region": encodeHeader(plan.city.region),
        "cf-ipcity": encodeHeader(plan.city.city),
      },
      body: JSON.stringify({
        shop: world.shop,
        visitor: plan.visitor,
        events: events.map((event) => {
          count += 1;
          return {
            id: `${at.toString(36)}-${count.toString(36)}`,
            at,
            url: `${world.storeUrl}${path}`,
            title,
            referrer,
            ...event,
          };
        }),
        consent: { analytics: true, marketing: plan.person.acceptsMarketing },
        sent: Date.now(),
      }),
      signal: AbortSignal.timeout(10_000),
    }).then((answer) => answer.arrayBuffer());
  };

  const view = async (page: PageStep): Promise<void> => {
    await tell(page.path, page.title, { type: "page_viewed" }, ...viewed(page, market));
    referrer = `${world.storeUrl}${page.path}`;
    await world.wait(page.waitMs);
  };

  for (const page of plan.pages) await view(page);
  const last = plan.pages.at(-1) ?? plan.pages[0];
  if (plan.outcome === "browse") return;
  if (plan.outcome === "signup") {
    await tell(
      last.path,
      last.title,
      { type: "form_submitted", data: { id: "newsletter", name: "newsletter" } },
      {
        type: "identified",
        data: { email: plan.person.email, consent: { email: true } },
      },
    );
    await store.form("/contact", {
      form_type: "customer",
      "contact[email]": plan.person.email,
      "contact[tags]": "newsletter",
      "contact[accepts_marketing]": "true",
    });
    return;
  }

  for (const item of plan.basket) {
    await store.json("/cart/add.js", { id: item.variant.id, quantity: item.quantity });
    await world.wait(6_000);
  }
  await store.json("/cart/update.js", { attributes: { __ff_visitor: plan.visitor } });
  const cart = { token: store.cartToken(), value: worth(plan, market), lines: cartLines(plan, market, world.storeUrl) };
  await tell(last.path, last.title, { type: "cart_updated", data: cart });
  await world.wait(15_000);
  if (plan.outcome === "cart") return;

  const checkout = await store.form("/checkout", {});
  const steps = checkout.replace(/information$/, "");
  const about = { cartToken: cart.token, value: cart.value };
  await tell(checkout, "Checkout", { type: "page_viewed" }, { type: "checkout_started", data: about });
  await world.wait(25_000);
  const [street, number] = [plan.city.street, String(1 + (plan.visitor.charCodeAt(0) % 80))];
  await store.form(`${steps}information`, {
    email: plan.person.email,
    ...(plan.person.acceptsMarketing ? { marketing: "1" } : {}),
    country: plan.city.country,
    firstName: plan.person.firstName,
    lastName: plan.person.lastName,
    address1: `${street} ${number}`,
    zip: plan.city.zip,
    city: plan.city.city,
    province: plan.city.region,
    phone: "",
  });
  await tell(
    `${steps}shipping`,
    "Checkout",
    { type: "checkout_contact_info_submitted", data: { ...about, email: plan.person.email } },
    { type: "identified", data: { email: plan.person.email } },
  );
  await world.wait(20_000);
  if (plan.outcome === "checkout") return;

  await store.form(`${steps}shipping`, { rate: plan.shipping });
  if (plan.discountCode !== "") await store.form(`${steps}discount`, { code: plan.discountCode, step: "payment" });
  await world.wait(25_000);
  const thanks = await store.form(`${steps}payment`, { method: "card", number: "1" });
  await tell(thanks, "Thank you", { type: "page_viewed" }, { type: "checkout_completed", data: about });
}

/** Countries without a market of their own buy in the home market, as Shopify's "rest of the world" does here. */
function marketFor(plan: Plan): Market {
  return MARKETS.find((market) => market.country === plan.city.country) ?? MARKETS[0];
}

const wire = (pair: Pair, market: Market) => ({ amount: pair.presentment, currency: market.currency });

function viewed(page: PageStep, market: Market): BrowserEvent[] {
  if (page.product === undefined) return [];
  const { product, variant } = page.product;
  return [
    {
      type: "product_viewed",
      data: {
        productVariant: {
          id: String(variant.id),
          title: variant.title,
          sku: variant.sku,
          price: {
            amount: major(inMarket(variant.price, market).presentment, market.currency),
            currencyCode: market.currency,
          },
          product: { id: String(product.id), title: product.title, vendor: product.vendor, type: product.type },
        },
      },
    },
  ];
}

function worth(plan: Plan, market: Market) {
  return wire(
    plus(ZERO, ...plan.basket.map((item) => times(inMarket(item.variant.price, market), item.quantity))),
    market,
  );
}

function cartLines(plan: Plan, market: Market, storeUrl: string) {
  return plan.basket.map(({ product, variant, quantity }) => ({
    productId: String(product.id),
    variantId: String(variant.id),
    sku: variant.sku,
    title: product.title,
    quantity,
    price: wire(inMarket(variant.price, market), market),
    image: `${storeUrl}/cdn/shop/files/${product.handle}.svg?variant=${variant.id}`,
    url: `${storeUrl}/products/${product.handle}`,
  }));
}

/** Header values are bytes: what Latin-1 lacks is left to the header's own UTF-8 reading, as Cloudflare sends it. */
function encodeHeader(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The shopper's browser at the store: cookies, forms and the Ajax API. */
function storeClient(plan: Plan, market: Market, world: World) {
  const cookies = new Map([
    ["localization", market.country],
    ["demo_landing", `${plan.source.path}\n${plan.source.referrer}`],
  ]);
  const post = async (path: string, type: string, body: string): Promise<Response> => {
    const answer = await fetch(`${world.storeUrl}${path}`, {
      method: "POST",
      redirect: "manual",
      headers: {
        "content-type": type,
        "user-agent": plan.userAgent,
        "x-demo-at": String(world.now()),
        cookie: [...cookies].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("; "),
      },
      body,
      signal: AbortSignal.timeout(10_000),
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair = ""] = cookie.split(";");
      const at = pair.indexOf("=");
      cookies.set(pair.slice(0, at), decodeURIComponent(pair.slice(at + 1)));
    }
    await answer.arrayBuffer();
    if (answer.status >= 400) throw new Error(`The store answered ${answer.status} to ${path}`);
    return answer;
  };
  return {
    json: (path: string, body: object) => post(path, "application/json", JSON.stringify(body)),
    /** Sends a form; resolves to where the store leads on. */
    form: async (path: string, fields: Record<string, string>): Promise<string> => {
      const answer = await post(path, "application/x-www-form-urlencoded", new URLSearchParams(fields).toString());
      return answer.headers.get("location") ?? path;
    },
    cartToken: () => cookies.get("cart")?.split("?")[0] ?? "",
  };
}
