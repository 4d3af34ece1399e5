import { env } from "cloudflare:workers";

import { AppError, toProblem } from "../../src/errors";
import { hmac } from "../../src/lib/crypto";
import { newId } from "../../src/lib/ids";
import { handleInboxRow, type InboxOutcome, receiveWebhook } from "../../src/shopify";
import { DEFAULT_SETTINGS, getShopOrThrow, type Settings, type Shop } from "../../src/shops";

export const NOW = Date.UTC(2026, 10, 22, 12);

const SECRET = "test-api-secret";

/** A shop of the test's own. */
export async function newShop(more: { currency?: string; settings?: Partial<Settings> } = {}): Promise<Shop> {
  const id = newId("shp", NOW);
  await env.DB.prepare(
    `insert into shops (id, domain, name, currency, timezone, settings, pixel_key, installed_at, created_at, updated_at)
     values (?, ?, 'Test', ?, 'Europe/Berlin', ?, 'pk', ?, ?, ?)`,
  )
    .bind(
      id,
      `${id.replaceAll("_", "-")}.myshopify.com`,
      more.currency ?? "EUR",
      JSON.stringify({ ...more.settings }),
      NOW - 86_400_000,
      NOW,
      NOW,
    )
    .run();
  return getShopOrThrow(env.DB, id);
}

export interface Delivery {
  topic: string;
  body: unknown;
  /** Epoch ms; null leaves the header out. */
  triggeredAt?: number | null;
  webhookId?: string;
  /** Headers that replace the ordinary ones; null leaves one out. */
  headers?: Record<string, string | null>;
  secret?: string;
  version?: string;
}

export async function sign(secret: string, bytes: ArrayBuffer): Promise<string> {
  return btoa(String.fromCharCode(...new Uint8Array(await hmac(secret, bytes))));
}

/** The request as Shopify would send it; a string or bytes go as they are. */
export async function requestOf(shop: Shop, delivery: Delivery): Promise<Request> {
  const { body } = delivery;
  const bytes =
    body instanceof ArrayBuffer
      ? body
      : await new Blob([typeof body === "string" ? body : JSON.stringify(body)]).arrayBuffer();
  const headers = new Headers({
    "content-type": "application/json",
    "x-shopify-topic": delivery.topic,
    "x-shopify-shop-domain": shop.domain,
    "x-shopify-webhook-id": delivery.webhookId ?? crypto.randomUUID(),
    "x-shopify-api-version": delivery.version ?? "2026-10",
    "x-shopify-hmac-sha256": await sign(delivery.secret ?? SECRET, bytes),
  });
  if (delivery.triggeredAt !== null) {
    headers.set("x-shopify-triggered-at", new Date(delivery.triggeredAt ?? NOW).toISOString().replace("Z", "000000Z"));
  }
  for (const [name, value] of Object.entries(delivery.headers ?? {})) {
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  }
  return new Request("https://footfall.test/webhooks/shopify", { method: "POST", headers, body: bytes });
}

/** An environment whose queue delivers nothing, so that the test alone decides when a row is handled. */
export const quiet: Env = {
  ...env,
  WEBHOOKS: { ...env.WEBHOOKS, send: async () => ({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } }) },
};

/** Sends a delivery through the route. */
export async function receive(shop: Shop, delivery: Delivery, now = NOW, into: Env = quiet): Promise<Response> {
  try {
    return await receiveWebhook(await requestOf(shop, delivery), into, { now, later: () => undefined });
  } catch (error) {
    if (error instanceof AppError) return toProblem(error, "req_test");
    throw error;
  }
}

/** Sends a delivery and handles it. */
export async function deliver(
  shop: Shop,
  topic: string,
  body: unknown,
  triggeredAt = NOW,
  more: Partial<Delivery> = {},
): Promise<InboxOutcome> {
  const webhookId = more.webhookId ?? crypto.randomUUID();
  const response = await receive(shop, { topic, body, triggeredAt, ...more, webhookId });
  if (response.status !== 200) throw new Error(`${topic}: ${response.status} ${await response.text()}`);
  const row = await one<{ key: number }>(
    "select key from webhook_inbox where shop = ? and webhook_id = ?",
    shop.key,
    webhookId,
  );
  return row ? handleInboxRow(quiet, row.key, NOW) : "handled";
}

export async function all<T>(text: string, ...values: (string | number | null)[]): Promise<T[]> {
  const { results } = await env.DB.prepare(text)
    .bind(...values)
    .all<T>();
  return results;
}

export async function one<T>(text: string, ...values: (string | number | null)[]): Promise<T | null> {
  return (await all<T>(text, ...values))[0] ?? null;
}

export { DEFAULT_SETTINGS };
