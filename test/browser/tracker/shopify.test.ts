import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createWorld, plain, type World } from "./harness.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());
afterEach(() => world.reset());

/** What the visitor has answered, as the theme's head would know it. */
interface Answer {
  allowed?: boolean;
  said?: "yes" | "no" | "";
}

const CURRENCY = "EUR";
let cart: { token: string; currency: string; total_price: number; item_count: number; items: object[] };
let attributes: unknown[];
let reads: number;

const item = (quantity: number) => ({
  product_id: 7001,
  variant_id: 41327143321713,
  sku: null,
  title: "Boots - 42",
  quantity,
  final_price: 1999,
  image: "https://cdn.test/b.png",
  url: "/products/boots?variant=41327143321713",
});

/** What Shopify writes into a theme's head, and its consent API, which loads after a moment. */
const head = ({ allowed = true, said = "" }: Answer, extra: string): string => `<script>
  var Shopify = { shop: "acme.myshopify.com", theme: { role: "main" }, routes: { root: "/" } };
  window.answer = ${JSON.stringify({ allowed, said })};
  Shopify.loadFeatures = (features, done) => setTimeout(() => {
    Shopify.customerPrivacy = {
      analyticsProcessingAllowed: () => answer.allowed,
      marketingAllowed: () => false,
      currentVisitorConsent: () => ({ analytics: answer.said }),
    };
    done(); window.featuresLoaded = features[0].name;
  }, 20);
  window.decide = (analytics) => {
    answer = { allowed: analytics, said: analytics ? "yes" : "no" };
    document.dispatchEvent(new CustomEvent("visitorConsentCollected", { detail: { analyticsAllowed: analytics, marketingAllowed: analytics } }));
  };
  ${extra}
</script>`;

const theme = (answer: Answer = {}, extra = "") => head(answer, extra) + plain(world.host, "Theme");

beforeEach(() => {
  cart = { token: "hWN1abc?key=secret", currency: CURRENCY, total_price: 0, item_count: 0, items: [] };
  attributes = [];
  reads = 0;
  world.pages.set("/favicon.ico", (_request, response) => response.writeHead(204).end());
  const json = { "content-type": "application/json" };
  for (const root of ["", "/en-us"]) {
    world.pages.set(`${root}/cart.js`, (_request, response) => {
      reads++;
      response.writeHead(200, json).end(JSON.stringify(cart));
    });
    world.pages.set(`${root}/cart/add.js`, (_request, response) => {
      const quantity = cart.item_count + 1;
      cart = { ...cart, total_price: 1999 * quantity, item_count: quantity, items: [item(quantity)] };
      response.writeHead(200, json).end(JSON.stringify(item(quantity)));
    });
    world.pages.set(`${root}/cart/update.js`, (_request, response, body) => {
      attributes.push(Object.fromEntries(new URLSearchParams(body)));
      response.writeHead(200, json).end(JSON.stringify(cart));
    });
  }
});

const carts = () => world.events().filter(({ type }) => type === "cart_updated");
const open = async (path: string, html: string): Promise<Page> => {
  world.pages.set(path.split("?")[0] ?? "", html);
  const page = await world.page();
  await page.goto(world.url(path), { waitUntil: "load" });
  return page;
};
const loaded = (page: Page) => page.waitForFunction("window.featuresLoaded");
const nothingStored = async (page: Page) => {
  await page.evaluate(`dispatchEvent(new PageTransitionEvent("pagehide"))`);
  expect(world.received).toEqual([]);
  expect(await page.evaluate("localStorage.length")).toBe(0);
  expect(await page.context().cookies()).toEqual([]);
};

describe("a Shopify theme", () => {
  it("sends nothing before the consent API allows it, and no answer is stored that nobody gave", async () => {
    const page = await open("/", theme());
    await world.until(() => world.types().includes("page_viewed"));
    expect(await page.evaluate("window.featuresLoaded")).toBe("consent-tracking-api");
    expect(world.received[0]?.beacon.consent).toEqual({ analytics: true, marketing: false });
    expect(await page.evaluate("localStorage.ff_c")).toBeUndefined();
    expect(world.noise).toEqual([]);
  });

  it("waits for the visitor's answer, whatever the shop's mode, and then sends what happened", async () => {
    world.configure({ c: 0 });
    const page = await open("/", theme({ allowed: false }));
    await loaded(page);
    await page.evaluate(`fetch("/cart/add.js", { method: "POST" })`);
    await nothingStored(page);
    expect(attributes).toEqual([]);
    await page.evaluate("decide(true)");
    await world.until(() => carts().length === 1 && attributes.length === 1);
    expect(world.types().filter((type) => type === "page_viewed")).toHaveLength(1);
    expect(world.received[0]?.beacon.consent).toEqual({ analytics: true, marketing: true });
    expect(attributes).toEqual([{ "attributes[__ff_visitor]": world.received[0]?.beacon.visitor }]);
  });

  it("stops and forgets when the visitor refuses, here or elsewhere in the shop", async () => {
    const page = await open("/", theme());
    await world.until(() => world.received.length === 1);
    await page.evaluate("decide(false)");
    expect(await page.context().cookies()).toEqual([]);
    await page.evaluate("localStorage.clear()");
    world.pages.set("/", theme({ allowed: false, said: "no" }));
    world.received.length = 0;
    await page.goto(world.url("/"), { waitUntil: "load" });
    await page.waitForFunction("localStorage.ff_c");
    expect(await page.evaluate("({ ...localStorage })")).toEqual({ ff_c: `{"analytics":false,"marketing":false}` });
    expect(world.received).toEqual([]);
    expect(await page.context().cookies()).toEqual([]);
  });

  it("counts Global Privacy Control as a refusal unless the visitor has said yes", async () => {
    const gpc = `Object.defineProperty(navigator, "globalPrivacyControl", { value: true });`;
    const page = await open("/", theme({}, gpc));
    await loaded(page);
    await nothingStored(page);
    world.pages.set("/", theme({ said: "yes" }, gpc));
    await page.goto(world.url("/"));
    await world.until(() => world.received.length === 1);
  });

  for (const [name, extra, query] of [
    ["the theme editor", "Shopify.designMode = true;", ""],
    ["preview mode", "Shopify.previewMode = true;", ""],
    ["a theme that is not live", `Shopify.theme.role = "unpublished";`, ""],
    ["a shared preview", "", "?preview_theme_id=12"],
  ] as const)
    it(`is not tracked in ${name}`, async () => {
      const page = await open("/" + query, theme({}, extra + "window.old = Shopify.loadFeatures;"));
      await page.waitForFunction(
        `performance.getEntriesByName("${world.host}/tracker/shopify.js")[0]?.responseEnd > 0`,
      );
      await page.evaluate(`footfall.track("preview")`);
      await nothingStored(page);
    });

  for (const [name, call] of [
    ["fetch", `fetch("/cart/add.js", { method: "POST", body: "{}" })`],
    ["fetch with a Request", `fetch(new Request("/cart/add.js", { method: "POST" }))`],
    ["fetch with a URL", `fetch(new URL("/cart/add.js", location.href), { method: "POST" })`],
    [
      "XMLHttpRequest",
      `new Promise((done) => { const x = new XMLHttpRequest(); x.onload = done; x.open("POST", "/cart/add.js"); x.send(); })`,
    ],
  ] as const)
    it(`tells of the cart after a call by ${name}, with the bare token, and writes the visitor into it once`, async () => {
      const page = await open("/", theme());
      await world.until(() => world.types().includes("page_viewed"));
      await page.evaluate(`(async () => { await ${call}; })()`);
      await world.until(() => carts().length === 1);
      expect(carts()[0]?.data).toEqual({
        token: "hWN1abc",
        value: { amount: 1999, currency: "EUR" },
        lines: [
          {
            productId: "7001",
            variantId: "41327143321713",
            sku: null,
            title: "Boots - 42",
            quantity: 1,
            price: { amount: 1999, currency: "EUR" },
            image: "https://cdn.test/b.png",
            url: "/products/boots?variant=41327143321713",
          },
        ],
      });
      await world.until(() => attributes.length === 1);
      expect(attributes).toEqual([{ "attributes[__ff_visitor]": world.received[0]?.beacon.visitor }]);
      await page.waitForFunction("localStorage.ff_k");

      await page.evaluate(`(async () => { await ${call}; })()`);
      await world.until(() => carts().length === 2);
      expect(attributes).toHaveLength(1);
      expect(world.noise).toEqual([]);
    });

  it("reads the cart once for several calls in a row, and not for its own", async () => {
    const page = await open("/", theme());
    await world.until(() => world.types().includes("page_viewed"));
    await page.evaluate(`Promise.all([1, 2, 3].map(() => fetch("/cart/add.js", { method: "POST" })))`);
    await world.until(() => attributes.length === 1 && carts().length === 1);
    expect(reads).toBe(1);
    expect(carts()[0]?.data).toMatchObject({ value: { amount: 3 * 1999 } });
  });

  it("follows the cart under the root of the visitor's language", async () => {
    const page = await open("/en-us/", theme({}, `Shopify.routes.root = "/en-us/";`));
    await world.until(() => world.types().includes("page_viewed"));
    world.pages.delete("/cart.js");
    await page.evaluate(`fetch("/en-us/cart/add.js", { method: "POST" })`);
    await world.until(() => carts().length === 1);
  });

  it("tells of the cart page, and of a cart that has not changed not again", async () => {
    cart = { ...cart, total_price: 1999, item_count: 1, items: [item(1)] };
    const page = await open("/cart", theme());
    await world.until(() => carts().length === 1 && world.types().includes("cart_viewed"));
    await page.waitForFunction("localStorage.ff_k");
    const before = reads;
    await page.goto(world.url("/cart"), { waitUntil: "load" });
    await world.until(() => reads > before && world.types().filter((type) => type === "cart_viewed").length === 2);
    expect(carts()).toHaveLength(1);
    expect(attributes).toHaveLength(1);
  });

  it("turns hundredths into the currency's minor units", async () => {
    cart = {
      ...cart,
      currency: "JPY",
      total_price: 100000,
      item_count: 1,
      items: [{ ...item(1), final_price: 100000 }],
    };
    await open("/cart", theme());
    await world.until(() => carts().length === 1);
    expect(carts()[0]?.data).toMatchObject({
      value: { amount: 1000, currency: "JPY" },
      lines: [{ price: { amount: 1000, currency: "JPY" } }],
    });
  });

  it("leaves the theme's own calls as they are, also those that fail", async () => {
    const page = await open("/", theme());
    await world.until(() => world.types().includes("page_viewed"));
    const answers = await page.evaluate(`(async () => [
      await fetch("/cart/add.js", { method: "POST" }).then((r) => r.json()).then((i) => i.title),
      await fetch("http://127.0.0.1:1/cart/add.js").catch((e) => e.name),
      await fetch().catch((e) => e.name),
      await fetch("/nowhere").then((r) => r.status),
    ])()`);
    expect(answers).toEqual(["Boots - 42", "TypeError", "TypeError", 404]);
  });

  for (const [kind, meta, query, event] of [
    [
      "product",
      {
        page: { pageType: "product" },
        product: {
          id: 7001,
          variants: [
            { id: 1, name: "Boots - 41", sku: "B41", price: 1999 },
            { id: 2, name: "Boots - 42", sku: "B42", price: 2099 },
          ],
        },
      },
      "?variant=2",
      {
        type: "product_viewed",
        data: {
          productId: "7001",
          variantId: "2",
          title: "Boots - 42",
          sku: "B42",
          price: { amount: 2099, currency: "EUR" },
        },
      },
    ],
    [
      "collection",
      { page: { pageType: "collection", resourceId: 9 } },
      "",
      { type: "collection_viewed", data: { collectionId: "9" } },
    ],
    [
      "search",
      { page: { pageType: "searchresults" } },
      "?q=boots",
      { type: "search_submitted", data: { query: "boots" } },
    ],
  ] as const)
    it(`tells what a ${kind} page shows`, async () => {
      const extra = `window.ShopifyAnalytics = { meta: ${JSON.stringify({ currency: CURRENCY, ...meta })} };`;
      await open("/page" + query, theme({}, extra));
      await world.until(() => world.types().includes(event.type));
      expect(world.events().find(({ type }) => type === event.type)?.data).toEqual(event.data);
    });
});
