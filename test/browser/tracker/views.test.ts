import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createWorld, plain, SHOP, SNIPPET, type World } from "./harness.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.pages.set("/favicon.ico", (_request, response) => response.writeHead(204).end());
});
afterEach(() => world.reset());

const views = () => world.events().filter(({ type }) => type === "page_viewed");

describe("page views", () => {
  it("B1: work on a plain HTML page with only the snippet, where exactly one script loads, without a preflight", async () => {
    world.pages.set("/", plain(world.host, "Home"));
    const page = await world.page();
    const scripts: string[] = [];
    page.on("request", (request) => {
      if (request.resourceType() === "script") scripts.push(request.url());
    });
    await page.goto(world.url("/?utm_source=ads&q=1#top"), { referer: "https://search.test/find" });
    await world.until(() => views().length === 1);

    expect(scripts).toEqual([`${world.host}/ff.js?shop=${SHOP}`]);
    expect(await page.evaluate(() => "Shopify" in window)).toBe(false);
    expect(world.received.map(({ method }) => method)).toEqual(["POST"]);
    expect(world.received[0]?.headers["content-type"]).toMatch(/^text\/plain/);
    expect(world.received[0]?.headers.cookie).toBeUndefined();
    const { beacon } = world.received[0] ?? {};
    expect(beacon).toMatchObject({ shop: SHOP, visitor: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-4/) });
    expect(Math.abs((beacon?.sent ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(views()[0]).toMatchObject({
      id: expect.stringMatching(/^[\w-]{16,64}$/),
      url: world.url("/?utm_source=ads&q=1"),
      title: "Home",
      referrer: "https://search.test/find",
    });
    expect(world.noise).toEqual([]);
  });

  it("B7: with the snippet on 2 of 5 pages only these are tracked, and calls for cart and purchase need no shop API", async () => {
    for (const name of ["a", "b", "c", "d", "e"])
      world.pages.set(`/${name}`, name === "b" || name === "d" ? plain(world.host, name) : `<title>${name}</title>`);
    const page = await world.page();
    for (const name of ["a", "b", "c", "d", "e"]) {
      await page.goto(world.url(`/${name}`));
      if (name === "b" || name === "d") await world.until(() => views().some((view) => view.title === name));
    }
    expect(views().map(({ title }) => title)).toEqual(["b", "d"]);
    expect(new Set(world.received.map(({ beacon }) => beacon.visitor)).size).toBe(1);

    await page.goto(world.url("/d"));
    await page.waitForFunction("window.footfall");
    await page.evaluate(`
      footfall.cart({ token: "t1", value: { amount: 1999, currency: "EUR" }, lines: [] });
      footfall.purchase({ orderId: "1001", cartToken: "t1", value: { amount: 1999, currency: "EUR" } });`);
    await world.until(() => world.types().includes("checkout_completed"));
    expect(world.events().find(({ type }) => type === "cart_updated")?.data).toEqual({
      token: "t1",
      value: { amount: 1999, currency: "EUR" },
      lines: [],
    });
    expect(world.events().find(({ type }) => type === "checkout_completed")?.data).toMatchObject({ orderId: "1001" });
  });

  it("counts one view for a snippet that is there twice", async () => {
    world.pages.set("/", plain(world.host, "Twice", SNIPPET(world.host)));
    const page = await world.page();
    await page.goto(world.url("/"), { waitUntil: "load" });
    await page.evaluate(`footfall.track("last")`);
    await world.until(() => world.types().includes("custom:last"));
    expect(views()).toHaveLength(1);
  });

  for (const [name, preparation] of [
    ["the Navigation API", ""],
    [
      "the History API where that is missing",
      "<script>Object.defineProperty(window, 'navigation', { value: undefined });</script>",
    ],
  ] as const)
    it(`counts routes of a single-page app by ${name}, each once`, async () => {
      world.pages.set("/app", preparation + plain(world.host, "App"));
      const page = await world.page();
      await page.goto(world.url("/app"), { waitUntil: "load" });
      await page.evaluate(`
        history.pushState({}, "", "/app/one");
        history.replaceState({ scroll: 1 }, "", "/app/one");
        history.replaceState({}, "", "/app/one?variant=2");
        location.hash = "reviews";
        history.pushState({}, "", "/app/two?page=2");
        document.title = "Two";
        history.replaceState({}, "", "/app/three");
        history.back();`);
      await world.until(() => views().length === 5);
      await page.evaluate(`footfall.track("last")`);
      await world.until(() => world.types().includes("custom:last"));
      expect(views().map(({ url }) => new URL(url ?? "").pathname + new URL(url ?? "").search)).toEqual([
        "/app",
        "/app/one",
        "/app/two?page=2",
        "/app/three",
        "/app/one?variant=2",
      ]);
      expect(views()[1]?.referrer).toBe(world.url("/app"));
      expect(views()[3]).toMatchObject({ referrer: world.url("/app/two?page=2") });
      expect(world.noise).toEqual([]);
    });

  it("takes a fragment that is a route for a page, and no other", async () => {
    world.pages.set("/", plain(world.host, "Hash"));
    const page = await world.page();
    await page.goto(world.url("/#/start"), { waitUntil: "load" });
    await page.evaluate(`location.hash = "#/shoes"; location.hash = "#!/hats"`);
    await world.until(() => views().length === 3);
    expect(views().map(({ url }) => new URL(url ?? "").hash)).toEqual(["#/start", "#/shoes", "#!/hats"]);
  });

  // Headless Chromium keeps no pages, so the page is shown again by the event that browsers fire then.
  it("counts a page that comes back from the back/forward cache, and no first showing twice", async () => {
    world.pages.set("/one", plain(world.host, "One"));
    const page = await world.page();
    await page.goto(world.url("/one"), { referer: "https://search.test/", waitUntil: "load" });
    await world.until(() => views().length === 1);
    await page.evaluate(`dispatchEvent(new PageTransitionEvent("pageshow", { persisted: false }))`);
    await page.evaluate(`dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`);
    await page.evaluate(`footfall.track("last")`);
    await world.until(() => world.types().includes("custom:last"));
    expect(views()).toHaveLength(2);
    expect(views()[1]).toMatchObject({ title: "One", url: world.url("/one"), referrer: world.url("/one") });
    expect(views()[1]?.id).not.toBe(views()[0]?.id);
  });

  it("waits with a page rendered in advance until it is shown", async () => {
    world.pages.set("/next", plain(world.host, "Next"));
    world.pages.set(
      "/start",
      plain(world.host, "Start", `<a href="/next">next</a>`) +
        `<script type="speculationrules">{"prerender":[{"urls":["/next"],"eagerness":"immediate"}]}</script>`,
    );
    let asked = 0;
    const next = world.pages.get("/next") as string;
    world.pages.set("/next", (request, response) => {
      if (/prerender/.test(String(request.headers["sec-purpose"]))) asked++;
      response.writeHead(200, { "content-type": "text/html" }).end(next);
    });
    const page = await world.page();
    // Browsers render in advance only on trustworthy origins.
    await page.goto(world.url("/start", "localhost"));
    await world.until(() => asked === 1 && views().length === 1);
    await page.evaluate(`footfall.track("still_here")`);
    await world.until(() => world.types().includes("custom:still_here"));
    expect(views().map(({ title }) => title)).toEqual(["Start"]);
    await page.click("a");
    await world.until(() => views().length === 2);
    expect(views()[1]?.title).toBe("Next");
  });

  it("B9: sends the link token once, and takes only it out of the address bar and out of the view's address", async () => {
    world.pages.set("/p", plain(world.host, "Link"));
    const page = await world.page();
    await page.goto(world.url("/p?a=b%20c&ff_id=tok-en_1.x&d=%C3%A9#frag"));
    await world.until(() => world.types().includes("identified"));
    expect(world.events().find(({ type }) => type === "identified")?.data).toEqual({ token: "tok-en_1.x" });
    expect(await page.evaluate("location.href")).toBe(world.url("/p?a=b%20c&d=%C3%A9#frag"));
    expect(views().map(({ url }) => url)).toEqual([world.url("/p?a=b%20c&d=%C3%A9")]);

    await page.goto(world.url("/p?ff_id=second"));
    await world.until(() => world.types().filter((type) => type === "identified").length === 2);
    expect(await page.evaluate("location.href")).toBe(world.url("/p"));
    await page.goto(world.url("/p?ff_id=third&x=1"));
    await world.until(() => world.types().filter((type) => type === "identified").length === 3);
    expect(await page.evaluate("location.href")).toBe(world.url("/p?x=1"));
    expect(JSON.stringify(world.events().map(({ url, referrer }) => [url, referrer]))).not.toContain("ff_id");
  });
});
