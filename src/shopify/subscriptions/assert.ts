import { orm, sql } from "../../db/client";
import { eq } from "drizzle-orm";
import { AdminError, adminQuery, type Store } from "../admin";
import type { Scope } from "../scopes";
import { shopifySubscriptions } from "../tables";
import { compareSubscriptions, type Finding, type KnownSubscription, surplus } from "./compare";
import {
  CreateSubscription,
  DeleteSubscription,
  ListSubscriptions,
  type LiveSubscription,
} from "./subscriptions.queries";
import { type Topic, wantedTopics } from "./topics";

/** Path of the webhooks at the address that this installation is reached at. */
const PATH = "/webhooks/shopify";

/** Mutations on their way at the same time. */
const AT_ONCE = 5;

interface Kept {
  topic: string;
  externalId: string | null;
  state: KnownSubscription["state"];
  problem: string | null;
  repairedAt: number | null;
}

interface Settled {
  row: Kept;
  /** Shopify was asked to make it and did not. */
  wasRefused: boolean;
  /** What kept it from being made; it is thrown once everything is written down. */
  error: AdminError | null;
}

/**
 * Sees to it that the store has a subscription of ours for every topic, and writes down how each was found and what was
 * repaired. Repeating it changes nothing. Returns how many topics Shopify refused. Throws `AdminError` when the store cannot be asked; one refused topic does
 * not stop the others.
 *
 * @param address origin that Shopify reaches this installation at
 * @param granted scopes that the store has granted
 * @param wanted scopes that are asked for; topics of others are left out
 */
export async function assertSubscriptions(
  env: Env,
  store: Store,
  { address, granted, wanted }: { address: string; granted: string[]; wanted: Scope[] },
  now: number,
): Promise<{ refused: number }> {
  const uri = address + PATH;
  const topics = wantedTopics(wanted);
  const [live, known] = await Promise.all([listLive(env, store), listKnown(env.DB, store.key)]);
  const findings = compareSubscriptions(live, { topics, known, uri, granted });
  const settled = await inTurns(findings, (finding) => settle(env, store, { finding, known, uri, now }));
  await adoptTaken(env, store, { settled, topics, uri });
  await inTurns(surplus(live, { topics, known, uri }), (id) => adminQuery(env, store, DeleteSubscription, { id }));
  await env.DB.batch([
    sql(
      env.DB,
      `insert into shopify_subscriptions (shop, topic, external_id, state, problem, repaired_at, checked_at)
       select ?1, value ->> 'topic', value ->> 'externalId', value ->> 'state', value ->> 'problem',
         value ->> 'repairedAt', ?3 from json_each(?2) where true
       on conflict do update set external_id = excluded.external_id, state = excluded.state,
         problem = excluded.problem, repaired_at = excluded.repaired_at, checked_at = excluded.checked_at`,
      store.key,
      JSON.stringify(settled.map(({ row }) => row)),
      now,
    ),
    sql(
      env.DB,
      "delete from shopify_subscriptions where shop = ? and topic not in (select value from json_each(?))",
      store.key,
      JSON.stringify(topics.map(({ name }) => name)),
    ),
  ]);
  const error = settled.find(({ error }) => error !== null)?.error;
  if (error) throw error;
  return { refused: settled.filter(({ row: { state } }) => state === "refused").length };
}

/** Deletes the subscriptions that we made and that still lead to this address; nobody else's. */
export async function removeSubscriptions(env: Env, store: Store, address: string): Promise<void> {
  const [live, known] = await Promise.all([listLive(env, store), listKnown(env.DB, store.key)]);
  const ours = surplus(live, { topics: [], known, uri: address + PATH });
  await inTurns(ours, (id) => adminQuery(env, store, DeleteSubscription, { id }));
}

/** The subscriptions as the last check found them, by topic. */
export async function listKnown(db: D1Database, shop: number) {
  return orm(db)
    .select()
    .from(shopifySubscriptions)
    .where(eq(shopifySubscriptions.shop, shop))
    .orderBy(shopifySubscriptions.topic);
}

async function listLive(env: Env, store: Store): Promise<LiveSubscription[]> {
  const live: LiveSubscription[] = [];
  for (let after: string | null = null; ;) {
    const { webhookSubscriptions: page }: Awaited<ReturnType<typeof pageAfter>> = await pageAfter(env, store, after);
    live.push(...page.nodes);
    if (!page.pageInfo.hasNextPage || page.pageInfo.endCursor === null) return live;
    after = page.pageInfo.endCursor;
  }
}

function pageAfter(env: Env, store: Store, after: string | null) {
  return adminQuery(env, store, ListSubscriptions, { after });
}

async function settle(
  env: Env,
  store: Store,
  { finding, known, uri, now }: { finding: Finding; known: KnownSubscription[]; uri: string; now: number },
): Promise<Settled> {
  const topic = finding.topic.name;
  const before = known.find((row) => row.topic === topic);
  const repairedAt = before?.repairedAt ?? null;
  const settled = (row: Omit<Kept, "topic">, error: AdminError | null = null, wasRefused = false): Settled => ({
    row: { topic, ...row },
    error,
    wasRefused,
  });
  if (finding.kind === "keep") {
    const problem = before?.state === "active" ? before.problem : null;
    return settled({ externalId: finding.id, state: "active", problem, repairedAt });
  }
  const refused = (problem: string) => ({ externalId: null, state: "refused" as const, problem, repairedAt });
  if (finding.kind === "refused") return settled(refused(finding.why));
  const { state, why, replaces } = finding;
  try {
    if (replaces !== null) await adminQuery(env, store, DeleteSubscription, { id: replaces });
    const made = await make(env, store, finding.topic.id, uri);
    if ("refusal" in made) return settled(refused(made.refusal), null, true);
    const at = why === null ? repairedAt : now;
    return settled({ externalId: made.id, state: "active", problem: why, repairedAt: at });
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    if (error.kind === "invalid") return settled(refused(error.message));
    return settled({ externalId: before?.externalId ?? null, state, problem: why, repairedAt }, error);
  }
}

/** Makes a subscription; Shopify's reason when it refuses. */
async function make(env: Env, store: Store, topic: string, uri: string): Promise<{ id: string } | { refusal: string }> {
  const { webhookSubscriptionCreate: made } = await adminQuery(env, store, CreateSubscription, { topic, uri });
  if (made?.webhookSubscription) return { id: made.webhookSubscription.id };
  return { refusal: (made?.userErrors[0]?.message ?? "Shopify gave no reason").slice(0, 300) };
}

/** Shopify refuses a second subscription of the same kind: where another check was first, its subscription is taken. */
async function adoptTaken(
  env: Env,
  store: Store,
  { settled, topics, uri }: { settled: Settled[]; topics: Topic[]; uri: string },
): Promise<void> {
  const refused = settled.filter(({ wasRefused }) => wasRefused);
  if (refused.length === 0) return;
  const live = (await listLive(env, store)).filter((one) => one.uri === uri);
  for (const { row } of refused) {
    const id = topics.find(({ name }) => name === row.topic)?.id;
    const taken = live.find(({ topic }) => topic === id);
    if (taken) Object.assign(row, { externalId: taken.id, state: "active", problem: null });
  }
}

async function inTurns<T, R>(items: T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(work))));
  }
  return results;
}
