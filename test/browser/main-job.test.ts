import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { freePort, startScript } from "../node/scripts/start-script.ts";
import { launchChromium } from "./chromium.ts";

const TOKEN = "operator-token-of-this-walk";
const SHOP = "demo.myshopify.com";

const Item = z.looseObject({
  id: z.string(),
  type: z.string(),
  at: z.string(),
  data: z.record(z.string(), z.unknown()).nullable(),
});
const Record = z.looseObject({ id: z.string() });

let folder: string;
let run: ReturnType<typeof startScript>;
let api: string;
let store: string;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "footfall-walk-"));
  const [port, demoPort] = [await freePort(), await freePort()];
  api = `http://localhost:${port}`;
  store = `http://localhost:${demoPort}`;
  run = startScript({
    PORT: String(port),
    DEMO_PORT: String(demoPort),
    STATE_DIR: folder,
    OPERATOR_TOKEN: TOKEN,
    SIMULATE: "0",
  });
  await run.says(/is running/);
  browser = await launchChromium();
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  // What Cloudflare adds on the way; set behind the browser's back, so that no request needs a preflight for it.
  const place = { "cf-ipcountry": "DE", "cf-region": "Bavaria", "cf-ipcity": "Munich" };
  await context.route(`${api}/**`, (route) => route.continue({ headers: { ...route.request().headers(), ...place } }));
  page = await context.newPage();
});

afterAll(async () => {
  await browser.close();
  run.signal("SIGTERM");
  await run.ended;
  await rm(folder, { recursive: true, force: true });
});

async function read<T extends z.ZodType>(path: string, schema: T): Promise<z.infer<T>> {
  const response = await fetch(`${api}/v1/${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
  expect([path, response.status]).toEqual([path, 200]);
  return schema.parse(await response.json());
}

const list = (path: string) =>
  read(`${path}${path.includes("?") ? "&" : "?"}shop=${SHOP}`, z.object({ items: z.array(Record) }));

/** Resolves when the tracker has told the product of what the action caused: an event of this type. */
async function tells(type: string, action: () => Promise<unknown>): Promise<void> {
  const told = page.waitForResponse(
    (r) => r.url() === `${api}/ff` && (r.request().postData() ?? "").includes(`"type":"${type}"`),
  );
  await action();
  expect((await told).status()).toBe(204);
}

describe("from the storefront to the contact", () => {
  it("an ad, a few pages, a cart, a newsletter, an order: one visitor became one contact, nothing twice", async () => {
    const email = "ida.walker@example.com";
    const scripts: string[] = [];
    page.on("request", (request) => {
      if (request.method() === "OPTIONS") scripts.push(request.url());
    });
    await page.goto(`${store}/pages/slow-mornings?utm_source=instagram&utm_medium=paid_social&utm_campaign=autumn`);
    await page.getByRole("dialog", { name: "May we count your visit?" }).waitFor();
    expect((await list("visitors")).items).toHaveLength(0);
    expect((await context.cookies()).filter(({ name }) => name === "ff_v")).toHaveLength(0);
    await tells("page_viewed", () => page.getByRole("button", { name: "Yes, that is fine" }).click());

    await tells("page_viewed", () => page.goto(`${store}/collections/all`));
    await tells("page_viewed", () => page.goto(`${store}/products/stoneware-mug`));
    await page.getByText("Moss", { exact: true }).click();
    await tells("cart_updated", () => page.getByRole("button", { name: "Add to cart" }).click());
    await page.locator(".drawer[open] .line").waitFor();
    const [before] = (await list("visitors")).items;
    expect(before).toMatchObject({
      geo: { country: "DE", region: "Bavaria", city: "Munich" },
      visits: 1,
      returning: false,
      contactId: null,
      firstTouch: { source: "instagram", medium: "paid_social", campaign: "autumn" },
    });

    await tells("page_viewed", () => page.goto(`${store}/`));
    const form = page.locator("form#newsletter[data-footfall]");
    await form.getByLabel("E-mail").fill(email);
    await form.getByRole("checkbox").check();
    await tells("identified", () => form.getByRole("button", { name: "Sign up" }).click());
    await page.getByRole("heading", { name: "Thank you" }).waitFor();

    await tells("page_viewed", () => page.goto(`${store}/cart`));
    await page.locator("main").getByRole("button", { name: "Check out" }).click();
    await page.getByLabel("E-mail", { exact: true }).fill(email);
    await page.getByLabel("First name").fill("Ida");
    await page.getByLabel("Last name").fill("Walker");
    await page.getByLabel("Address").fill("Isarweg 1");
    await page.getByLabel("Postal code").fill("80331");
    await page.getByLabel("City").fill("München");
    await page.getByRole("button", { name: "Continue to shipping" }).click();
    await page.getByRole("button", { name: "Continue to payment" }).click();
    await page.getByLabel("Card number").fill("1");
    await tells("checkout_completed", () => page.getByRole("button", { name: "Pay now" }).click());
    await page.getByRole("heading", { name: "Thank you, Ida" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Thank you, Ida" }).waitFor();

    // Shopify's webhooks and the last beacons arrive in their own time.
    const settled = async () => {
      const [contact] = (await list(`contacts?email=${email}`)).items;
      const [order] = (await list("orders")).items;
      const [cart] = (await list("carts")).items;
      const timeline = contact
        ? (await read(`contacts/${contact.id}/timeline?limit=250`, z.object({ items: z.array(Item) }))).items
        : [];
      const types = timeline.map(({ type }) => type);
      return {
        facts: {
          order: order?.["contactId"] === contact?.id,
          visitor: order?.["visitorId"] === before?.id,
          cart: cart?.["state"],
          types: ["checkout_completed", "order_placed"].filter((type) => types.includes(type)),
        },
        contact,
        order,
        cart,
        timeline,
      };
    };
    await expect
      .poll(async () => (await settled()).facts, { timeout: 60_000, interval: 500 })
      .toEqual({ order: true, visitor: true, cart: "purchased", types: ["checkout_completed", "order_placed"] });
    const { contact, order, cart, timeline } = await settled();

    expect((await list("contacts")).items).toHaveLength(1);
    expect((await list("orders")).items).toHaveLength(1);
    expect((await list("carts")).items).toHaveLength(1);
    expect((await list("visitors")).items).toHaveLength(0);
    expect(contact).toMatchObject({
      email,
      source: "Website",
      firstName: "Ida",
      lifecycle: { stage: "customer", status: "paying" },
      consents: { email: { state: "subscribed" } },
      fields: { total_order_count: 1 },
    });
    expect(cart).toMatchObject({ visitorId: before?.id, contactId: contact?.id, token: order?.["cartToken"] });

    const seen = await read(`visitors/${before?.id}`, Record);
    expect(seen).toMatchObject({ contactId: contact?.id, visits: 1, firstTouch: before?.["firstTouch"] });
    const paths = timeline
      .filter(({ type }) => type === "page_viewed")
      .map(({ data }) => new URL(z.string().parse(data?.["url"])).pathname)
      .filter((path) => !path.startsWith("/checkouts"))
      .toReversed();
    expect(paths.slice(0, 4)).toEqual(["/pages/slow-mornings", "/collections/all", "/products/stoneware-mug", "/"]);
    const times = timeline.map(({ at }) => Date.parse(at));
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(timeline.find(({ type }) => type === "page_viewed")?.at).not.toBe(timeline.at(-1)?.at);

    const count = (type: string) => timeline.filter((item) => item.type === type).length;
    for (const once of [
      "order_placed",
      "checkout_completed",
      "checkout_started",
      "form_submitted",
      "contact_created",
    ]) {
      expect([once, count(once)]).toEqual([once, 1]);
    }
    expect(count("cart_abandoned")).toBe(0);
    expect(new Set(timeline.map(({ id }) => id)).size).toBe(timeline.length);
    const commerce = await read(
      `contacts/${contact?.id}/commerce`,
      z.looseObject({ metrics: z.looseObject({ totalOrders: z.number() }) }),
    );
    expect(commerce.metrics.totalOrders).toBe(1);
    expect((await list("webhook-inbox?state=dead")).items).toHaveLength(0);
    expect((await list("dead-letters")).items).toHaveLength(0);
    expect(scripts).toEqual([]);
  });
});
