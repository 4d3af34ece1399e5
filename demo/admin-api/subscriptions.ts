import type { Args, Listing, Source } from "./listing.ts";
import { listOf } from "./listing.ts";
import { ADMIN_VERSION, adminSchema, allows, SERVED_VERSIONS } from "./schema.ts";
import type { AdminStore } from "./store.ts";
import { stampOf } from "./stamps.ts";

export type Subscription = {
  id: number;
  /** The enum name: ORDERS_CREATE. */
  topic: string;
  uri: string;
  format: "JSON" | "XML";
  filter: string | null;
  includeFields: string[];
  metafieldNamespaces: string[];
  metafields: { namespace: string; key: string }[];
  name: string | null;
  createdAt: number;
  updatedAt: number;
};

type UserError = { field: string[]; message: string };

const gidOf = (id: number): string => `gid://shopify/WebhookSubscription/${id}`;
const idOf = (gid: unknown): number => Number(String(gid).split("/").at(-1));

export function subscriptionNode(one: Subscription): Source {
  return {
    __typename: "WebhookSubscription",
    id: gidOf(one.id),
    legacyResourceId: String(one.id),
    topic: one.topic,
    uri: one.uri,
    callbackUrl: one.uri,
    endpoint: { __typename: "WebhookHttpEndpoint", callbackUrl: one.uri },
    format: one.format,
    filter: one.filter,
    includeFields: one.includeFields,
    metafieldNamespaces: one.metafieldNamespaces,
    metafields: one.metafields,
    name: one.name,
    apiVersion: {
      handle: ADMIN_VERSION,
      displayName: ADMIN_VERSION,
      supported: SERVED_VERSIONS.includes(ADMIN_VERSION),
    },
    createdAt: stampOf(one.createdAt),
    updatedAt: stampOf(one.updatedAt),
  };
}

/** `webhookSubscriptions`: those of this app on this store, made by the API. */
export function listSubscriptions(store: AdminStore, args: Args): Listing {
  const topics = Array.isArray(args["topics"]) ? args["topics"] : undefined;
  const uri = args["uri"] ?? args["callbackUrl"];
  return listOf(
    [...store.subscriptions.values()]
      .filter((one) => (topics === undefined || topics.includes(one.topic)) && (uri === undefined || uri === one.uri))
      .map(subscriptionNode),
  );
}

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** Whether an address leads to this machine. */
export const isLoopback = (uri: string): boolean => URL.canParse(uri) && LOOPBACK.includes(new URL(uri).hostname);

/** What Shopify says against an address; null when it takes it. Plain http passes for this machine alone, so that a demo works. */
function refusal(uri: string): string | null {
  if (/^(arn:aws:events:|pubsub:\/\/)/.test(uri)) return null;
  if (!URL.canParse(uri)) return "Address is invalid";
  const { protocol, hostname } = new URL(uri);
  if (protocol === "http:" && LOOPBACK.includes(hostname)) return null;
  if (protocol !== "https:") return `Address protocol ${protocol}// is not supported`;
  if (LOOPBACK.includes(hostname) || hostname.endsWith(".myshopify.com")) return "Address is not allowed";
  return hostname.includes(".") ? null : "Address is invalid";
}

function check(store: AdminStore, candidate: Subscription): UserError[] {
  const errors: UserError[] = [];
  const against = (field: string, message: string): unknown =>
    errors.push({ field: ["webhookSubscription", field], message });
  const refused = candidate.uri === "" ? "Address can't be blank" : refusal(candidate.uri);
  if (refused !== null) against("uri", refused);
  const twin = [...store.subscriptions.values()].some(
    (one) =>
      one.id !== candidate.id &&
      one.topic === candidate.topic &&
      one.uri === candidate.uri &&
      one.filter === candidate.filter,
  );
  if (twin) against("uri", "Address for this topic has already been taken");
  if (candidate.name !== null && !/^[A-Za-z0-9_-]{1,50}$/.test(candidate.name)) against("name", "Name is invalid");
  if (candidate.filter !== null && candidate.includeFields.length > 0) {
    const filtered = [...candidate.filter.matchAll(/([A-Za-z_.]+):/g)].map((match) => match[1] ?? "");
    for (const field of filtered)
      if (!candidate.includeFields.some((one) => field === one || field.startsWith(`${one}.`)))
        against("filter", `The specified filter is invalid, please ensure that ${field} is in includeFields`);
  }
  return errors;
}

/** `webhookSubscriptionCreate`. */
export function createSubscription(store: AdminStore, args: Args): Source {
  const topic = String(args["topic"]);
  const known = adminSchema().topics.get(topic);
  if (known === undefined || !allows(store.app.scopes, known.scopes))
    return {
      webhookSubscription: null,
      userErrors: [{ field: ["topic"], message: "You cannot create a webhook subscription with the specified topic" }],
    };
  const now = store.now();
  return keep(store, applied(blank(store.nextId(), topic, now), args["webhookSubscription"], now));
}

/** `webhookSubscriptionUpdate`. */
export function updateSubscription(store: AdminStore, args: Args): Source {
  const found = store.subscriptions.get(idOf(args["id"]));
  if (found === undefined) return { webhookSubscription: null, userErrors: [missing] };
  return keep(store, applied(found, args["webhookSubscription"], store.now()));
}

/** `webhookSubscriptionDelete`. */
export function deleteSubscription(store: AdminStore, args: Args): Source {
  const id = idOf(args["id"]);
  if (!store.subscriptions.delete(id)) return { deletedWebhookSubscriptionId: null, userErrors: [missing] };
  return { deletedWebhookSubscriptionId: gidOf(id), userErrors: [] };
}

const missing: UserError = { field: ["id"], message: "Webhook subscription does not exist" };

function blank(id: number, topic: string, now: number): Subscription {
  return {
    id,
    topic,
    uri: "",
    format: "JSON",
    filter: null,
    includeFields: [],
    metafieldNamespaces: [],
    metafields: [],
    name: null,
    createdAt: now,
    updatedAt: now,
  };
}

/** The subscription with what the input names; the schema has vouched for the input's types. */
function applied(base: Subscription, input: unknown, now: number): Subscription {
  const given: Partial<Subscription & { callbackUrl: string }> =
    typeof input === "object" && input !== null ? { ...input } : {};
  const { callbackUrl, ...rest } = given;
  const named = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return {
    ...base,
    ...named,
    uri: given.uri ?? callbackUrl ?? base.uri,
    filter: given.filter ?? base.filter,
    updatedAt: now,
  };
}

function keep(store: AdminStore, candidate: Subscription): Source {
  const userErrors = check(store, candidate);
  if (userErrors.length > 0) return { webhookSubscription: null, userErrors };
  store.subscriptions.set(candidate.id, candidate);
  return { webhookSubscription: subscriptionNode(candidate), userErrors };
}
