import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parse as parseToml } from "smol-toml";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import { adminSchema } from "../../demo/admin-api/schema.ts";

/** The Worker's code has types of its own, so it is loaded by its path and told here what it is. */
async function load<T>(path: string, name: string): Promise<T> {
  const exported: Record<string, unknown> = await import(fileURLToPath(new URL(`../../src/${path}`, import.meta.url)));
  return z.custom<T>((value) => value !== undefined).parse(exported[name]);
}

interface Topic {
  name: string;
  id: string;
  scope: string | null;
}

const allScopes = await load<() => string[]>("shopify/scopes.ts", "allScopes");
const wantedScopes = await load<(settings: { optionalScopes: string[] }) => string[]>(
  "shopify/scopes.ts",
  "wantedScopes",
);
const wantedTopics = await load<(scopes: string[]) => Topic[]>("shopify/subscriptions/topics.ts", "wantedTopics");
const mapBody = await load<(topic: string, body: string, context: object) => unknown>(
  "shopify/map/index.ts",
  "mapBody",
);
const apiVersion = await load<string>("shopify/admin/query.ts", "API_VERSION");

/** What Shopify's CLI reads; a key that it does not know would be a mistake. */
const AppFile = z.strictObject({
  name: z.string(),
  client_id: z.string(),
  application_url: z.url(),
  embedded: z.boolean(),
  access_scopes: z.strictObject({ scopes: z.string(), optional_scopes: z.array(z.string()) }),
  auth: z.strictObject({ redirect_urls: z.array(z.url()) }),
  app_proxy: z.strictObject({ url: z.url(), subpath: z.string().max(30), prefix: z.enum(["apps", "a", "tools"]) }),
  webhooks: z.strictObject({
    api_version: z.string(),
    subscriptions: z.array(
      z.strictObject({
        topics: z.array(z.string()).optional(),
        compliance_topics: z.array(z.string()).optional(),
        uri: z.url(),
      }),
    ),
  }),
});

const text = await readFile(new URL("../../shopify.app.toml", import.meta.url), "utf8");
const app = AppFile.parse(parseToml(text));
const COMPLIANCE = ["customers/data_request", "customers/redact", "shop/redact"];

/** What the extensions and the proxy that are deployed with the app need beside what is read. */
const DEPLOYED = ["read_customer_events", "write_pixels", "write_app_proxy"];

const wanted = wantedScopes({ optionalScopes: [] });
const scopes = app.access_scopes.scopes.split(",");
const everyTopic = wantedTopics(allScopes());

describe("shopify.app.toml", () => {
  it("asks for the scopes that the code wants, and lists the optional ones", () => {
    expect([...scopes].sort()).toEqual([...wanted, ...DEPLOYED].sort());
    expect([...scopes, ...app.access_scopes.optional_scopes].sort()).toEqual([...allScopes()].sort());
  });

  it("subscribes to every topic that the code subscribes to and the scopes allow, in the version that it speaks", () => {
    expect(app.webhooks.api_version).toBe(apiVersion);
    const topics = app.webhooks.subscriptions.flatMap((one) => one.topics ?? []);
    const allowed = everyTopic.filter(({ scope }) => scope === null || scopes.includes(scope));
    expect(topics).toEqual(allowed.map(({ name }) => name));
    expect(everyTopic.map(({ name }) => name).filter((name) => !topics.includes(name))).toEqual(["customers/merge"]);
    expect(app.webhooks.subscriptions.flatMap((one) => one.compliance_topics ?? [])).toEqual(COMPLIANCE);
  });

  it("leads to the routes that there are, at one address", async () => {
    const addresses = [
      app.application_url,
      ...app.auth.redirect_urls,
      app.app_proxy.url,
      ...app.webhooks.subscriptions.map(({ uri }) => uri),
    ].map((address) => new URL(address));
    expect(new Set(addresses.map(({ origin }) => origin)).size).toBe(1);
    const paths = new Set(addresses.map(({ pathname }) => pathname));
    expect(paths).toEqual(new Set(["/shopify/install", "/shopify/callback", "/proxy", "/webhooks/shopify"]));
    const routes = await readFile(new URL("../../src/app.ts", import.meta.url), "utf8");
    for (const path of paths) expect(routes).toContain(`"${path}`);
  });
});

describe("the subscribed topics", () => {
  const published = adminSchema().topics;
  const context = {
    currency: "EUR",
    domain: "acme.myshopify.com",
    keepQueryParams: [],
    triggeredAt: 0,
    receivedAt: 0,
  };
  const hasRule = (topic: string) => {
    try {
      return mapBody(topic, "{}", context) !== null;
    } catch {
      return true;
    }
  };

  it("are exactly those with a rule, the compliance topics aside", () => {
    const handled = [...published.values()].map(({ name }) => name).filter(hasRule);
    expect(handled.sort()).toEqual(everyTopic.map(({ name }) => name).sort());
    expect(COMPLIANCE.filter(hasRule)).toEqual(COMPLIANCE);
  });

  it("exist in Shopify's schema under the names and with the scopes that the code gives them", () => {
    for (const { id, name, scope } of everyTopic) {
      const there = published.get(id);
      expect(there?.name, id).toBe(name);
      if (scope === null) expect(there?.scopes, id).toEqual([]);
      else expect(there?.scopes, id).toContain(scope);
    }
  });
});
