import { sql } from "../db/client";
import { AppError } from "../errors";
import { armClock } from "../jobs";

/** A verified delivery as it goes into the inbox. */
export interface StoredDelivery {
  id: string;
  shop: number;
  topic: string;
  webhookId: string;
  eventId: string | null;
  apiVersion: string | null;
  triggeredAt: number;
  receivedAt: number;
  bodyHash: string;
  body: string;
}

interface Sender {
  env: Env;
  now: number;
  later: (work: Promise<unknown>) => void;
}

/** Deliveries of one statement: ten values each, and D1 binds at most 100. */
const PER_STATEMENT = 10;

/** Deliveries of one commit. */
const MOST_SHARING = 40;

/** Longer bodies, in characters, go by themselves: they hold nobody else up. */
const LONGEST_SHARING = 100_000;

/** How long a commit waits for the one before it, and a delivery for the commit that it takes part in, ms. */
const TURN_MS = 100;
const PATIENCE_MS = 2_000;

/** Deliveries that will be committed together; whoever opened it does that. */
interface Group {
  deliveries: StoredDelivery[];
  /** Becomes true when they are in the inbox. */
  stored: Promise<boolean>;
}

/** The commits of one environment: at most one is gathering, behind the one that runs. */
interface Line {
  gathering: Group | null;
  last: Promise<unknown> | null;
}

const lines = new WeakMap<Env, Line>();

/**
 * Stores a delivery and nudges the queue that handles it; returns when it is committed, or was before. Deliveries that
 * come while another is being committed share the next commit: alone they would wait in D1's own queue, one by one.
 *
 * Each request waits for another's commit only so long, and then, or when that failed, commits by itself: nobody's
 * trouble is another's. Throws `unavailable` when it could not be stored.
 */
export async function storeDelivery(sender: Sender, delivery: StoredDelivery): Promise<void> {
  const { env, later } = sender;
  if (delivery.body.length > LONGEST_SHARING) return storeAlone(sender, delivery);
  let line = lines.get(env);
  if (!line) lines.set(env, (line = { gathering: null, last: null }));
  let group = line.gathering;
  const leads = group === null;
  if (!group) {
    group = { deliveries: [], stored: Promise.resolve(false) };
    line.gathering = group;
    group.stored = lead(sender, line, group);
    line.last = group.stored;
    // The others wait for it too, also when this one's sender has gone.
    later(group.stored);
  }
  group.deliveries.push(delivery);
  if (group.deliveries.length === MOST_SHARING) line.gathering = null;
  // Only an own timer keeps a request alive that waits for another's work.
  const isStored = leads ? await group.stored : await within(group.stored, PATIENCE_MS);
  if (isStored !== true) await storeAlone(sender, delivery);
}

async function lead(sender: Sender, line: Line, group: Group): Promise<boolean> {
  const before = line.last;
  if (before) await within(before, TURN_MS);
  // Even without one before: those who open a group have yet to join it.
  else await Promise.resolve();
  if (line.gathering === group) line.gathering = null;
  try {
    await commit(sender, group.deliveries);
    return true;
  } catch {
    return false;
  } finally {
    if (line.last === group.stored) line.last = null;
  }
}

async function storeAlone(sender: Sender, delivery: StoredDelivery): Promise<void> {
  try {
    await commit(sender, [delivery]);
  } catch {
    throw new AppError("unavailable");
  }
}

/** Inserts what is not in the inbox yet, and nudges the queue for it. */
async function commit({ env, now, later }: Sender, deliveries: StoredDelivery[]): Promise<void> {
  for (const shop of new Set(deliveries.map((delivery) => delivery.shop))) await armClock(env, shop, now);
  const statements: D1PreparedStatement[] = [];
  for (let from = 0; from < deliveries.length; from += PER_STATEMENT) {
    statements.push(insertion(env.DB, deliveries.slice(from, from + PER_STATEMENT)));
  }
  const results = await env.DB.batch<{ key: number; shop: number }>(statements);
  const rows = results.flatMap((result) => result.results);
  for (const [shop, ofShop] of Map.groupBy(rows, (row) => row.shop)) {
    const inbox = ofShop.map(({ key }) => key);
    // The clock finds what a lost message leaves behind.
    later(env.WEBHOOKS.send({ shop, inbox }).catch(() => undefined));
  }
}

function insertion(db: D1Database, deliveries: StoredDelivery[]): D1PreparedStatement {
  const rows = deliveries.map((_, n) => {
    const own = Array.from({ length: 10 }, (_unused, i) => `?${10 * n + i + 1}`);
    return `(${own.join(", ")}, 'pending', ?${10 * n + 8})`;
  });
  return sql(
    db,
    `insert into webhook_inbox (id, shop, topic, webhook_id, event_id, api_version, triggered_at, received_at, body_hash,
       body, state, next_attempt_at) values ${rows.join(", ")} on conflict do nothing returning key, shop`,
    ...deliveries.flatMap((one) => [
      one.id,
      one.shop,
      one.topic,
      one.webhookId,
      one.eventId,
      one.apiVersion,
      one.triggeredAt,
      one.receivedAt,
      one.bodyHash,
      one.body,
    ]),
  );
}

/** What the work leads to, or null when it takes longer. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
