import { z } from "zod";
import { bulkSettled, releaseBulk } from "./bulk.ts";
import { type Answer, type Call, jsonAnswer } from "./exchange.ts";
import { failureSchema } from "./failures.ts";
import { accessToken, sessionToken, uninstallApp } from "./oauth.ts";
import { generateSchema } from "./world.ts";
import { patchRecord, patchSchema, seedRecords, seedSchema } from "./seed-records.ts";
import { summarise } from "./summary.ts";
import { type AdminStore, type Registry, storeSchema } from "./store.ts";

/* What tests and the operator page order of the stand-in, under /_admin/api/stores. All bodies are JSON. */

type Verb = (store: AdminStore, body: unknown, call: Call) => unknown;

const scopesBody = z.object({ scopes: z.array(z.string()) });
const nowBody = z.object({ now: z.number() });
const claimsBody = z.object({ claims: z.record(z.string(), z.unknown()).default({}) });
const topicBody = z.object({ topic: z.string().optional() });

const SHOW: Verb = (store) => ({
  domain: store.domain,
  id: store.id,
  currency: store.currency,
  ianaTimezone: store.ianaTimezone,
  clientId: store.app.clientId,
  clientSecret: store.app.clientSecret,
  scopes: store.app.scopes,
  installed: store.app.installed,
});

const VERBS: Record<string, Verb> = {
  "GET ": SHOW,
  "GET log": (store) => store.log,
  "DELETE log": (store) => void store.log.splice(0),
  "POST failures": (store, body) => void store.failures.push(failureSchema.parse(body)),
  "DELETE failures": (store) => void store.failures.splice(0),
  /** A token that never ends, as the ones shown once in the admin. */
  "POST tokens": (store) => accessToken(store, "permanent", null),
  /** All access tokens are over now; refresh tokens stay good. */
  "POST tokens/expire": (store) => {
    for (const token of store.tokens.values()) token.expiresAt = store.now() - 1;
  },
  "POST tokens/revoke": (store) => {
    store.tokens.clear();
    store.refreshTokens.clear();
  },
  "POST refresh-tokens/expire": (store) => {
    for (const token of store.refreshTokens.values()) token.expiresAt = store.now() - 1;
  },
  "POST session-token": (store, body) => ({ token: sessionToken(store, claimsBody.parse(body).claims) }),
  "POST clock": (store, body) => store.setNow(nowBody.parse(body).now),
  "POST records": (store, body) => seedRecords(store, seedSchema.parse(body)),
  /** Makes the store a large one; what was in it is gone. */
  "POST generate": (store, body) =>
    store.generate(generateSchema.parse({ until: store.now(), ...(isObject(body) ? body : {}) })),
  "GET summary": (store) => {
    if (store.generated === null) throw new SyntaxError("The store is not a generated one");
    return summarise(store, store.generated);
  },
  /** Changes fields of one record and its updatedAt. */
  "POST patch": (store, body) => patchRecord(store, patchSchema.parse(body)),
  "GET deliveries": (store) => store.deliveries,
  "GET subscriptions": (store) => [...store.subscriptions.values()],
  /** As Shopify does after eight failures: gone without a word. */
  "POST subscriptions/delete": (store, body) => {
    const { topic } = topicBody.parse(body);
    for (const one of store.subscriptions.values())
      if (topic === undefined || one.topic === topic) store.subscriptions.delete(one.id);
  },
  "POST scopes": (store, body) => {
    const previous = store.app.scopes;
    store.app.scopes = scopesBody.parse(body).scopes;
    store.emit("app/scopes_update", {
      id: store.id,
      shop_id: `gid://shopify/Shop/${store.id}`,
      previous,
      current: store.app.scopes,
      updated_at: new Date(store.now()).toISOString(),
    });
  },
  "POST uninstall": (store) => {
    store.emit("app/uninstalled", { id: store.id, name: store.name, myshopify_domain: null });
    uninstallApp(store);
  },
  /** As merchants do in the admin. */
  "POST discounts/delete": (store) => store.discounts.clear(),
  /** Answers when no bulk operation is under way but those that are held. */
  "POST settled": (store) => bulkSettled(store),
  "POST release": (store) => releaseBulk(store),
  "POST install": (store) => {
    store.app.installed = true;
  },
};

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

export async function control(api: Registry, call: Call): Promise<Answer> {
  const [domain, ...rest] = call.url.pathname.replace(/^\/_admin\/api\/stores\/?/, "").split("/");
  // A page of another site cannot send JSON without asking first, so it cannot press these buttons.
  if (call.method !== "GET" && call.headers["content-type"]?.includes("json") !== true)
    return jsonAnswer(415, { error: "Send application/json" });
  try {
    const body: unknown = call.body === "" ? {} : JSON.parse(call.body);
    if (domain === undefined || domain === "") {
      if (call.method !== "POST") return jsonAnswer(200, [...api.stores.keys()]);
      return jsonAnswer(201, SHOW(api.open(storeSchema.parse(body)), {}, call));
    }
    const store = api.stores.get(domain);
    const verb = VERBS[`${call.method} ${rest.join("/")}`];
    if (store === undefined || verb === undefined) return jsonAnswer(404, { error: "Not found" });
    return jsonAnswer(200, (await verb(store, body, call)) ?? {});
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) return jsonAnswer(400, { error: error.message });
    throw error;
  }
}
