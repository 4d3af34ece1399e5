import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createWorld, plain, SHOP, type World } from "./harness.ts";

let world: World;
let bundle: string;
beforeAll(async () => {
  world = await createWorld();
  const entry = fileURLToPath(new URL("../../../extensions/footfall-pixel/src/index.js", import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    plugins: [
      {
        name: "web-pixels-extension",
        setup: (own) => {
          own.onResolve({ filter: /^@shopify\/web-pixels-extension$/ }, () => ({ path: "register", namespace: "own" }));
          own.onLoad({ filter: /./, namespace: "own" }, () => ({
            contents: "export const register = (run) => (self.run = run);",
          }));
        },
      },
    ],
  });
  bundle = outputFiles[0]?.text ?? "";
});
afterAll(() => world.close());
afterEach(() => world.reset());

/** The strict sandbox of an app's pixel: a worker without a document, whose API acts on the page by messages. */
async function sandbox(page: Page, settings: Record<string, string>, allowed = true): Promise<void> {
  const code = `
    const asked = new Map(); let number = 0; const subscribers = {};
    const ask = (...call) => new Promise((resolve) => { asked.set(++number, resolve); postMessage([number, ...call]); });
    onmessage = ({ data: [kind, ...rest] }) => {
      if (kind === "answer") asked.get(rest[0])(rest[1]);
      if (kind === "publish") subscribers.all_standard_events(rest[0]);
      if (kind === "consent") subscribers.visitorConsentCollected({ customerPrivacy: rest[0] });
    };
    ${bundle}
    const subscribe = (name, work) => (subscribers[name] = work);
    run({
      analytics: { subscribe },
      customerPrivacy: { subscribe },
      browser: {
        cookie: { get: (name) => ask("getCookie", name), set: (text) => ask("setCookie", text) },
        localStorage: { getItem: (key) => ask("getItem", key), setItem: (key, value) => ask("setItem", key, value) },
      },
      init: {
        customerPrivacy: { analyticsProcessingAllowed: ${allowed}, marketingAllowed: true },
        data: { shop: { myshopifyDomain: ${JSON.stringify(SHOP)} } },
      },
      settings: ${JSON.stringify(settings)},
    });
    postMessage([0, "ready"]);`;
  await page.evaluate(
    ([text]) =>
      new Promise<void>((ready) => {
        const acts: Record<string, (...values: string[]) => unknown> = {
          getCookie: (name) => new RegExp(`${name}=([^;]*)`).exec(document.cookie)?.[1] ?? "",
          setCookie: (cookie) => (document.cookie = cookie ?? ""),
          getItem: (key) => localStorage.getItem(key ?? ""),
          setItem: (key, value) => localStorage.setItem(key ?? "", value ?? ""),
        };
        const worker = new Worker(URL.createObjectURL(new Blob([text ?? ""])));
        worker.addEventListener("message", ({ data: [id, act, ...values] }) => {
          if (act === "ready") ready();
          else worker.postMessage(["answer", id, acts[act]?.(...values)], []);
        });
        Object.assign(window, { worker });
      }),
    [code],
  );
}

const tell = (page: Page, ...message: unknown[]) =>
  page.evaluate((data) => (window as unknown as { worker: Worker }).worker.postMessage(data, []), message);

const publish = (page: Page, name: string, data: object) =>
  tell(page, "publish", {
    id: `sh-${crypto.randomUUID()}`,
    name,
    timestamp: new Date().toISOString(),
    context: { document: { location: { href: page.url() }, title: "Page", referrer: "" } },
    data,
  });

const open = async (path: string, html: string): Promise<Page> => {
  world.pages.set("/favicon.ico", (_request, response) => response.writeHead(204).end());
  world.pages.set(path, html);
  const page = await world.page();
  await page.goto(world.url(path), { waitUntil: "load" });
  return page;
};

describe("the pixel of a deployed app", () => {
  it("is the custom pixel's code, in a worker: the storefront's visitor, the pixel key, no view twice", async () => {
    const page = await open("/", plain(world.host, "Home"));
    await world.until(() => world.received.length === 1);
    await sandbox(page, { host: `${world.host}/`, key: "pixel-key" });
    await publish(page, "page_viewed", {});
    await publish(page, "checkout_started", {
      checkout: { token: "chk1", totalPrice: { amount: 749.95, currencyCode: "EUR" }, lineItems: [] },
    });
    await world.until(() => world.received.length === 2);
    expect(world.types()).toEqual(["page_viewed", "checkout_started"]);
    const [tracker, pixel] = world.received;
    expect(pixel?.beacon).toMatchObject({
      shop: SHOP,
      visitor: tracker?.beacon.visitor,
      pixel: "pixel-key",
      consent: { analytics: true, marketing: true },
      events: [{ data: { checkoutToken: "chk1", value: { amount: 74995, currency: "EUR" } } }],
    });
    expect(world.noise).toEqual([]);
  });

  it("counts the views where the theme has no tracker, and keeps everything back until consent", async () => {
    const page = await open("/", "<title>Home</title>");
    await sandbox(page, { host: world.host, key: "pixel-key", theme: "0" }, false);
    await publish(page, "page_viewed", {});
    await tell(page, "consent", { analyticsProcessingAllowed: false });
    await page.waitForFunction("localStorage.ff_c");
    expect(await page.context().cookies()).toEqual([]);
    expect(world.received).toEqual([]);
    await publish(page, "page_viewed", {});
    await tell(page, "consent", { analyticsProcessingAllowed: true });
    await world.until(() => world.received.length === 1);
    expect(world.types()).toEqual(["page_viewed"]);
  });
});
