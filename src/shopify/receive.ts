import { AppError } from "../errors";
import { fromBase64, hmacMatches, sha256 } from "../lib/crypto";
import { newId } from "../lib/ids";
import { cachedShop, type Shop } from "../shops";
import { isUsableJson, packBody } from "./body";
import { appOf } from "./connect";
import { storeDelivery } from "./store";

/** The largest body that is taken. */
const MOST_BYTES = 5 * 1024 * 1024;

/** How far ahead of ours Shopify's clock may be before its time is not believed. */
const SKEW_MS = 5 * 60_000;

interface Delivery {
  topic: string;
  webhookId: string;
  eventId: string | null;
  apiVersion: string | null;
  /** Null when the header is missing or no believable moment. */
  triggeredAt: number | null;
}

/**
 * `POST /webhooks/shopify`: verifies, stores, acknowledges. Answers 200 once the delivery is committed (a duplicate
 * is already), and throws `unauthorized` for a wrong signature, `shop_not_found`, `too_large`, `bad_request` for a
 * signed delivery that nothing could be done with, and `unavailable` when it could not be stored, so that Shopify
 * sends it again. An uninstalled shop's deliveries are stored too: refusing them would only make Shopify repeat them.
 */
export async function receiveWebhook(
  request: Request,
  env: Env,
  { now, later }: { now: number; later: (work: Promise<unknown>) => void },
): Promise<Response> {
  const raw = await readBody(request);
  // Computed while the shop is looked up and the signature checked.
  const hash = sha256(raw);
  // The header is not signed: it only decides whose secret the signature has to be made with.
  const shop = await findShop(env, request.headers.get("x-shopify-shop-domain"), now, later);
  const { secrets } = await appOf(env, shop, now);
  if (!(await isSigned(secrets, request.headers.get("x-shopify-hmac-sha256"), raw))) {
    throw new AppError("unauthorized", "The signature does not match the body");
  }
  if (!shop) throw new AppError("shop_not_found");
  const delivery = readHeaders(request.headers, now);
  const text = decode(raw);
  if (text === null || !isUsableJson(text)) throw new AppError("bad_request", "The body is not a JSON object");
  const body = await packBody(text, raw.byteLength);
  if (body === null) throw new AppError("too_large");
  const { topic, webhookId, eventId, apiVersion, triggeredAt } = delivery;
  await storeDelivery(
    { env, now, later },
    {
      id: newId("whk", now),
      shop: shop.key,
      topic,
      webhookId,
      eventId,
      apiVersion,
      triggeredAt: triggeredAt ?? now,
      receivedAt: now,
      // Topic and shop are not covered by the signature, so the same bytes of the same moment are one delivery whatever
      // id they carry. Without a believable moment that would swallow a second delivery of equal bytes: there the id counts.
      bodyHash: triggeredAt === null ? `${await hash}:${webhookId}` : await hash,
      body,
    },
  );
  return new Response(null, { status: 200 });
}

async function readBody(request: Request): Promise<ArrayBuffer> {
  const told = request.headers.get("content-length");
  if (Number(told ?? 0) > MOST_BYTES) throw new AppError("too_large");
  // A body is never longer than HTTP has announced it, and reading it at once is quicker.
  if (told !== null) return request.arrayBuffer();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > MOST_BYTES) throw new AppError("too_large");
    chunks.push(chunk);
  }
  return new Blob(chunks).arrayBuffer();
}

/** The current secret or the one before: after a rotation Shopify signs with the old one for up to an hour. */
async function isSigned(secrets: string[], header: string | null, raw: ArrayBuffer): Promise<boolean> {
  const signature = header === null || header.length > 100 ? null : fromBase64(header.trim());
  if (signature?.length !== 32) return false;
  for (const secret of secrets) {
    if (await hmacMatches(secret, raw, signature)) return true;
  }
  return false;
}

async function findShop(env: Env, domain: string | null, now: number, later: (work: Promise<unknown>) => void) {
  if (domain === null || domain.length > 255) return null;
  return cachedShop(env.DB, domain.trim().toLowerCase(), now, later).catch((): Shop | null => {
    throw new AppError("unavailable");
  });
}

function readHeaders(headers: Headers, now: number): Delivery {
  const topic = headers.get("x-shopify-topic")?.trim() ?? "";
  if (!/^[a-z0-9_]{1,80}[./][a-z0-9_]{1,80}$/.test(topic))
    throw new AppError("bad_request", "X-Shopify-Topic is no topic");
  const webhookId = headers.get("x-shopify-webhook-id")?.trim() ?? "";
  if (!/^[\w.:/=+-]{1,200}$/.test(webhookId))
    throw new AppError("bad_request", "X-Shopify-Webhook-Id is missing or no id");
  return {
    topic,
    webhookId,
    eventId: shortOrNull(headers.get("x-shopify-event-id")),
    apiVersion: shortOrNull(headers.get("x-shopify-api-version")),
    triggeredAt: triggerTime(headers.get("x-shopify-triggered-at"), now),
  };
}

function shortOrNull(value: string | null): string | null {
  return value !== null && /^[\w.:/=+-]{1,200}$/.test(value) ? value : null;
}

/** Shopify writes nanoseconds; milliseconds are kept. */
function triggerTime(value: string | null, now: number): number | null {
  const at = value === null ? Number.NaN : Date.parse(value.trim().replace(/(\.\d{3})\d+/, "$1"));
  return Number.isFinite(at) && at > 0 && at <= now + SKEW_MS ? at : null;
}

function decode(raw: ArrayBuffer): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(raw);
  } catch {
    return null;
  }
}
