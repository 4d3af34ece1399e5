import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { startDemo, type Demo } from "../../../demo/server.ts";
import { launchChromium } from "../../browser/chromium.ts";
import { startRecorder, type Recorder } from "./recorder.ts";

let browser: Browser;
let product: Recorder;
let demo: Demo;
let context: BrowserContext;
let page: Page;
let failures: string[];

/** A pixel as a merchant pastes it: reports what it is given, from inside the sandbox. */
const pixel = (to: string): string => `
analytics.subscribe("all_standard_events", async (event) => {
  await browser.cookie.set("pixel_was_here", "yes");
  fetch("${to}/pixel-saw", { method: "POST", keepalive: true, body: JSON.stringify({
    name: event.name, id: event.id, data: event.data, origin: self.origin,
    url: event.context.document.location.href,
    cookie: await browser.cookie.get("pixel_was_here"),
    allowed: init.customerPrivacy.analyticsProcessingAllowed,
  }) });
});
api.customerPrivacy.subscribe("visitorConsentCollected", (event) => {
  fetch("${to}/pixel-consent", { method: "POST", body: JSON.stringify(event.customerPrivacy) });
});`;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());
beforeEach(async () => {
  product = await startRecorder();
  const accepting = product.answer;
  product.answer = (request) =>
    request.path.startsWith("/pixel.js")
      ? { status: 200, body: pixel(product.url), type: "text/javascript" }
      : accepting(request);
  demo = await startDemo({ port: 0, footfallUrl: product.url, shop: "browser-test.myshopify.com", apiSecret: "s" });
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  page = await context.newPage();
  failures = [];
  page.on("pageerror", (error) => failures.push(error.message));
  page.on("console", (message) => message.type() === "error" && failures.push(message.text()));
});
afterEach(async () => {
  await context.close();
  await demo.close();
  await product.close();
  expect(failures).toEqual([]);
});

const seen = z.object({
  name: z.string(),
  id: z.string(),
  data: z.record(z.string(), z.unknown()),
  origin: z.string(),
  cookie: z.string(),
  allowed: z.boolean(),
  url: z.string(),
});
const saw = () =>
  product.requests.filter(({ path }) => path === "/pixel-saw").map(({ raw }) => seen.parse(JSON.parse(raw)));
const names = () => saw().map(({ name }) => name);

describe("in a browser", () => {
  it("asks for consent where the region wants it, with Shopify's names, and not elsewhere", async () => {
    await page.goto(`${demo.url}/`);
    await page.getByRole("dialog", { name: "May we count your visit?" }).waitFor();
    expect(await page.evaluate("Shopify.customerPrivacy.analyticsProcessingAllowed()")).toBe(false);
    await page.evaluate("document.addEventListener('visitorConsentCollected', (e) => { window.told = e.detail })");
    await page.getByRole("button", { name: "Yes, that is fine" }).click();
    expect(await page.evaluate("window.told")).toEqual({
      analyticsAllowed: true,
      marketingAllowed: true,
      preferencesAllowed: true,
      saleOfDataAllowed: true,
      firstPartyMarketingAllowed: true,
      thirdPartyMarketingAllowed: true,
    });
    expect(await page.evaluate("Shopify.customerPrivacy.currentVisitorConsent()")).toEqual({
      analytics: "yes",
      marketing: "yes",
      preferences: "yes",
      sale_of_data: "yes",
    });
    await expect.poll(() => product.requests.filter(({ path }) => path === "/pixel-consent").length).toBe(1);

    const elsewhere = await (await browser.newContext()).newPage();
    await elsewhere.goto(`${demo.url}/?region=US`);
    await elsewhere.waitForFunction("window.Shopify.customerPrivacy !== undefined");
    expect(await elsewhere.evaluate("Shopify.customerPrivacy.analyticsProcessingAllowed()")).toBe(true);
    expect(await elsewhere.locator(".consent").count()).toBe(0);
    await elsewhere.context().close();
  });

  it("buys from an ad to the thank-you page; the pixel sees each step once, from origin null, with the page's cookies", async () => {
    await page.goto(`${demo.url}/products/stoneware-mug?utm_source=instagram&region=US`);
    expect(await page.evaluate("window.trackerLoaded")).toBe(true);
    await page.getByText("Moss", { exact: true }).click();
    await page.getByRole("button", { name: "Add to cart" }).click();
    await page.locator(".drawer[open] .line").waitFor();
    expect(await page.locator("[data-cart-count]").textContent()).toBe("1");
    await page.locator(".drawer").getByRole("button", { name: "Check out" }).click();
    await page.getByLabel("E-mail", { exact: true }).fill("browser@example.com");
    await page.getByLabel("First name").fill("Bo");
    await page.getByLabel("Last name").fill("Wser");
    await page.getByLabel("Address").fill("1 Main Street");
    await page.getByLabel("Postal code").fill("11211");
    await page.getByLabel("City").fill("New York");
    await page.getByRole("button", { name: "Continue to shipping" }).click();
    await page.getByRole("button", { name: "Continue to payment" }).click();
    await page.getByLabel("Card number").fill("1");
    await page.getByRole("button", { name: "Pay now" }).click();
    await page.getByRole("heading", { name: "Thank you, Bo" }).waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/checkouts\/cn\/\w+\/en-us\/thank-you$/);
    expect(await page.evaluate("window.trackerLoaded")).toBeUndefined();
    await expect.poll(names).toContain("checkout_completed");
    await page.reload();
    await expect
      .poll(() => saw().filter(({ name, url }) => name === "page_viewed" && url.endsWith("/thank-you")).length)
      .toBe(2);

    const once = [
      "product_viewed",
      "product_added_to_cart",
      "checkout_started",
      "checkout_contact_info_submitted",
      "checkout_address_info_submitted",
      "checkout_shipping_info_submitted",
      "payment_info_submitted",
      "checkout_completed",
    ];
    expect(
      names()
        .filter((name) => once.includes(name))
        .toSorted(),
    ).toEqual(once.toSorted());
    expect(saw().find(({ name }) => name === "checkout_completed")).toMatchObject({
      id: expect.stringMatching(/^sh-/),
      origin: "null",
      cookie: "yes",
      allowed: true,
      data: {
        checkout: {
          email: "browser@example.com",
          currencyCode: "USD",
          totalPrice: { amount: 31.21, currencyCode: "USD" },
          order: { id: expect.stringMatching(/^\d+$/), customer: { isFirstOrder: true } },
        },
      },
    });
  });

  it("moves through the lookbook without loading a page, forward and back", async () => {
    await page.goto(`${demo.url}/pages/lookbook?region=US`);
    await page.evaluate("window.same = true");
    await page.getByRole("link", { name: "Dark by five" }).click();
    expect(new URL(page.url()).pathname).toBe("/pages/lookbook/dark-by-five");
    await page.getByRole("heading", { name: "Dark by five" }).waitFor();
    expect(await page.title()).toContain("Dark by five");
    await page.goBack();
    await page.getByRole("heading", { name: "First light" }).waitFor();
    expect(await page.evaluate("window.same")).toBe(true);
  });

  it("signs up for the letters: a customer with consent and a tag", async () => {
    await page.goto(`${demo.url}/?region=US`);
    const form = page.locator("form#newsletter[data-footfall]");
    await form.getByLabel("E-mail").fill("letters@example.com");
    await form.getByRole("checkbox").check();
    await form.getByRole("button", { name: "Sign up" }).click();
    await page.getByRole("heading", { name: "Thank you" }).waitFor();
    await expect
      .poll(() => product.webhooks().map(({ topic }) => topic))
      .toEqual([
        "customers/create",
        "customers_email_marketing_consent/update",
        "customers/update",
        "customer.tags_added",
        "customers/update",
      ]);
  });

  it.each([
    ["a phone", 390, 844],
    ["a small phone", 320, 640],
    ["a desk", 1280, 800],
  ])("fits on %s: no page scrolls sideways", async (_name, width, height) => {
    await page.setViewportSize({ width, height });
    for (const path of [
      "/",
      "/collections/all",
      "/products/oak-board",
      "/cart",
      "/search",
      "/account",
      "/pages/lookbook",
      "/blogs/journal",
      "/pages/slow-mornings",
      "/_ads",
      "/_admin",
      "/_mail",
    ]) {
      await page.goto(`${demo.url}${path}`);
      const over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
      expect({ path, over }).toEqual({ path, over: 0 });
    }
  });

  it("refunds and cancels from the operator's page", async () => {
    await page.goto(`${demo.url}/_admin`);
    await page.evaluate(
      `fetch("/_admin/api/orders", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ variantId: 44871203946752, quantity: 2 }) })`,
    );
    await page.reload();
    await page.getByRole("button", { name: "Refund one piece" }).click();
    await page.getByText("partially refunded").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByText("cancelled", { exact: true }).waitFor();
    await expect.poll(() => product.webhooks().filter(({ topic }) => topic === "refunds/create").length).toBe(2);
  });
});
