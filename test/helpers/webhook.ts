import { env, exports } from "cloudflare:workers";

import { hmac } from "../../src/lib/crypto";
import { handleInboxRow } from "../../src/shopify";

/** A delivery as Shopify sends it; headers given replace the ordinary ones, null leaves one out. */
export interface Webhook {
  domain: string;
  topic: string;
  body: string | ArrayBuffer;
  webhookId?: string;
  headers?: Record<string, string | null>;
}

/** Posts a delivery with a signature that fits. */
export async function postWebhook(webhook: Webhook): Promise<Response> {
  const bytes = await new Blob([webhook.body]).arrayBuffer();
  const signature = await hmac(env.SHOPIFY_API_SECRET, bytes);
  const headers = new Headers({
    "content-type": "application/json",
    "x-shopify-topic": webhook.topic,
    "x-shopify-shop-domain": webhook.domain,
    "x-shopify-webhook-id": webhook.webhookId ?? crypto.randomUUID(),
    "x-shopify-api-version": "2026-10",
    "x-shopify-triggered-at": new Date().toISOString(),
    "x-shopify-hmac-sha256": btoa(String.fromCharCode(...new Uint8Array(signature))),
  });
  for (const [name, value] of Object.entries(webhook.headers ?? {})) {
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  }
  return exports.default.fetch("https://footfall.test/webhooks/shopify", { method: "POST", headers, body: bytes });
}

/** Posts a delivery and handles it, not waiting for the queue; what became of it. */
export async function deliverWebhook(domain: string, topic: string, body: unknown): Promise<string> {
  const webhookId = crypto.randomUUID();
  const response = await postWebhook({ domain, topic, body: JSON.stringify(body), webhookId });
  if (response.status !== 200) throw new Error(`${topic}: ${response.status} ${await response.text()}`);
  const row = await env.DB.prepare("select key from webhook_inbox where webhook_id = ?")
    .bind(webhookId)
    .first<{ key: number }>();
  if (!row) throw new Error(`${topic}: nothing is stored`);
  return handleInboxRow(env, row.key, Date.now());
}
