import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the stand-in of this run answers. */
    standin: string;
  }
}

export interface StoreOptions {
  domain?: string;
  name?: string;
  email?: string;
  currency?: string;
  ianaTimezone?: string;
  taxesIncluded?: boolean;
  plan?: "basic" | "advanced" | "plus";
  clientId?: string;
  clientSecret?: string;
  scopes?: string[];
  installed?: boolean;
  redirectUris?: string[];
  /** What the store takes for now; the test's own clock without it. */
  now?: number;
}

export interface LogEntry {
  at: number;
  method: string;
  path: string;
  operation: string | null;
  mutation: boolean;
  /** The root fields of the operation. */
  fields: string[];
  query: string | null;
  variables: Record<string, unknown> | null;
  /** 0 when the connection got no answer. */
  status: number;
  requestedCost: number | null;
  requestId: string;
}

type Fields = Record<string, unknown>;

/** Records to write; demo/admin-api/records.ts has their fields, seed-records.ts what is filled in. Times are epoch ms, money minor units. */
export interface Seed {
  customers?: Fields[];
  orders?: Fields[];
  products?: Fields[];
  collections?: Fields[];
  checkouts?: Fields[];
  locations?: Fields[];
  staff?: Fields[];
  deleted?: { customers?: number[]; orders?: number[]; products?: number[]; checkouts?: number[] };
}

/** What goes wrong next; see demo/admin-api/failures.ts. */
export interface Failure {
  /** `graphql`, `token`, `bulk-operation` (the run), `bulk` (the file), or the name of a GraphQL operation. */
  on: string;
  /** Ends a bulk operation as FAILED, after `afterObjects`. */
  errorCode?: "ACCESS_DENIED" | "INTERNAL_SERVER_ERROR" | "TIMEOUT";
  afterObjects?: number;
  status?: number;
  throttled?: boolean;
  dropAfterBytes?: number;
  ignoreRange?: boolean;
  hang?: boolean;
  hold?: boolean;
  delayMs?: number;
  afterEffect?: boolean;
  times?: number;
  skip?: number;
  headers?: Record<string, string>;
}

export interface Summary {
  customers: number;
  orders: number;
  lines: number;
  refunds: number;
  test: number;
  cancelled: number;
  pos: number;
  withoutCustomer: number;
  /** Orders that are neither tests nor cancelled. */
  counted: number;
  /** Their worth now, minor units of `currency` as text. */
  revenue: string;
  currency: string;
  presentment: Record<string, { orders: number; revenue: string }>;
}

export interface StandinStore {
  domain: string;
  id: number;
  currency: string;
  clientId: string;
  clientSecret: string;
  scopes: string[];
  /** The address that stands for https://{domain}. */
  origin: string;
  /** Writes records; the ids by kind, in order. */
  seed: (records: Seed) => Promise<Record<string, number[]>>;
  /** Makes it a large store computed from a seed; `until` is the store's now without one. What was in it is gone. */
  generate: (size: {
    seed?: number;
    customers?: number;
    orders?: number;
    products?: number;
    checkouts?: number;
    until?: number;
    days?: number;
  }) => Promise<void>;
  /** What a generated store comes to, added up apart from its GraphQL; see demo/admin-api/summary.ts. */
  summary: () => Promise<Summary>;
  /** Changes some fields of a record and its updatedAt (now, unless given). */
  patch: (
    kind: "customers" | "orders" | "products" | "checkouts",
    id: number,
    changes: Record<string, unknown>,
  ) => Promise<void>;
  /** Every request the store got, in order. */
  log: () => Promise<LogEntry[]>;
  /** The mutations among them, but for those on webhook subscriptions and bulk operations: what was written to Shopify. */
  written: () => Promise<LogEntry[]>;
  clearLog: () => Promise<void>;
  fail: (failure: Failure) => Promise<void>;
  /** A pasted token that never ends. */
  permanentToken: () => Promise<string>;
  sessionToken: (claims?: Record<string, unknown>) => Promise<string>;
  /** Ends every access token; refresh tokens stay. */
  expireTokens: () => Promise<void>;
  expireRefreshTokens: () => Promise<void>;
  /** Forgets every token. */
  revokeTokens: () => Promise<void>;
  setScopes: (scopes: string[]) => Promise<void>;
  uninstall: () => Promise<void>;
  install: () => Promise<void>;
  /** Resolves when no bulk operation is under way but those that a failure holds, and lets those go on. */
  settled: () => Promise<void>;
  release: () => Promise<void>;
  /** Moves the store's clock; it runs on from there. */
  setNow: (now: number) => Promise<void>;
  subscriptions: () => Promise<{ id: number; topic: string; uri: string; filter: string | null }[]>;
  /** Takes subscriptions away, as Shopify does after eight failures; all without a topic. */
  deleteSubscriptions: (topic?: string) => Promise<void>;
  /** Any other order to the stand-in's control. */
  order: (method: string, path: string, body?: unknown) => Promise<unknown>;
}

/** The stand-in works in real time, the tests' clock does not: waits until it has ended a store's bulk operations. */
export async function standinSettled(domain: string): Promise<void> {
  const answer = await fetch(`${inject("standin")}/_admin/api/stores/${domain}/settled`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  if (!answer.ok) throw new Error(`settled: ${answer.status} ${await answer.text()}`);
}

const HARMLESS = /^(webhookSubscription|bulkOperation)/;

/** A store of this test's own in the stand-in, with an app installed that has the usual scopes. */
export async function standinStore(options: StoreOptions = {}): Promise<StandinStore> {
  const base = `${inject("standin")}/_admin/api/stores`;
  const send = async (method: string, url: string, body?: unknown) => {
    const answer = await fetch(url, {
      method,
      ...(method === "GET"
        ? {}
        : { headers: { "content-type": "application/json" }, body: JSON.stringify(body ?? {}) }),
    });
    if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
    // oxlint-disable-next-line typescript/no-explicit-any -- the stand-in is ours
    return answer.json<any>();
  };
  const made = await send("POST", base, { now: Date.now(), ...options });
  const order: StandinStore["order"] = (method, path, body) => send(method, `${base}/${made.domain}/${path}`, body);
  const log = async () => send("GET", `${base}/${made.domain}/log`) as Promise<LogEntry[]>;
  return {
    domain: made.domain,
    id: made.id,
    currency: made.currency,
    clientId: made.clientId,
    clientSecret: made.clientSecret,
    scopes: made.scopes,
    origin: `${inject("standin")}/_shopify/${made.domain}`,
    order,
    seed: (records) => send("POST", `${base}/${made.domain}/records`, records),
    generate: async (size) => void (await order("POST", "generate", size)),
    summary: () => send("GET", `${base}/${made.domain}/summary`),
    patch: async (kind, id, changes) => void (await order("POST", "patch", { kind, id, changes })),
    log,
    written: async () =>
      (await log()).filter((entry) => entry.mutation && entry.fields.some((field) => !HARMLESS.test(field))),
    clearLog: async () => void (await order("DELETE", "log")),
    fail: async (failure) => void (await order("POST", "failures", failure)),
    permanentToken: async () => (await send("POST", `${base}/${made.domain}/tokens`)).access_token,
    sessionToken: async (claims = {}) => (await send("POST", `${base}/${made.domain}/session-token`, { claims })).token,
    expireTokens: async () => void (await order("POST", "tokens/expire")),
    expireRefreshTokens: async () => void (await order("POST", "refresh-tokens/expire")),
    revokeTokens: async () => void (await order("POST", "tokens/revoke")),
    setScopes: async (scopes) => void (await order("POST", "scopes", { scopes })),
    uninstall: async () => void (await order("POST", "uninstall")),
    install: async () => void (await order("POST", "install")),
    settled: () => standinSettled(made.domain),
    release: async () => void (await order("POST", "release")),
    setNow: async (now) => void (await order("POST", "clock", { now })),
    subscriptions: () => send("GET", `${base}/${made.domain}/subscriptions`),
    deleteSubscriptions: async (topic) => void (await order("POST", "subscriptions/delete", { topic })),
  };
}
