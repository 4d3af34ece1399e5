import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { exponent } from "../../../src/lib/money.ts";
import { money } from "../../../src/tracker/money.ts";
import { bake, built, createWorld, plain, SHOP, type World } from "./harness.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.pages.set("/favicon.ico", (_request, response) => response.writeHead(204).end());
  world.pages.set("/checkouts/cn/hWN1abc/en", "<title>Checkout</title>");
});
afterEach(() => world.reset());

const VARIANT = {
  id: "gid://shopify/ProductVariant/41",
  sku: "B42",
  title: "42",
  price: { amount: 19.99, currencyCode: "EUR" },
  image: { src: "https://cdn.test/b.png" },
  product: { id: "7001", title: "Boots", url: "/products/boots" },
};
const CHECKOUT = {
  token: "chk1",
  email: "ada@x.test",
  phone: "",
  totalPrice: { amount: 749.95, currencyCode: "EUR" },
  attributes: [],
  lineItems: [{ title: "Boots", quantity: 2, variant: VARIANT }],
  order: null,
};

/**
 * The sandbox of a custom pixel: a frame of another origin (`null`), whose API acts on the top frame by messages.
 */
async function sandbox(page: Page, options: { allowed?: boolean; theme?: 0 | 1; gpc?: boolean } = {}): Promise<void> {
  const { allowed = true, theme = 1, gpc = false } = options;
  const code = bake(await built("pixel.js"), { s: SHOP, o: world.host, k: "pixel-key", t: theme });
  const frame = `<script>
    ${gpc ? `Object.defineProperty(navigator, "globalPrivacyControl", { value: true });` : ""}
    const asked = new Map(); let number = 0; const subscribers = {};
    const ask = (...call) => new Promise((resolve) => { asked.set(++number, resolve); parent.postMessage([number, ...call], "*"); });
    onmessage = ({ data: [kind, ...rest] }) => {
      if (kind === "answer") asked.get(rest[0])(rest[1]);
      if (kind === "publish") subscribers.all_standard_events(rest[0]);
      if (kind === "consent") subscribers.visitorConsentCollected({ customerPrivacy: rest[0] });
    };
    const analytics = { subscribe: (name, work) => (subscribers[name] = work) };
    const api = { customerPrivacy: { subscribe: (name, work) => (subscribers[name] = work) } };
    const browser = {
      cookie: { get: (name) => ask("getCookie", name), set: (text) => ask("setCookie", text) },
      localStorage: { getItem: (key) => ask("getItem", key), setItem: (key, value) => ask("setItem", key, value) },
    };
    const init = { customerPrivacy: { analyticsProcessingAllowed: ${allowed}, marketingAllowed: false }, data: { cart: { id: "gid://shopify/Cart/fromInit?key=k" } } };
    onerror = (message) => parent.postMessage([0, "error", message], "*");
    onunhandledrejection = (event) => parent.postMessage([0, "error", String(event.reason)], "*");
  </script><script>${code}</script><script>parent.postMessage([0, "ready"], "*")</script>`;
  await page.evaluate(
    ([html]) =>
      new Promise<void>((ready) => {
        const acts: Record<string, (...values: string[]) => unknown> = {
          getCookie: (name) => new RegExp(`${name}=([^;]*)`).exec(document.cookie)?.[1] ?? "",
          setCookie: (text) => (document.cookie = text ?? ""),
          getItem: (key) => localStorage.getItem(key ?? ""),
          setItem: (key, value) => localStorage.setItem(key ?? "", value ?? ""),
        };
        const element = document.createElement("iframe");
        element.setAttribute("sandbox", "allow-scripts allow-forms");
        element.id = "pixel";
        element.srcdoc = html ?? "";
        addEventListener("message", ({ data: [id, act, ...values] }) => {
          if (act === "ready") ready();
          else if (act === "error") console.log(values[0]);
          else element.contentWindow?.postMessage(["answer", id, acts[act]?.(...values)], "*");
        });
        document.body.append(element);
      }),
    [frame],
  );
}

const tell = (page: Page, ...message: unknown[]) =>
  page.evaluate((data) => {
    const frame = document.getElementById("pixel");
    if (frame instanceof HTMLIFrameElement) frame.contentWindow?.postMessage(data, "*");
  }, message);

let published = 0;
const publish = (page: Page, name: string, data: object, href = world.url("/checkouts/cn/hWN1abc/en")) =>
  tell(page, "publish", {
    id: `sh-${++published}/a.b`,
    name,
    timestamp: new Date().toISOString(),
    context: { document: { location: { href }, title: "Checkout", referrer: "" } },
    data,
  });

const open = async (path = "/checkouts/cn/hWN1abc/en"): Promise<Page> => {
  const page = await world.page();
  await page.goto(world.url(path), { waitUntil: "load" });
  return page;
};
const data = (name: string) => world.events().find(({ type }) => type === name)?.data;

describe("the custom pixel", () => {
  it("B9, E21: a tracked link that leads into the checkout says who came, from this browser's own id, once", async () => {
    const others = "0b1c2d3e-0000-4000-8000-000000000001";
    const attributes = [{ key: "__ff_visitor", value: others }];
    const page = await open();
    await sandbox(page);
    const href = world.url("/checkouts/cn/hWN1abc/en?utm_source=mail&ff_id=who.came-1");
    await publish(page, "page_viewed", {}, href);
    await publish(page, "checkout_started", { checkout: { ...CHECKOUT, attributes } }, href);
    await world.until(() => world.types().includes("checkout_started"));
    expect(world.types()).toEqual(["page_viewed", "identified", "checkout_started"]);
    expect(data("identified")).toEqual({ token: "who.came-1" });
    expect(world.received.map(({ beacon }) => beacon.visitor)).not.toContain(others);
  });

  it("tells of checkout and purchase from a sandbox of origin null, with the pixel key and without a preflight", async () => {
    const page = await open();
    await sandbox(page);
    await publish(page, "page_viewed", {});
    await publish(page, "checkout_started", { checkout: CHECKOUT });
    await publish(page, "checkout_completed", {
      checkout: {
        ...CHECKOUT,
        totalPrice: { amount: 1000, currencyCode: "JPY" },
        order: { id: "gid://shopify/Order/1001" },
      },
    });
    await world.until(() => world.types().length === 3);
    expect(world.types()).toEqual(["page_viewed", "checkout_started", "checkout_completed"]);
    expect(world.received.every(({ method }) => method === "POST")).toBe(true);
    expect(world.received[0]?.headers).toMatchObject({
      origin: "null",
      "content-type": expect.stringMatching(/^text\/plain/),
    });
    expect(world.received[0]?.beacon).toMatchObject({
      shop: SHOP,
      pixel: "pixel-key",
      consent: { analytics: true, marketing: false },
    });
    expect(world.events().every(({ id }) => /^[\w-]{1,64}$/.test(id))).toBe(true);
    expect(data("checkout_started")).toEqual({
      checkoutToken: "chk1",
      cartToken: "hWN1abc",
      value: { amount: 74995, currency: "EUR" },
      email: "ada@x.test",
      lines: [
        {
          productId: "7001",
          variantId: "41",
          sku: "B42",
          title: "Boots",
          quantity: 2,
          price: { amount: 1999, currency: "EUR" },
          image: "https://cdn.test/b.png",
          url: "/products/boots",
        },
      ],
    });
    expect(data("checkout_completed")).toMatchObject({ orderId: "1001", value: { amount: 1000, currency: "JPY" } });
    expect(world.noise).toEqual([]);
  });

  it("is the same visitor as on the storefront, and counts none of its views again", async () => {
    world.pages.set("/", plain(world.host, "Home"));
    const page = await open("/");
    await world.until(() => world.received.length === 1);
    await sandbox(page);
    const home = world.url("/");
    await publish(page, "page_viewed", {}, home);
    await publish(page, "product_viewed", { productVariant: VARIANT }, home);
    await publish(page, "collection_viewed", { collection: { id: "1", title: "All" } }, home);
    await publish(
      page,
      "product_added_to_cart",
      { cartLine: { quantity: 1, cost: { totalAmount: VARIANT.price }, merchandise: VARIANT } },
      home,
    );
    await world.until(() => world.types().includes("product_added_to_cart"));
    expect(world.types()).toEqual(["page_viewed", "product_added_to_cart"]);
    expect(data("product_added_to_cart")).toMatchObject({
      productId: "7001",
      quantity: 1,
      value: { amount: 1999, currency: "EUR" },
    });
    const [first, second] = world.received;
    expect(second?.beacon.visitor).toBe(first?.beacon.visitor);
  });

  it("counts the storefront's views where the theme has no script", async () => {
    world.pages.set("/", "<title>Home</title>");
    const page = await open("/");
    await sandbox(page, { theme: 0 });
    const home = world.url("/");
    await publish(page, "product_viewed", { productVariant: VARIANT }, home);
    await publish(page, "search_submitted", { searchResult: { query: "boots" } }, home);
    await publish(
      page,
      "cart_viewed",
      { cart: { id: "gid://shopify/Cart/t1?key=k", cost: { totalAmount: VARIANT.price }, lines: [] } },
      home,
    );
    await publish(page, "cart_viewed", { cart: null }, home);
    await publish(page, "alert_displayed", {}, home);
    await world.until(() => world.types().length === 4);
    expect(data("product_viewed")).toMatchObject({ productId: "7001", variantId: "41", title: "Boots" });
    expect(data("search_submitted")).toEqual({ query: "boots" });
    expect(data("cart_viewed")).toEqual({ token: "t1", value: { amount: 1999, currency: "EUR" }, lines: [] });
  });

  it("takes the visitor from the cart attribute where the checkout is on another host, and keeps it", async () => {
    const id = "0b8f7f2e-5a52-4c0e-9d1a-111111111111";
    const page = await world.page();
    await page.route("https://checkout.test/**", (route) =>
      route.fulfill({ contentType: "text/html", body: "<title>C</title>" }),
    );
    await page.goto("https://checkout.test/checkouts/cn/x");
    await sandbox(page);
    const checkout = { ...CHECKOUT, attributes: [{ key: "__ff_visitor", value: id }] };
    await publish(page, "checkout_started", { checkout }, "https://checkout.test/checkouts/cn/x");
    await world.until(() => world.received.length === 1);
    expect(world.received[0]?.beacon.visitor).toBe(id);
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ name: "ff_v", value: id, secure: true, sameSite: "Lax" });
    expect((cookie?.expires ?? 0) - Date.now() / 1000).toBeLessThanOrEqual(395 * 86_400);
  });

  it("holds everything in memory until consent, and drops it on refusal", async () => {
    const page = await open();
    await sandbox(page, { allowed: false });
    await publish(page, "checkout_started", { checkout: CHECKOUT });
    await tell(page, "consent", { analyticsProcessingAllowed: false, marketingAllowed: false });
    await page.waitForFunction("localStorage.ff_c");
    await publish(page, "checkout_contact_info_submitted", { checkout: CHECKOUT });
    expect(await page.context().cookies()).toEqual([]);
    expect(world.received).toEqual([]);
    await tell(page, "consent", { analyticsProcessingAllowed: true, marketingAllowed: true });
    await world.until(() => world.received.length === 1);
    expect(world.types()).toEqual(["checkout_contact_info_submitted"]);
    expect(world.received[0]?.beacon.consent).toEqual({ analytics: true, marketing: true });
  });

  for (const [name, kept, options, sends] of [
    ["a refusal kept by the theme's script", { ff_c: `{"analytics":false}` }, {}, false],
    ["own traffic", { ff_x: "true" }, {}, false],
    ["Global Privacy Control without an answer", {}, { gpc: true }, false],
    ["Global Privacy Control after a yes", { ff_c: `{"analytics":true}` }, { gpc: true }, true],
  ] as const)
    it(`${sends ? "sends" : "sends nothing"} under ${name}`, async () => {
      const page = await open();
      await page.evaluate((entries) => Object.assign(localStorage, entries), kept);
      await sandbox(page, options);
      await publish(page, "checkout_started", { checkout: CHECKOUT });
      if (sends) await world.until(() => world.received.length === 1);
      else {
        await page.evaluate("delete localStorage.ff_c; delete localStorage.ff_x");
        await tell(page, "consent", { analyticsProcessingAllowed: true });
        await publish(page, "payment_info_submitted", { checkout: CHECKOUT });
        await world.until(() => world.types().includes("payment_info_submitted"));
        expect(world.types()).toEqual(["checkout_started", "payment_info_submitted"]);
        expect(world.received[0]?.beacon.consent).toEqual({ analytics: true, marketing: false });
      }
    });

  it("tries again when the server is away, with the same ids", async () => {
    let answers = 0;
    world.answer(() => (answers++ === 0 ? 503 : 204));
    const page = await open();
    await sandbox(page);
    await publish(page, "checkout_started", { checkout: CHECKOUT });
    await world.until(() => world.received.length === 2);
    expect(world.received[1]?.beacon.events).toEqual(world.received[0]?.beacon.events);
  });

  it("counts minor units as the server does, for every currency", () => {
    for (const currency of Intl.supportedValuesOf("currency"))
      if (!["CLF", "UYW"].includes(currency))
        expect(money(1, currency).amount, currency).toBe(10 ** exponent(currency));
  });
});
