import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startDemo, type Demo } from "../../demo/server.ts";
import { freePort, startScript } from "../node/scripts/start-script.ts";
import { launchChromium } from "./chromium.ts";

const TOKEN = "operator-token-of-this-walk";
const SECRET = "app-secret-of-this-walk";
const SHOP = "demo.myshopify.com";

const Item = z.looseObject({ id: z.string(), type: z.string(), data: z.record(z.string(), z.unknown()).nullable() });
const Record = z.looseObject({ id: z.string() });

let folder: string;
let run: ReturnType<typeof startScript>;
let api: string;
let store: string;
let browser: Browser;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "footfall-embed-"));
  const [port, demoPort] = [await freePort(), await freePort()];
  api = `http://localhost:${port}`;
  store = `http://localhost:${demoPort}`;
  run = startScript({
    PORT: String(port),
    DEMO_PORT: String(demoPort),
    STATE_DIR: folder,
    OPERATOR_TOKEN: TOKEN,
    SHOPIFY_API_SECRET: SECRET,
    SIMULATE: "0",
  });
  await run.says(/is running/);
  browser = await launchChromium();
});

afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()));
});

afterAll(async () => {
  await browser.close();
  run.signal("SIGTERM");
  await run.ended;
  await rm(folder, { recursive: true, force: true });
});

async function call(method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${api}/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
  });
  expect([path, response.ok]).toEqual([path, true]);
  return response.json();
}

const read = async <T extends z.ZodType>(path: string, schema: T): Promise<z.infer<T>> =>
  schema.parse(await call("GET", path));

/** A new browser, and what it asks the app proxy for. */
async function open(): Promise<{ page: Page; asked: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  contexts.push(context);
  const page = await context.newPage();
  const asked: string[] = [];
  page.on("request", (request) => {
    if (new URL(request.url()).pathname.startsWith("/apps/")) asked.push(request.url());
  });
  return { page, asked };
}

/** Resolves when a beacon whose body holds `text` was kept. */
async function tells(page: Page, text: string, action: () => Promise<unknown>): Promise<void> {
  const told = page.waitForResponse((r) => r.url() === `${api}/ff` && (r.request().postData() ?? "").includes(text));
  await action();
  expect((await told).status()).toBe(204);
}

async function signIn(page: Page, at: string, email: string): Promise<void> {
  await page.goto(`${at}/account`);
  await page.locator("main").getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText(email).waitFor();
}

const agree = (page: Page) => page.getByRole("button", { name: "Yes, that is fine" }).click();
const visitorOf = async (page: Page): Promise<string> =>
  z.uuid().parse(JSON.parse(String(await page.evaluate("localStorage.ff_v"))));

/** The contact that a browser belongs to, once it does. */
async function contactOf(visitor: string): Promise<string> {
  let contact: unknown;
  await expect
    .poll(
      async () => {
        contact = (await read(`visitors/${visitor}`, Record))["contactId"];
        return contact;
      },
      { timeout: 60_000, interval: 500 },
    )
    .not.toBeNull();
  return String(contact);
}

async function pathsOf(contact: string): Promise<string[]> {
  const { items } = await read(`contacts/${contact}/timeline?limit=250`, z.object({ items: z.array(Item) }));
  return items
    .filter(({ type }) => type === "page_viewed")
    .map(({ data }) => new URL(z.string().parse(data?.["url"])).pathname)
    .toReversed();
}

describe("a customer who signs in to the demo store", () => {
  it("A4, A19: is linked by the app proxy on verified evidence, with the visits from before, asked once", async () => {
    const email = "greta.holm@example.com";
    const { page, asked } = await open();
    await page.goto(`${store}/?region=DE&utm_source=instagram`);
    await tells(page, "page_viewed", () => agree(page));
    await tells(page, "page_viewed", () => page.goto(`${store}/products/stoneware-mug`));
    const visitor = await visitorOf(page);
    expect((await read(`visitors/${visitor}`, Record))["contactId"]).toBeNull();
    expect(asked).toEqual([]);

    const answered = page.waitForResponse((response) => response.url() === `${store}/apps/footfall/customer`);
    await tells(page, '"type":"identified"', () => signIn(page, store, email));
    const answer = await answered;
    expect([answer.status(), answer.headers()["cache-control"]]).toEqual([200, "private, no-store"]);

    const contact = await contactOf(visitor);
    expect(await read(`contacts/${contact}`, Record)).toMatchObject({
      email,
      shopifyCustomerId: expect.stringMatching(/^\d+$/),
    });
    expect(await read(`contacts/${contact}/links`, z.object({ items: z.array(z.unknown()) }))).toEqual({ items: [] });
    expect((await pathsOf(contact)).slice(0, 2)).toEqual(["/", "/products/stoneware-mug"]);

    await tells(page, "page_viewed", () => page.goto(`${store}/collections/all`));
    await tells(page, "page_viewed", () => page.reload());
    expect(asked).toHaveLength(1);
    const { parts } = await read(
      `shops/${SHOP}/installation`,
      z.object({ parts: z.array(z.looseObject({ part: z.string(), state: z.string() })) }),
    );
    const live = parts.filter(({ state }) => state === "live").map(({ part }) => part);
    expect(live).toEqual(expect.arrayContaining(["tracker", "embed", "customer", "webhooks"]));
  });

  it("the page holds nothing of the customer but a mark, and no token; signed out not even that", async () => {
    const email = "ida.brandt@example.com";
    const { page } = await open();
    await signIn(page, store, email);
    const html = await (await page.request.get(`${store}/collections/all`)).text();
    const tag = /<script data-mark[^]*?<\/script>/.exec(html)?.[0] ?? "";
    const id = /"customerId":(\d+)/.exec(html)?.[1] ?? "";
    expect([tag.length > 0, id.length > 0]).toEqual([true, true]);
    for (const secret of [email, id, SECRET, "signature="])
      expect([secret, tag.includes(secret)]).toEqual([secret, false]);
    await page.goto(`${store}/account/logout`);
    expect(await page.content()).not.toContain("data-mark");
  });

  it("B8: nothing is asked, kept or sent of one who has not agreed, or has refused", async () => {
    const { page, asked } = await open();
    const beacons: string[] = [];
    page.on("request", (request) => {
      if (request.url() === `${api}/ff`) beacons.push(request.url());
    });
    await page.goto(`${store}/?region=DE`);
    await signIn(page, store, "jon.lind@example.com");
    await page.waitForFunction("window.Shopify.customerPrivacy && window.footfall && window.footfallAllowed");
    await page.getByRole("button", { name: "No, thank you" }).click();
    await page.goto(`${store}/collections/all`, { waitUntil: "networkidle" });
    expect([asked, beacons]).toEqual([[], []]);
    expect(await page.evaluate("[sessionStorage.length, typeof localStorage.ff_v]")).toEqual([0, "undefined"]);
  });
});

describe("a store without the app proxy", () => {
  const OTHER = "no-proxy.myshopify.com";
  let demo: Demo;
  beforeAll(async () => {
    const shop = Record.parse(await call("POST", "shops", { domain: OTHER, settings: { consentMode: "opt_out" } }));
    const { secret } = await read(`shops/${shop.id}/identity-secret`, z.object({ secret: z.string() }));
    demo = await startDemo({
      port: 0,
      footfallUrl: api,
      shop: OTHER,
      apiSecret: SECRET,
      embed: { identity_secret: secret, host: `${api}/` },
    });
  });
  afterAll(() => demo.close());

  it("signs the customer in Liquid; a signature of another customer links nobody", async () => {
    const { page, asked } = await open();
    await tells(page, "page_viewed", () => page.goto(`${demo.url}/?region=US`));
    await tells(page, '"signature":', () => signIn(page, demo.url, "mia.roth@example.com"));
    const visitor = await visitorOf(page);
    const contact = await contactOf(visitor);
    expect(await read(`contacts/${contact}/links`, z.object({ items: z.array(z.unknown()) }))).toEqual({ items: [] });
    expect((await pathsOf(contact))[0]).toBe("/");
    expect(asked).toEqual([]);
    const html = await page.content();
    const signature = /data-signature="([0-9a-f]{64})"/.exec(html)?.[1];
    const customerId = z.string().parse((await read(`contacts/${contact}`, Record))["shopifyCustomerId"]);

    const attacker = await open();
    await tells(attacker.page, "page_viewed", () => attacker.page.goto(`${demo.url}/?region=US`));
    await tells(attacker.page, '"identified"', () =>
      attacker.page.evaluate(
        (data) => (window as unknown as { footfall: { identify(who: object): void } }).footfall.identify(data),
        { customerId: String(Number(customerId) - 1), signature },
      ),
    );
    const theirs = await visitorOf(attacker.page);
    expect((await read(`visitors/${theirs}`, Record))["contactId"]).toBeNull();
  });
});
