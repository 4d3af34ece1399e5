import { describe, expect, it } from "vitest";

import { type Check, checkParts, type Facts, type Part, PARTS } from "../../src/storefront/checks";

const NOW = Date.UTC(2035, 0, 15, 12);
const HOUR = 3_600_000;
const ago = (hours: number) => NOW - hours * HOUR;

const WELL: Facts = {
  status: "active",
  isOnShopify: true,
  domain: "acme.myshopify.com",
  clientId: "abc123",
  connection: { connected: true, problem: null, checkedAt: ago(2), missingScopes: [] },
  lostTopics: [],
  lastWebhookAt: ago(1),
  streams: [{ name: "orders changes", state: "done", updatedAt: ago(1) }],
  seen: { tracker: ago(1), embed: ago(1), pixel: ago(5), proxy: ago(9), customer: ago(9) },
  drops: [],
};
const NEVER: Facts = { ...WELL, seen: {}, lastWebhookAt: null, streams: [] };

function check(part: Part, change: Partial<Facts>, facts: Facts = WELL): Check {
  const found = checkParts({ ...facts, ...change }, NOW).find((one) => one.part === part);
  if (!found) throw new Error(`no ${part}`);
  return found;
}

const LINK = "https://acme.myshopify.com/admin/themes/current/editor?context=apps&activateAppId=abc123/tracker";

describe("the installation check", () => {
  it("has nothing to say of an installation that is well", () => {
    const checks = checkParts(WELL, NOW);
    expect(checks.map(({ part }) => part)).toEqual([...PARTS]);
    expect(checks.map(({ state, problem, todo }) => [state, problem, todo])).toEqual(
      PARTS.map(() => ["live", null, null]),
    );
  });

  it("knows what was never heard of, and what to do first", () => {
    const connection = { connected: false, problem: null, checkedAt: null, missingScopes: [] };
    const checks = checkParts({ ...NEVER, connection }, NOW);
    expect(checks.map(({ state, lastSeenAt }) => [state, lastSeenAt])).toEqual(PARTS.map(() => ["missing", null]));
    expect(checks.every(({ todo }) => todo !== null)).toBe(true);
    const links = Object.fromEntries(checks.map(({ part, link }) => [part, link]));
    expect(links).toMatchObject({ tracker: LINK, embed: LINK, customer: LINK, webhooks: null });
    expect(links["pixel"]).toBe("https://acme.myshopify.com/admin/settings/customer_events");
  });

  for (const [part, change, state, problem] of [
    ["connection", { connection: { ...WELL.connection, checkedAt: ago(14) } }, "unknown", null],
    ["webhooks", { lastWebhookAt: ago(49) }, "silent", null],
    ["webhooks", { lastWebhookAt: ago(47) }, "live", null],
    ["webhooks", { lostTopics: ["orders/create"] }, "live", "subscriptions_missing"],
    ["sync", { streams: [{ name: "orders changes", state: "done", updatedAt: ago(4) }] }, "silent", null],
    ["sync", { streams: [{ name: "orders rest", state: "failed", updatedAt: ago(1) }] }, "silent", "sync_failed"],
    ["tracker", { seen: { tracker: ago(25) } }, "silent", null],
    ["tracker", { seen: { tracker: ago(25) }, drops: [{ reason: "bot", count: 9 }] }, "silent", null],
    ["tracker", { seen: {}, drops: [{ reason: "origin", count: 9 }] }, "missing", "beacons_refused"],
    ["tracker", { drops: [{ reason: "consent", count: 900 }] }, "live", null],
    ["embed", { seen: { embed: ago(30) } }, "silent", null],
    ["embed", { seen: { script: ago(1) } }, "missing", "pasted_script"],
    ["embed", { seen: { embed: ago(1), script: ago(2) } }, "live", "loaded_twice"],
    ["embed", { seen: { embed: ago(1), script: ago(30) } }, "live", null],
    ["pixel", { seen: { pixel: ago(71) } }, "live", null],
    ["pixel", { seen: { pixel: ago(73) } }, "silent", null],
    ["customer", { seen: { customer: ago(8 * 24) } }, "silent", null],
    ["customer", { seen: { proxy: ago(1) } }, "unknown", "nobody_signed_in"],
  ] satisfies [Part, Partial<Facts>, Check["state"], Check["problem"]][])
    it(`${part} with ${JSON.stringify(change)} is ${state}`, () => {
      expect(check(part, change)).toMatchObject({ state, problem });
    });

  for (const problem of [
    "token_refused",
    "shop_frozen",
    "unreachable",
    "unexpected_answer",
    "scopes_missing",
    "webhooks_refused",
  ] as const)
    it(`tells what to do about ${problem}`, () => {
      const connection = { ...WELL.connection, problem, missingScopes: ["read_orders"] };
      const found = check("connection", { connection });
      expect(found).toMatchObject({ state: "silent", problem, details: ["read_orders"], lastSeenAt: ago(2) });
      expect(found.todo).toMatch(/\w{4}/);
    });

  it("names the topics, streams and reasons", () => {
    expect(check("webhooks", { lostTopics: ["orders/create", "products/update"] }).details).toEqual([
      "orders/create",
      "products/update",
    ]);
    expect(check("tracker", { seen: {}, drops: [{ reason: "origin", count: 9 }] })).toMatchObject({
      details: ["origin: 9"],
      todo: expect.stringContaining("origins"),
    });
  });

  it("links to no embed of an app that nobody has named", () => {
    for (const part of ["tracker", "embed", "customer"] as const) {
      expect(check(part, { clientId: null }, NEVER)).toMatchObject({ state: "missing", link: null });
    }
  });

  it("A18: a store that has uninstalled the app has nothing live, and one thing to do", () => {
    const checks = checkParts({ ...WELL, status: "uninstalled" }, NOW);
    expect(checks.filter(({ state }) => state === "live")).toEqual([]);
    expect(new Set(checks.map(({ problem }) => problem))).toEqual(new Set(["uninstalled"]));
    expect(checks.filter(({ todo }) => todo !== null).map(({ part }) => part)).toEqual(["connection"]);
  });

  it("asks nothing of Shopify's of a shop that is elsewhere", () => {
    const checks = checkParts({ ...NEVER, isOnShopify: false, domain: "acme.example" }, NOW);
    const states = Object.fromEntries(checks.map(({ part, state, problem }) => [part, [state, problem]]));
    const none = ["unknown", "not_on_shopify"];
    expect(states).toEqual({
      connection: none,
      webhooks: none,
      sync: none,
      tracker: ["missing", null],
      embed: none,
      pixel: none,
      customer: none,
    });
    expect(check("tracker", { isOnShopify: false }, NEVER).link).toBeNull();
  });
});
