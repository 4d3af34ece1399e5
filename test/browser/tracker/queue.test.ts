import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createWorld, plain, SNIPPET, type World } from "./harness.ts";

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

const ids = () => world.received.flatMap(({ beacon }) => beacon.events.map(({ id }) => id));

describe("queue", () => {
  it("sends several events in one body", async () => {
    const page = await world.page();
    await page.goto(world.url("/"), { waitUntil: "load" });
    await page.evaluate(`for (const name of ["a", "b", "c"]) footfall.track(name, { n: 1 })`);
    await world.until(() => world.types().length === 4);
    expect(world.received.length).toBeLessThanOrEqual(2);
    expect(new Set(ids()).size).toBe(4);
  });

  it("keeps events over reloads while the server is away; a retry is not a second event", async () => {
    world.answer(() => "drop");
    const page = await world.page();
    await page.goto(world.url("/?one"), { waitUntil: "load" });
    await page.evaluate(`footfall.track("kept")`);
    await page.goto(world.url("/?two"), { waitUntil: "load" });
    await page.goto(world.url("/?three"), { waitUntil: "load" });
    await world.until(() => world.types().length === 4);
    const [visitor] = world.received.map(({ beacon }) => beacon.visitor);
    const before = new Set(ids());
    expect(before.size).toBe(4);
    world.received.length = 0;
    world.answer(() => 204);
    await page.goto(world.url("/?four"), { waitUntil: "load" });
    await world.until(() => world.types().length === 5);
    expect(world.events().map(({ type, url }) => type + new URL(url ?? "").search)).toEqual([
      "page_viewed?one",
      "custom:kept?one",
      "page_viewed?two",
      "page_viewed?three",
      "page_viewed?four",
    ]);
    expect([...before].every((id) => ids().includes(id))).toBe(true);
    expect(world.received.every(({ beacon }) => beacon.visitor === visitor)).toBe(true);
    await page.waitForFunction(`localStorage.ff_q === "{}"`);
  });

  for (const status of [503, 429])
    it(`tries again after ${status} with the same ids, on the same page`, async () => {
      let answers = 0;
      world.answer(() => (answers++ === 0 ? status : 204));
      const page = await world.page();
      await page.goto(world.url("/"));
      await world.until(() => world.received.length === 2);
      expect(world.received[1]?.beacon.events).toEqual(world.received[0]?.beacon.events);
      await page.waitForFunction(`localStorage.ff_q === "{}"`);
    });

  for (const status of [403, 404, 413])
    it(`gives up after ${status}`, async () => {
      world.answer(() => status);
      const page = await world.page();
      await page.goto(world.url("/"));
      await world.until(() => world.received.length === 1);
      await page.waitForFunction(`localStorage.ff_q === "{}"`);
      expect(world.received).toHaveLength(1);
    });

  it("after 400 sends one by one, so that a bad event does not cost the others", async () => {
    world.answer(() => (world.received.at(-1)?.beacon.events.some(({ type }) => type === "custom:bad") ? 400 : 204));
    const page = await world.page();
    await page.goto(world.url("/"), { waitUntil: "load" });
    await page.evaluate(`footfall.track("bad"); footfall.track("good")`);
    await world.until(() => world.received.some(({ beacon }) => beacon.events[0]?.type === "custom:good"));
    await page.waitForFunction(`localStorage.ff_q === "{}"`);
    expect(world.received.at(-1)?.beacon.events).toHaveLength(1);
  });

  it("keeps at most 100 events, no body above 60 KB, and drops an event that no body could hold", async () => {
    world.configure({ c: 1 });
    const page = await world.page();
    await page.goto(world.url("/"), { waitUntil: "load" });
    await page.evaluate(`
      footfall.track("huge", { text: "x".repeat(70000) });
      for (let i = 0; i < 149; i++) footfall.track("n" + i, { text: "\\u5b57".repeat(300) });
      footfall.track("wide", { text: "\\u5b57".repeat(18500) });
      const circle = {}; circle.circle = circle; footfall.track("circle", circle);
      footfall.consent(true)`);
    await world.until(() => world.types().includes("custom:wide") && world.types().length === 100);
    expect(world.types()[0]).toBe("custom:n50");
    for (const { headers } of world.received) expect(Number(headers["content-length"])).toBeLessThanOrEqual(60_000);
  });

  it("hands a leaving page's last events to sendBeacon where fetch cannot outlive the page", async () => {
    const page = await world.page();
    await page.addInitScript("delete Request.prototype.keepalive");
    world.pages.set("/next", "<title>next</title>");
    await page.goto(world.url("/"), { waitUntil: "load" });
    await page.evaluate(`footfall.track("last"); location.href = "/next"`);
    await world.until(() => world.types().includes("custom:last"));
    expect(world.received.map(({ method }) => method)).not.toContain("OPTIONS");
  });

  it("sends what a page collected in its last moment", async () => {
    const page = await world.page();
    world.pages.set("/next", "<title>next</title>");
    await page.goto(world.url("/"), { waitUntil: "load" });
    await page.evaluate(`footfall.track("last"); location.href = "/next"`);
    await world.until(() => world.types().includes("custom:last"));
    expect(world.types()).toEqual(["page_viewed", "custom:last"]);
  });
});

describe("calls", () => {
  it("made before the script has loaded are kept, by a list and by the snippet's methods", async () => {
    const early = `<script>
      (window.footfall = window.footfall || []).push(["identify", { email: "a@b.test" }]);
    </script>`;
    world.pages.set("/list", early + plain(world.host, "List"));
    const methods = `<script>
      window.footfall=window.footfall||new Proxy([],{get:(q,m)=>m in q?q[m]:(...a)=>q.push([m,...a])});
      footfall.track("early", { n: 1 }); footfall.cart({ token: "t" });
    </script>`;
    world.pages.set("/methods", methods + plain(world.host, "Methods"));
    const page = await world.page();
    await page.goto(world.url("/list"), { waitUntil: "load" });
    await page.evaluate(`footfall.push(["track", "later"])`);
    await page.goto(world.url("/methods"));
    await world.until(() => world.types().includes("cart_updated"));
    expect(world.types()).toEqual([
      "page_viewed",
      "identified",
      "custom:later",
      "page_viewed",
      "custom:early",
      "cart_updated",
    ]);
    expect(world.noise).toEqual([]);
  });

  it("send standard names as they are and every other as custom", async () => {
    const page = await world.page();
    await page.goto(world.url("/"), { waitUntil: "load" });
    await page.evaluate(`
      for (const name of ["product_viewed", "checkout_started", "search_submitted", "custom:quiz", "video_viewed", "form_viewed", "x"])
        footfall.track(name, {});
      footfall.identify("a@b.test");`);
    await world.until(() => world.types().includes("identified"));
    expect(world.types().slice(1)).toEqual([
      "product_viewed",
      "checkout_started",
      "search_submitted",
      "custom:quiz",
      "custom:video_viewed",
      "custom:form_viewed",
      "custom:x",
      "identified",
    ]);
  });
});

describe("forms", () => {
  const FORM = (attributes: string) => `<form id="f" name="n" ${attributes} action="/done">
    <input type="hidden" name="email_list" value="hidden@x.test">
    <input type="password" name="email_password" value="secret@x.test">
    <input name="contact[first_name]" value="Ada"><input name="lastName" value="L">
    <input type="email" name="contact[email]" value="ada@x.test"><input type="tel" name="t" value="+4512345678">
    <input name="hotel" value="Ritz"><input name="card_number" value="4242424242424242" autocomplete="cc-number">
    <input type="checkbox" name="customer[accepts_marketing]" checked>
    <button>go</button></form>`;

  it("marked for it tell who signs up, without passwords, hidden values and cards, and go on as ever", async () => {
    world.pages.set("/form", plain(world.host, "Form", FORM("data-footfall")));
    world.pages.set("/done", plain(world.host, "Done"));
    const page = await world.page();
    await page.goto(world.url("/form"), { waitUntil: "load" });
    await page.click("button");
    await page.waitForURL("**/done*");
    await world.until(() => world.types().includes("identified"));
    const told = world.events().find(({ type }) => type === "identified")?.data;
    expect(told).toEqual({
      firstName: "Ada",
      lastName: "L",
      email: "ada@x.test",
      phone: "+4512345678",
      consent: { email: true },
    });
    expect(world.events().find(({ type }) => type === "form_submitted")?.data).toEqual({ id: "f", name: "n" });
    expect(JSON.stringify(world.received.map(({ beacon }) => beacon.events.map(({ data }) => data)))).not.toMatch(
      /secret|hidden@|4242/,
    );
  });

  it("not marked tell nothing; a box not ticked is no consent", async () => {
    world.pages.set(
      "/form",
      plain(
        world.host,
        "Form",
        FORM("onsubmit='return false'") + FORM("data-footfall class=marked onsubmit='return false'"),
      ),
    );
    const page = await world.page();
    await page.goto(world.url("/form"), { waitUntil: "load" });
    await page.click("form:not(.marked) button");
    await page.uncheck(".marked [type=checkbox]");
    await page.click(".marked button");
    await world.until(() => world.types().includes("identified"));
    expect(world.types()).toEqual(["page_viewed", "form_submitted", "identified"]);
    expect(world.events().find(({ type }) => type === "identified")?.data).not.toHaveProperty("consent");
  });
});

describe("a hostile page", () => {
  for (const [name, code] of [
    ["without storage", `Object.defineProperty(window, "localStorage", { get() { throw new Error("no") } })`],
    [
      "without cookies",
      `Object.defineProperty(document, "cookie", { get() { throw new Error("no") }, set() { throw new Error("no") } })`,
    ],
    [
      "with a frozen history",
      `delete window.navigation; Object.defineProperty(window, "navigation", { value: undefined }); Object.freeze(history); Object.freeze(History.prototype)`,
    ],
    [
      "with full storage",
      `Storage.prototype.setItem = () => { throw new Error("full") }; for (let i = 0; i < 12; i++) try { localStorage["x" + i] = "x".repeat(1e6) } catch {}`,
    ],
    ["with rubbish in storage", `localStorage.ff_q = "rubbish"; localStorage.ff_c = "{{"; localStorage.ff_v = "1"`],
    [
      "with something else of our name",
      `document.addEventListener("DOMContentLoaded", () => {}); window.footfall = document.createElement("i")`,
    ],
  ] as const)
    it(`${name} is tracked, and sees no error of ours`, async () => {
      world.pages.set("/hostile", `<script>${code}</script>` + plain(world.host, "Hostile"));
      const page = await world.page();
      await page.goto(world.url("/hostile?ff_id=tok"), { waitUntil: "load" });
      await page.evaluate(
        `footfall.track("here"); footfall.track(Symbol()); footfall.identify(); footfall.consent(null)`,
      );
      await world.until(() => world.types().includes("custom:here"));
      expect(world.types()).toEqual(["page_viewed", "identified", "custom:here"]);
      expect(world.received.every(({ beacon }) => beacon.visitor === world.received[0]?.beacon.visitor)).toBe(true);
      expect(world.noise).toEqual([]);
    });

  it("that forbids the connection gets no error or rejection of ours", async () => {
    world.pages.set("/csp", (_request, response) => {
      response.setHeader("content-security-policy", "connect-src 'none'");
      response.writeHead(200, { "content-type": "text/html" }).end(plain(world.host, "Csp"));
    });
    const page = await world.page();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.addInitScript(`addEventListener("unhandledrejection", (e) => { window.rejected = String(e.reason) });
      document.addEventListener("securitypolicyviolation", () => { window.blocked = true })`);
    await page.goto(world.url("/csp"));
    await page.waitForFunction("window.blocked");
    expect(await page.evaluate("window.rejected")).toBeUndefined();
    expect(errors).toEqual([]);
    expect(world.received).toEqual([]);
  });

  it("that breaks fetch gets no error of ours", async () => {
    world.pages.set(
      "/broken",
      `<script>window.fetch = () => { window.called = true; throw new Error("no fetch") }</script>` +
        SNIPPET(world.host),
    );
    const page = await world.page();
    await page.goto(world.url("/broken"), { waitUntil: "load" });
    await page.waitForFunction("window.called");
    expect(world.noise).toEqual([]);
  });
});

describe("declared addresses", () => {
  it("B13, B15: of cart and thank-you page are the two steps, on any site", async () => {
    const { addressPattern } = await import("../../../src/collect/patterns.ts");
    world.configure({ cart: addressPattern(["/cart", "/basket*"]), thanks: addressPattern(["/thank-you*"]) });
    for (const path of ["/cart", "/cart/help", "/basket/full", "/thank-you.html"])
      world.pages.set(path, plain(world.host, path));
    const page = await world.page();
    for (const path of ["/cart?x=1", "/cart/help", "/basket/full", "/thank-you.html#done"]) {
      await page.goto(world.url(path), { waitUntil: "load" });
      await world.until(() => world.types().filter((type) => type === "page_viewed").length > 0);
    }
    await world.until(() => world.types().includes("checkout_completed"));
    expect(world.events().map(({ type, url }) => `${type} ${new URL(url ?? "").pathname}`)).toEqual([
      "page_viewed /cart",
      "cart_viewed /cart",
      "page_viewed /cart/help",
      "page_viewed /basket/full",
      "cart_viewed /basket/full",
      "page_viewed /thank-you.html",
      "checkout_completed /thank-you.html",
    ]);
  });
});
