import { randomUUID } from "node:crypto";
import { sign } from "../shopify/deliveries.ts";
import { adminSchema, ADMIN_VERSION } from "./schema.ts";
import { matches, parseSearch, type SearchFields } from "./search.ts";
import type { AdminStore } from "./store.ts";
import { isLoopback, type Subscription } from "./subscriptions.ts";

/** A webhook for one subscription. */
export type Outgoing = { subscription: Subscription; body: object };

/** What a webhook of this topic is for whom: each subscription with its own fields, those that filter it out left out. */
export function outgoing(store: AdminStore, topic: string, payload: object): Outgoing[] {
  const { topics } = adminSchema();
  return [...store.subscriptions.values()]
    .filter((one) => topics.get(one.topic)?.name === topic && passes(one.filter, payload))
    .map((subscription) => ({ subscription, body: narrowed(payload, subscription.includeFields) }));
}

/** Every value at a dotted path; lists are looked into. */
function valuesAt(value: unknown, path: readonly string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((one) => valuesAt(one, path));
  const [name, ...rest] = path;
  if (name === undefined) return [value];
  if (typeof value !== "object" || value === null || !(name in value)) return [];
  return valuesAt(Object.entries(value).find(([key]) => key === name)?.[1], rest);
}

/** A field that the body does not have never matches, as in Shopify. */
function passes(filter: string | null, payload: object): boolean {
  if (filter === null || filter === "") return true;
  const fields: SearchFields<object> = {};
  for (const [, name = ""] of filter.matchAll(/([A-Za-z_.]+):/g))
    fields[name] = (body) => valuesAt(body, name.split(".")).map(String);
  return matches(parseSearch(filter), payload, fields);
}

function narrowed(payload: object, fields: readonly string[]): object {
  if (fields.length === 0) return payload;
  const top = new Map<string, string[]>();
  for (const field of fields) {
    const [name = "", ...rest] = field.split(".");
    top.set(name, [...(top.get(name) ?? []), rest.join(".")]);
  }
  const inner = (value: unknown, paths: string[]): unknown => {
    if (paths.includes("")) return value;
    if (Array.isArray(value)) return value.map((one) => inner(one, paths));
    return typeof value === "object" && value !== null ? narrowed(value, paths) : value;
  };
  return Object.fromEntries(
    Object.entries(payload).flatMap(([name, value]) => {
      const paths = top.get(name);
      return paths === undefined ? [] : [[name, inner(value, paths)]];
    }),
  );
}

const TIMEOUT_MS = 5_000;

/**
 * Sends a webhook of a store that has no storefront, once, to subscriptions on this machine; others are noted alone.
 * What came of it is in `store.deliveries`.
 */
export async function sendOnce(store: AdminStore, topic: string, payload: object): Promise<void> {
  const eventId = randomUUID();
  await Promise.all(
    outgoing(store, topic, payload).map(async ({ subscription, body }) => {
      const delivery = { topic, uri: subscription.uri, body, status: 0 };
      store.deliveries.push(delivery);
      if (!isLoopback(subscription.uri)) return;
      const text = JSON.stringify(body);
      try {
        const answer = await fetch(subscription.uri, {
          method: "POST",
          redirect: "manual",
          signal: AbortSignal.timeout(TIMEOUT_MS),
          headers: {
            "content-type": "application/json",
            "x-shopify-topic": topic,
            "x-shopify-hmac-sha256": sign(text, store.app.clientSecret),
            "x-shopify-shop-domain": store.domain,
            "x-shopify-api-version": ADMIN_VERSION,
            "x-shopify-webhook-id": randomUUID(),
            "x-shopify-event-id": eventId,
            "x-shopify-triggered-at": new Date(store.now()).toISOString(),
            ...(subscription.name === null ? {} : { "x-shopify-name": subscription.name }),
          },
          body: text,
        });
        await answer.arrayBuffer();
        delivery.status = answer.status;
      } catch {
        // Refused, reset or too slow: nobody tries again here.
      }
    }),
  );
}
