import type { SeenPart } from "./tables";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long a part may be quiet before it counts as silent, ms. A shop's own normal is what alerts go by. */
const QUIET_MS = {
  connection: 13 * HOUR_MS,
  webhooks: 2 * DAY_MS,
  sync: 3 * HOUR_MS,
  tracker: DAY_MS,
  embed: DAY_MS,
  pixel: 3 * DAY_MS,
  customer: 7 * DAY_MS,
} as const;

export const PARTS = ["connection", "webhooks", "sync", "tracker", "embed", "pixel", "customer"] as const;

export type Part = (typeof PARTS)[number];

export const PROBLEMS = [
  "not_on_shopify",
  "uninstalled",
  "token_refused",
  "shop_frozen",
  "unreachable",
  "unexpected_answer",
  "scopes_missing",
  "webhooks_refused",
  "subscriptions_missing",
  "sync_failed",
  "beacons_refused",
  "pasted_script",
  "loaded_twice",
  "nobody_signed_in",
] as const;

export type Problem = (typeof PROBLEMS)[number];

export interface Check {
  part: Part;
  /** `live`: there and working; `silent`: was there, is not now; `missing`: never heard of; `unknown`: cannot be told. */
  state: "live" | "silent" | "missing" | "unknown";
  lastSeenAt: number | null;
  problem: Problem | null;
  /** What the problem is about: scopes, topics, streams, reasons of drops. */
  details: string[];
  /** What to do next; null when there is nothing to do. */
  todo: string | null;
  link: string | null;
}

/** Everything that the check looks at; read elsewhere, so that the rule is a table of cases. */
export interface Facts {
  status: "active" | "uninstalled";
  isOnShopify: boolean;
  domain: string;
  /** Of the app that the store is, or would be, connected with; null for a pasted token that nobody named an app for. */
  clientId: string | null;
  connection: { connected: boolean; problem: Problem | null; checkedAt: number | null; missingScopes: string[] };
  /** Topics of webhooks that are not subscribed to as they should be. */
  lostTopics: string[];
  lastWebhookAt: number | null;
  streams: { name: string; state: string; updatedAt: number }[];
  seen: Partial<Record<SeenPart, number>>;
  /** Beacons that were not kept today and yesterday, by reason. */
  drops: { reason: string; count: number }[];
}

/** The state of every part of an installation at `now`, each with what to do about it. */
export function checkParts(facts: Facts, now: number): Check[] {
  const checks = [
    connection(facts, now),
    webhooks(facts, now),
    sync(facts, now),
    tracker(facts, now),
    embed(facts, now),
    pixel(facts, now),
    customer(facts, now),
  ];
  return facts.status === "active" ? checks : checks.map(stopped);
}

/** Nothing comes in from a store that has uninstalled the app, whatever was heard before. */
function stopped(check: Check): Check {
  const todo = check.part === "connection" ? "Install the app again, or connect the store again" : null;
  const state = check.state === "live" ? "silent" : check.state;
  return { ...check, state, problem: "uninstalled", details: [], todo };
}

function base(part: Part, at: number | null | undefined, now: number): Check {
  const lastSeenAt = at ?? null;
  const state = lastSeenAt === null ? "missing" : now - lastSeenAt <= QUIET_MS[part] ? "live" : "silent";
  return { part, state, lastSeenAt, problem: null, details: [], todo: null, link: null };
}

function elsewhere(part: Part, at: number | null): Check {
  return { ...base(part, null, 0), state: "unknown", lastSeenAt: at, problem: "not_on_shopify" };
}

const CONNECTION_TODO: Partial<Record<Problem, string>> = {
  token_refused: "Shopify refuses the token: connect the store again",
  shop_frozen: "The store is frozen or closed: settle its plan in Shopify",
  unreachable: "Shopify could not be reached; it is tried again by itself",
  unexpected_answer: "Shopify answered with something else than expected; it is tried again by itself",
  scopes_missing: "Allow the app what is missing, then connect again",
  webhooks_refused: "Shopify refuses the subscriptions: make sure that Footfall's address is public https",
};

function connection({ connection: held, isOnShopify }: Facts, now: number): Check {
  if (!isOnShopify) return elsewhere("connection", null);
  if (!held.connected) {
    return { ...base("connection", null, now), todo: "Connect the store: PUT /v1/shops/{id}/shopify" };
  }
  const check = base("connection", held.checkedAt, now);
  const { problem, missingScopes: details } = held;
  if (problem !== null) return { ...check, state: "silent", problem, details, todo: CONNECTION_TODO[problem] ?? null };
  if (check.state === "live") return check;
  return { ...check, state: "unknown", todo: "Ask Shopify now: POST /v1/shops/{id}/shopify/check" };
}

function webhooks({ lastWebhookAt, lostTopics, isOnShopify }: Facts, now: number): Check {
  if (!isOnShopify) return elsewhere("webhooks", lastWebhookAt);
  const check = base("webhooks", lastWebhookAt, now);
  if (lostTopics.length > 0) {
    const todo = "Have them made again: POST /v1/shops/{id}/shopify/check";
    return { ...check, problem: "subscriptions_missing", details: lostTopics, todo };
  }
  if (check.state === "live") return check;
  return { ...check, todo: "Change a product in Shopify and look again; else compare the app's webhook subscriptions" };
}

function sync({ streams, isOnShopify, connection: held }: Facts, now: number): Check {
  if (!isOnShopify) return elsewhere("sync", null);
  const latest = streams.length === 0 ? null : Math.max(...streams.map(({ updatedAt }) => updatedAt));
  const check = base("sync", latest, now);
  const details = streams.filter(({ state }) => state === "failed").map(({ name }) => name);
  if (details.length > 0) {
    const todo = "Start it again: POST /v1/shops/{id}/shopify/sync";
    return { ...check, state: "silent", problem: "sync_failed", details, todo };
  }
  if (check.state === "live") return check;
  return { ...check, todo: held.connected ? "Start it: POST /v1/shops/{id}/shopify/sync" : "Connect the store first" };
}

/** Drops that a merchant can do something about; bots and old events are none of theirs. */
const TELLING = ["origin", "consent", "opted_out", "malformed", "limit"];

function tracker({ seen, drops, isOnShopify, ...facts }: Facts, now: number): Check {
  const check = base("tracker", seen.tracker, now);
  if (check.state === "live") return check;
  const details = drops
    .filter(({ reason, count }) => TELLING.includes(reason) && count > 0)
    .map(({ reason, count }) => `${reason}: ${count}`);
  if (details.length > 0) {
    const todo = drops.some(({ reason }) => reason === "origin")
      ? "Beacons come, but from pages that are not in the shop's origins: list them"
      : "Beacons come, but are not kept: look at the reasons; without consent that is as it should be";
    return { ...check, problem: "beacons_refused", details, todo };
  }
  const todo = isOnShopify
    ? "Switch the app embed on and open the store once"
    : "Put the script tag into the pages and open one";
  return { ...check, todo, link: isOnShopify ? activation(facts) : null };
}

function embed({ seen, isOnShopify, ...facts }: Facts, now: number): Check {
  if (!isOnShopify) return elsewhere("embed", seen.embed ?? null);
  const check = { ...base("embed", seen.embed, now), link: activation(facts) };
  const isPasted = seen.script !== undefined && now - seen.script <= QUIET_MS.embed;
  if (check.state === "live") {
    if (!isPasted) return check;
    return {
      ...check,
      problem: "loaded_twice",
      todo: "Take the pasted script tag out of the theme: the embed is enough",
    };
  }
  if (isPasted) {
    const todo = "The theme has a script tag; the embed in its place also tells which customer is signed in";
    return { ...check, problem: "pasted_script", todo };
  }
  return { ...check, todo: "Switch the app embed on, enter the tracker's host and save" };
}

function pixel({ seen, isOnShopify, domain }: Facts, now: number): Check {
  if (!isOnShopify) return elsewhere("pixel", seen.pixel ?? null);
  const check = base("pixel", seen.pixel, now);
  if (check.state === "live") return check;
  return {
    ...check,
    todo: "Paste /pixel.js as a custom pixel, connect it, and put something into the cart as a shopper would",
    link: `https://${domain}/admin/settings/customer_events`,
  };
}

function customer({ seen, isOnShopify, ...facts }: Facts, now: number): Check {
  const check = base("customer", seen.customer, now);
  if (check.state === "live" || !isOnShopify) return isOnShopify ? check : elsewhere("customer", check.lastSeenAt);
  const isAsked = seen.proxy !== undefined && now - seen.proxy <= QUIET_MS.customer;
  if (isAsked) {
    const todo = "The app proxy works; it waits for a customer who is signed in and agrees to be followed";
    return { ...check, state: "unknown", problem: "nobody_signed_in", todo };
  }
  const todo = "Switch the app embed on with its app proxy, and sign in to the store once";
  return { ...check, todo, link: activation(facts) };
}

/**
 * The theme editor with the app embed switched on, for the merchant to save
 * (https://shopify.dev/docs/apps/build/online-store/theme-app-extensions/configuration). The handle is the file name of
 * the block.
 */
function activation({ domain, clientId }: Pick<Facts, "domain" | "clientId">): string | null {
  if (clientId === null) return null;
  return `https://${domain}/admin/themes/current/editor?context=apps&activateAppId=${encodeURIComponent(clientId)}/tracker`;
}
