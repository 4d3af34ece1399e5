import { Webhook } from "standardwebhooks";

import { config } from "../config";
import { sql } from "../db/client";
import { closeAlert, openAlert } from "../health";
import { open } from "../lib/crypto";
import { addressProblem } from "./address";
import { afterAttempt, type EndpointHealth, endpointAfter, isGone, type Reply } from "./outcome";

/** How long a receiver may take to answer. */
const TIMEOUT_MS = 15_000;

/** A delivery that is being sent is nobody else's for this long; after a kill the clock finds it again. */
const LEASE_MS = 60_000;

/** Requests at once: a Worker has six connections. */
const AT_ONCE = 6;

interface Target extends EndpointHealth {
  key: number;
  id: string;
  url: string;
  secret: string;
  previousSecret: string | null;
  previousUntil: number | null;
}

interface Claimed {
  key: number;
  id: string;
  body: string;
  /** This one included. */
  attempts: number;
  shop: number;
  target: Target;
}

/**
 * Sends those of the deliveries that are due and that nobody else is sending. An attempt counts from its beginning; its
 * outcome is written after it, so a kill in between sends once more with the same `webhook-id`.
 */
export async function sendDeliveries(env: Env, shop: number, keys: number[], now: () => number): Promise<void> {
  for (let from = 0; from < keys.length; from += AT_ONCE) {
    // Claimed just before they are sent, so that no lease ends while its delivery waits for others.
    const claimed = await claim(env.DB, shop, keys.slice(from, from + AT_ONCE), now());
    await Promise.all(
      claimed.map(async (delivery) => {
        const reply = await call(env, delivery, now());
        await env.DB.batch(record(env.DB, delivery, reply, now()));
      }),
    );
  }
}

/** Takes the due ones among these, so that no second consumer sends them too; those of disabled endpoints end here. */
async function claim(db: D1Database, shop: number, keys: number[], now: number): Promise<Claimed[]> {
  const list = JSON.stringify(keys);
  const due = "key in (select value from json_each(?2)) and shop = ?3 and state = 'pending' and next_attempt_at <= ?1";
  const disabled = "(select key from webhook_endpoints where shop = ?3 and state = 'disabled')";
  const [, taken, targets] = await db.batch([
    sql(
      db,
      `update endpoint_deliveries set state = 'failed', done_at = ?1, error = 'the endpoint is disabled'
       where ${due} and endpoint in ${disabled}`,
      now,
      list,
      shop,
    ),
    sql(
      db,
      `update endpoint_deliveries set attempts = attempts + 1, next_attempt_at = ?4 where ${due}
       returning key, id, endpoint, body, attempts, shop`,
      now,
      list,
      shop,
      now + LEASE_MS,
    ),
    sql(
      db,
      `select key, id, url, secret, previous_secret as "previousSecret", previous_until as "previousUntil", state,
         failing_since as "failingSince" from webhook_endpoints where shop = ?`,
      shop,
    ),
  ]);
  const byKey = new Map(rowsOf<Target>(targets).map((target) => [target.key, target]));
  return rowsOf<Omit<Claimed, "target"> & { endpoint: number }>(taken).flatMap((row) => {
    const target = byKey.get(row.endpoint);
    return target ? [{ ...row, target }] : [];
  });
}

/** The rows of one statement of a batch. */
function rowsOf<T>(result: D1Result | undefined): T[] {
  return (result as D1Result<T> | undefined)?.results ?? [];
}

/** One signed request. The answer's body is never read: only its status counts. */
async function call(env: Env, delivery: Claimed, now: number): Promise<Reply> {
  // Checked again, since the rule may have become stricter after the endpoint was made.
  const problem = addressProblem(delivery.target.url);
  if (problem) return { status: null, error: `the address ${problem}` };
  try {
    const response = await fetch(delivery.target.url, {
      method: "POST",
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        "content-type": "application/json",
        "user-agent": "Footfall-Webhooks/1",
        ...(await signature(env, delivery, now)),
      },
      body: delivery.body,
    });
    await response.body?.cancel();
    return { status: response.status, error: null };
  } catch (error) {
    return {
      status: null,
      error: error instanceof Error && error.name === "TimeoutError" ? "timed out" : "unreachable",
    };
  }
}

/** The headers of Standard Webhooks; during a rotation with a signature of each secret. */
async function signature(env: Env, delivery: Claimed, now: number): Promise<Record<string, string>> {
  const { sealingKeys } = config(env);
  const { secret, previousSecret, previousUntil } = delivery.target;
  const sealed = [secret, ...(previousSecret !== null && now < (previousUntil ?? 0) ? [previousSecret] : [])];
  const secrets = await Promise.all(sealed.map((text) => open(sealingKeys, text)));
  const at = new Date(now);
  return {
    "webhook-id": delivery.id,
    "webhook-timestamp": String(Math.floor(now / 1000)),
    "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(delivery.id, at, delivery.body)).join(" "),
  };
}

/** What came of an attempt, for the delivery and for its endpoint. */
function record(
  db: D1Database,
  { key, shop, attempts, target }: Claimed,
  reply: Reply,
  now: number,
): D1PreparedStatement[] {
  const { state, nextAttemptAt } = afterAttempt(reply, attempts, now, Math.random());
  const health = endpointAfter(target, reply, now);
  const alert = { shop, kind: "endpoint_failing" as const, subject: target.id };
  const statements = [
    sql(
      db,
      `update endpoint_deliveries set state = ?, next_attempt_at = ?, status = ?, error = ?, done_at = ?
       where key = ? and shop = ? and attempts = ?`,
      state,
      nextAttemptAt,
      reply.status,
      reply.error,
      state === "pending" ? null : now,
      key,
      shop,
      attempts,
    ),
  ];
  if (health.state !== target.state || health.failingSince !== target.failingSince) {
    statements.push(
      sql(
        db,
        "update webhook_endpoints set state = ?, failing_since = ? where key = ? and state <> 'disabled'",
        health.state,
        health.failingSince,
        target.key,
      ),
    );
  }
  if (health.state !== "enabled") {
    statements.push(...openAlert(db, { ...alert, data: { since: health.failingSince, gone: isGone(reply) } }, now));
  } else if (target.state === "failing") statements.push(...closeAlert(db, alert, now));
  return statements;
}
