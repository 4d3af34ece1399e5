import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createWorld, plain, type World } from "./harness.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.pages.set("/favicon.ico", (_request, response) => response.writeHead(204).end());
  world.pages.set("/", plain(world.host, "Home"));
});
afterEach(() => world.reset());

const DAY = 86_400;
const visitors = () => [...new Set(world.received.map(({ beacon }) => beacon.visitor))];
const cookies = async (page: Page) => (await page.context().cookies()).filter(({ name }) => name === "ff_v");
const kept = (page: Page) => page.evaluate<Record<string, string>>("({ ...localStorage })");

/** Everything that the page has collected by now has been sent, or will never be. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(`dispatchEvent(new PageTransitionEvent("pagehide"))`);
}

describe("visitor id", () => {
  it("A8: is a first-party cookie, SameSite, of at most 13 months, which www and apex share", async () => {
    const page = await world.page();
    await page.goto(world.url("/"));
    await world.until(() => world.received.length === 1);
    const [cookie, ...others] = await cookies(page);
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({
      value: visitors()[0],
      domain: ".shop.test",
      path: "/",
      sameSite: "Lax",
      secure: false,
    });
    const days = ((cookie?.expires ?? 0) - Date.now() / 1000) / DAY;
    expect(days).toBeGreaterThan(390);
    expect(days).toBeLessThanOrEqual(395);
    await page.goto(world.url("/", "shop.test"));
    await world.until(() => world.received.length === 2);
    expect(visitors()).toHaveLength(1);
  });

  it("A8: is Secure on https", async () => {
    const page = await world.page();
    await page.route("https://www.shop.test/", (route) =>
      route.fulfill({ contentType: "text/html", body: plain(world.host, "Secure") }),
    );
    await page.goto("https://www.shop.test/");
    await world.until(() => world.received.length === 1);
    expect(await cookies(page)).toMatchObject([{ value: visitors()[0], secure: true, domain: ".shop.test" }]);
  });

  it("A8: with consent refused there is no cookie and no event", async () => {
    const page = await world.page();
    world.configure({ c: 1 });
    await page.goto(world.url("/"), { waitUntil: "load" });
    await page.evaluate(`footfall.consent(false); footfall.track("after"); footfall.identify("a@b.test")`);
    await settled(page);
    await page.goto(world.url("/"), { waitUntil: "load" });
    await settled(page);
    world.configure({ c: 0 });
    await page.goto(world.url("/"), { waitUntil: "load" });
    await settled(page);
    expect(world.received).toEqual([]);
    expect(await cookies(page)).toEqual([]);
    expect(await kept(page)).toEqual({ ff_c: `{"analytics":false,"marketing":false}` });
  });

  it("is renewed on every visit, restored from either home, and kept below a public suffix of two labels", async () => {
    const page = await world.page();
    const site = world.url("/", "www.shop.co.uk");
    await page.goto(site);
    await world.until(() => world.received.length === 1);
    expect(await cookies(page)).toMatchObject([{ domain: ".shop.co.uk" }]);
    const [first] = await cookies(page);
    await page.context().clearCookies();
    await page.goto(site);
    await world.until(() => world.received.length === 2);
    expect(await cookies(page)).toMatchObject([{ value: first?.value, domain: ".shop.co.uk" }]);
    await page.evaluate("localStorage.clear()");
    const soon = Math.floor(Date.now() / 1000) + 60;
    await page.context().addCookies([{ ...first, name: "ff_v", value: first?.value ?? "", expires: soon }]);
    await page.goto(site);
    await world.until(() => world.received.length === 3);
    expect(visitors()).toEqual([first?.value]);
    const renewed = await cookies(page);
    expect(renewed).toHaveLength(1);
    expect(renewed[0]?.expires).toBeGreaterThan(soon + 390 * DAY);
    expect((await kept(page))["ff_v"]).toBe(JSON.stringify(first?.value));
  });

  it("is left to the server where that sets the cookie", async () => {
    world.configure({ f: "include" });
    const page = await world.page();
    await page.goto(world.url("/", "localhost"), { waitUntil: "load" });
    await world.until(() => world.received.length === 1);
    await page.evaluate(`footfall.track("second")`);
    await world.until(() => world.received.length === 2);
    expect(world.received[1]?.headers.cookie).toBe(`ff_v=${visitors()[0]}`);
    expect(await cookies(page)).toMatchObject([{ value: visitors()[0], domain: "localhost" }]);
  });

  it("is not asked to be more than it is: own traffic is excluded and stays so until it is not", async () => {
    const page = await world.page();
    await page.goto(world.url("/"), { waitUntil: "load" });
    await page.evaluate(`footfall.exclude(true); footfall.track("hidden")`);
    await settled(page);
    await page.goto(world.url("/"), { waitUntil: "load" });
    await settled(page);
    expect(world.received).toEqual([]);
    await page.evaluate(`footfall.exclude(false); footfall.track("shown")`);
    await world.until(() => world.types().length > 0);
    expect(world.types()).toEqual(["custom:shown"]);
  });

  it("is erased by forget, here at once and on the server, even if that was away", async () => {
    const page = await world.page();
    await page.goto(world.url("/"), { waitUntil: "load" });
    await world.until(() => world.received.length === 1);
    const [first] = visitors();
    world.answer(() => "drop");
    await page.evaluate("footfall.forget()");
    expect(await cookies(page)).toEqual([]);
    expect(await kept(page)).toEqual({ ff_f: JSON.stringify(first) });
    await world.until(() => world.received.length > 1);
    world.answer(() => 204);
    await page.goto(world.url("/"), { waitUntil: "load" });
    await world.until(() => world.types().filter((type) => type === "page_viewed").length === 2);
    const told = world.received.filter(({ beacon }) => beacon.events.some(({ type }) => type === "forget"));
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(told.every(({ beacon }) => beacon.visitor === first && beacon.events.length === 1)).toBe(true);
    expect(world.received.at(-1)?.beacon.visitor).not.toBe(first);
    expect((await kept(page))["ff_f"]).toBeUndefined();
  });
});

describe("consent", () => {
  it("is waited for, and what happened on this page is sent once it is given, with its own time", async () => {
    world.configure({ c: 1 });
    const page = await world.page();
    await page.goto(world.url("/"), { waitUntil: "load" });
    await page.evaluate(`footfall.track("early")`);
    const before = Date.now();
    await settled(page);
    expect(await kept(page)).toEqual({});
    expect(await cookies(page)).toEqual([]);
    expect(world.received).toEqual([]);
    await page.evaluate(`footfall.consent({ analytics: true })`);
    await world.until(() => world.received.length === 1);
    expect(world.types()).toEqual(["page_viewed", "custom:early"]);
    expect(world.events().every(({ at }) => at <= before)).toBe(true);
    expect(world.received[0]?.beacon.consent).toEqual({ analytics: true, marketing: false });
    expect(await cookies(page)).toHaveLength(1);

    await page.goto(world.url("/"));
    await world.until(() => world.received.length === 2);
    expect(visitors()).toHaveLength(1);
  });

  it("taken back removes cookie, id and queue, and stops", async () => {
    const page = await world.page();
    await page.goto(world.url("/"), { waitUntil: "load" });
    await world.until(() => world.received.length === 1);
    await page.evaluate(`footfall.track("unsent"); footfall.consent(false)`);
    await settled(page);
    expect(await cookies(page)).toEqual([]);
    expect(await kept(page)).toEqual({ ff_c: `{"analytics":false,"marketing":false}` });
    expect(world.received).toHaveLength(1);
  });

  it("counts as refused under Global Privacy Control unless it is given explicitly", async () => {
    const page = await world.page();
    await page.addInitScript("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })");
    await page.goto(world.url("/"), { waitUntil: "load" });
    await settled(page);
    expect(world.received).toEqual([]);
    expect(await kept(page)).toEqual({});
    await page.evaluate("footfall.consent(true)");
    await world.until(() => world.received.length === 1);
    expect(world.received[0]?.beacon.consent).toEqual({ analytics: true, marketing: true });
  });
});
