import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { freePort, startScript } from "../node/scripts/start-script.ts";
import { launchChromium } from "./chromium.ts";

const TOKEN = "operator-token-of-the-recovery";
const SHOP = "demo.myshopify.com";

/** Long enough for a shopper to come through the checkout, on a busy machine too. */
const ABANDON_AFTER_SECONDS = 8;

/** A second, and what a busy machine takes until the shop's word of an order is heard. */
const BEFORE_MS = 2_500;

/** By then an abandoned cart's mail has been decided on. */
const SETTLED_MS = 1_000 * ABANDON_AFTER_SECONDS + 12_000;

/** Clicks that come sooner after a mail are taken for a scanner's. */
const READING_MS = 3_500;

const Record = z.looseObject({ id: z.string() });
const Item = z.looseObject({ id: z.string(), state: z.string(), reason: z.string().nullable() });
const Delivery = Item.extend({ kind: z.string(), dueAt: z.string(), runId: z.string().nullable() });
const Run = z.looseObject({ id: z.string(), state: z.string(), reason: z.string().nullable() });
const Log = z.object({ run: Run, log: z.array(z.looseObject({ outcome: z.string(), data: z.unknown() })) });
const Mail = z.object({
  id: z.number(),
  at: z.number(),
  subject: z.string(),
  html: z.string(),
  text: z.string(),
  headers: z.array(z.object({ name: z.string(), value: z.string() })),
});
const list = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item) });

let folder: string;
let run: ReturnType<typeof startScript>;
let api: string;
let store: string;
let browser: Browser;
let automation: string;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "footfall-recovery-"));
  browser = await launchChromium();
  const [port, demoPort] = [await freePort(), await freePort()];
  api = `http://localhost:${port}`;
  store = `http://localhost:${demoPort}`;
  run = startScript({
    PORT: String(port),
    DEMO_PORT: String(demoPort),
    STATE_DIR: folder,
    OPERATOR_TOKEN: TOKEN,
    SHOPIFY_API_SECRET: "app-secret-of-the-recovery",
    SIMULATE: "0",
  });
  await run.says(/Mailbox +http:\S+\/_mail\n/);
  await call("PATCH", `shops/${SHOP}`, { settings: { abandonAfterSeconds: ABANDON_AFTER_SECONDS } });
  const { items } = await read(`automations?shop=${SHOP}`, list(Record));
  automation = z.string().parse(items[0]?.id);
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

/** Asks until there is an answer that is neither null nor undefined. */
async function eventually<T>(what: string, ask: () => Promise<T | null | undefined>): Promise<T> {
  let found: T | null | undefined;
  await expect
    .poll(
      async () => {
        found = await ask();
        return found === null || found === undefined ? what : "there";
      },
      { timeout: 90_000, interval: 250 },
    )
    .toBe("there");
  if (found === null || found === undefined) throw new Error(what);
  return found;
}

async function open(): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  contexts.push(context);
  return context.newPage();
}

const visitorOf = async (page: Page): Promise<string> => {
  await page.waitForFunction("localStorage.ff_v");
  return z.uuid().parse(JSON.parse(String(await page.evaluate("localStorage.ff_v"))));
};

const contactOf = (visitor: string): Promise<string> =>
  eventually(`a contact of ${visitor}`, async () => {
    const { contactId } = await read(`visitors/${visitor}`, Record.extend({ contactId: z.string().nullable() }));
    return contactId;
  });

const isKnown = async (visitor: string): Promise<true | null> => {
  const answer = await fetch(`${api}/v1/visitors/${visitor}`, { headers: { authorization: `Bearer ${TOKEN}` } });
  return answer.ok || null;
};

const mailsTo = async (address: string) =>
  list(Mail).parse(await (await fetch(`${store}/_mail/api/messages?to=${encodeURIComponent(address)}`)).json()).items;

const deliveriesTo = async (contact: string) =>
  (await read(`deliveries?shop=${SHOP}&contactId=${contact}`, list(Delivery))).items;

const runsOf = async (contact: string) =>
  (await read(`automations/${automation}/runs?contactId=${contact}`, list(Run))).items;

/** Two products in the cart: a mug twice, a board once. */
async function fillCart(page: Page): Promise<void> {
  await page.goto(`${store}/products/stoneware-mug?region=US`);
  await page.getByText("Moss", { exact: true }).click();
  await page.getByLabel("Quantity").fill("2");
  await page.getByRole("button", { name: "Add to cart" }).click();
  await page.locator(".drawer[open] .line").waitFor();
  await page.goto(`${store}/products/oak-board`);
  await page.getByRole("button", { name: "Add to cart" }).click();
  await page.locator(".drawer[open] .line").nth(1).waitFor();
}

async function giveAddress(page: Page, email: string): Promise<void> {
  await page.locator(".drawer").getByRole("button", { name: "Check out" }).click();
  await page.getByLabel("E-mail", { exact: true }).fill(email);
  await page.getByLabel("E-mail me about new pieces").check();
  await page.getByLabel("First name").fill("Nora");
  await page.getByLabel("Last name").fill("Lund");
  await page.getByLabel("Address").fill("1 Main Street");
  await page.getByLabel("Postal code").fill("11211");
  await page.getByLabel("City").fill("New York");
  await page.getByRole("button", { name: "Continue to shipping" }).click();
  await page.getByRole("button", { name: "Continue to payment" }).waitFor();
}

async function toPayment(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Continue to payment" }).click();
  await page.getByLabel("Card number").fill("1");
}

async function pay(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Pay now" }).click();
  await page.getByRole("heading", { name: "Thank you, Nora" }).waitFor();
}

/** Has the automation's mails wait for a full minute that is at least so many milliseconds away, on clocks of this zone. */
async function quietFor(zone: string, ms: number): Promise<void> {
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
  const end = Math.ceil((Date.now() + ms) / 60_000) * 60_000;
  const quietHours = { from: clock.format(end - 3_600_000), to: clock.format(end), mode: "defer" };
  const { definition } = await read(`automations/${automation}`, z.looseObject({ definition: z.looseObject({}) }));
  await call("PATCH", `automations/${automation}`, { definition: { ...definition, sending: { quietHours } } });
}

/** The exit in the log of the only run of a contact, once it is there. */
const exitOf = (contact: string): Promise<unknown> =>
  eventually("an exit", async () => {
    const [entered, ...more] = await runsOf(contact);
    expect(more).toEqual([]);
    if (entered?.state !== "exited") return null;
    const { log } = await read(`automations/${automation}/runs/${entered.id}`, Log);
    return log.find(({ outcome }) => outcome === "exited")?.data;
  });

describe("a cart left behind in the demo store", () => {
  it("B9, E18, E21: one mail shows the cart, brings it back on another browser and says whose that is; buying recovers and is credited", async () => {
    const email = "nora.lund@example.com";
    const shopper = await open();
    await fillCart(shopper);
    await giveAddress(shopper, email);
    const contact = await contactOf(await visitorOf(shopper));
    await shopper.context().close();

    // The other browser has been in the store before, as nobody.
    const other = await open();
    await other.goto(`${store}/collections/all?region=US`);
    const theirs = await visitorOf(other);
    await eventually("the other browser", () => isKnown(theirs));
    expect((await read(`visitors/${theirs}`, Record))["contactId"]).toBeNull();

    const mail = await eventually("a mail", async () => (await mailsTo(email))[0]);
    const reader = await open();
    await reader.goto(`${store}/_mail`);
    await reader.getByRole("link", { name: email }).click();
    const body = reader.frameLocator("iframe");
    const rows = (await body.locator("tr:has(> td > img)").allInnerTexts()).map((row) => row.split(/\s*[\n\t]\s*/));
    expect(rows.map((row) => row.filter((part) => /^(Oak|Everyday|Quantity|\$)/.test(part)))).toEqual([
      ["Oak Serving Board", "Quantity: 1", "$42.12"],
      ["Everyday Stoneware Mug", "Quantity: 2", "$51.84"],
    ]);
    expect(await body.locator("body").innerText()).toMatch(/Total\s+\$93\.96/);
    const pictures = body.locator("td > img[alt]");
    const loaded = () =>
      pictures.evaluateAll((all) => all.map((one) => one instanceof HTMLImageElement && one.naturalWidth > 1));
    await expect.poll(loaded).toEqual([true, true]);
    const sources = await pictures.evaluateAll((all) => all.map((one) => one.getAttribute("src")));
    expect(sources.map((source) => new URL(source ?? "").origin)).toEqual([store, store]);
    expect(sources.map((source) => new URL(source ?? "").pathname)).toEqual([
      "/cdn/shop/files/oak-board.svg",
      "/cdn/shop/files/stoneware-mug.svg",
    ]);
    expect(mail.text).toContain("Lindenstraße 12");
    const header = (name: string) => mail.headers.find((one) => one.name === name)?.value;
    expect(header("List-Unsubscribe-Post")).toBe("List-Unsubscribe=One-Click");
    expect(header("From")).toContain("hello@alder-and-oat.example");

    const link = await body.getByRole("link", { name: "Return to checkout" }).getAttribute("href");
    expect(new URL(link ?? "").origin).toBe(api);
    await expect.poll(() => Date.now() - mail.at, { timeout: 10_000 }).toBeGreaterThan(READING_MS);
    await other.goto(link ?? "");
    expect(new URL(other.url()).pathname).toMatch(/^\/checkouts\/cn\/\w+\/en-us\/information$/);
    expect((await other.locator(".sum-lines li").allInnerTexts()).map((line) => line.split("\n")[1])).toEqual([
      "Oak Serving Board",
      "Everyday Stoneware Mug",
    ]);
    expect(await other.getByLabel("E-mail", { exact: true }).inputValue()).toBe(email);
    expect(await contactOf(theirs)).toBe(contact);
    expect(await visitorOf(other)).toBe(theirs);

    const carts = async () => (await read(`carts?shop=${SHOP}&contactId=${contact}`, list(Record))).items;
    expect(await carts()).toMatchObject([{ state: "abandoned" }]);
    await other.getByRole("button", { name: "Continue to shipping" }).click();
    await toPayment(other);
    await pay(other);
    await eventually("a recovered cart", async () => (await carts()).find((cart) => cart["state"] === "recovered"));
    expect(await exitOf(contact)).toMatchObject({ why: expect.stringMatching(/purchase|order|cart/) });
    const [sent, ...more] = await deliveriesTo(contact);
    expect([sent?.state, more]).toEqual(["sent", []]);
    const { orders } = await eventually("a credit", async () => {
      const detail = await read(
        `deliveries/${sent?.id}`,
        z.object({ orders: z.array(z.looseObject({ orderId: z.string() })) }),
      );
      return detail.orders.length > 0 ? detail : null;
    });
    const placed = await read(`orders?shop=${SHOP}&contactId=${contact}`, list(Record));
    expect(orders).toMatchObject([{ orderId: placed.items[0]?.id, touch: "clicked" }]);
    expect(orders).toHaveLength(1);
    expect(await mailsTo(email)).toHaveLength(1);
  });

  it("E21: buying a second before the mail goes out stops it, and the run's log says why", async () => {
    const email = "paul.gray@example.com";
    const shopper = await open();
    await fillCart(shopper);
    await giveAddress(shopper, email);
    await toPayment(shopper);
    const visitor = await visitorOf(shopper);
    const contact = await contactOf(visitor);
    const { locale } = await read(
      `visitors/${visitor}`,
      Record.extend({ locale: z.looseObject({ timezone: z.string().nullable() }) }),
    );
    // Where the browser's place is not known, the address given decides.
    await quietFor(locale.timezone ?? "America/New_York", SETTLED_MS);
    const waiting = await eventually("a mail put off", async () => {
      const [one] = await deliveriesTo(contact);
      return one?.state === "queued" && one.reason === "quiet_hours" ? one : null;
    });
    const due = Date.parse(waiting.dueAt);
    await expect.poll(() => due - Date.now(), { timeout: 100_000, interval: 50 }).toBeLessThan(BEFORE_MS);
    await pay(shopper);
    expect(Date.now()).toBeLessThan(due);
    const stopped = await eventually("the end of it", async () => {
      const one = await read(`deliveries/${waiting.id}`, Delivery);
      return one.state === "queued" || one.state === "sending" ? null : one;
    });
    expect([stopped.state, stopped.reason]).toEqual(["skipped", expect.stringMatching(/^exited:/)]);
    expect(Date.now()).toBeGreaterThan(due);
    expect(await exitOf(contact)).toMatchObject({ why: expect.stringMatching(/purchase|order|cart/) });
    expect(await mailsTo(email)).toEqual([]);
  });

  it("B17: an address that only the browser has told gets a request to confirm it, and nothing about its cart", async () => {
    const email = "only.claimed@example.com";
    const shopper = await open();
    await fillCart(shopper);
    await shopper.evaluate(`footfall.identify({ email: "${email}", consent: { email: true } })`);
    const contact = await contactOf(await visitorOf(shopper));
    await shopper.context().close();
    const cartMail = await eventually("a decision about the cart's mail", async () =>
      (await deliveriesTo(contact)).find(({ kind, state }) => kind === "message" && state === "skipped"),
    );
    expect(cartMail.reason).toBe("claimed_address");
    await eventually("a mail", async () => (await mailsTo(email))[0]);
    const mails = await mailsTo(email);
    expect(mails.map(({ html }) => [html.includes("/m/k/"), html.includes("Stoneware")])).toEqual([[true, false]]);
    expect((await deliveriesTo(contact)).map(({ kind, state }) => `${kind} ${state}`).toSorted()).toEqual([
      "message skipped",
      "opt_in sent",
    ]);
  });
});
