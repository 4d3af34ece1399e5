import { sql } from "../db/client";
import { dropOldFiles } from "../imports";
import { dropOldMessages } from "../messages";
import { continueLongJobs } from "./long";
import { getShopOrThrow } from "../shops";
import { expireVisitor } from "../visitor";

const DAY_MS = 86_400_000;

/** Rows deleted per statement, so that no statement holds the database long. */
const CHUNK = 5_000;

/** Visitors looked at per run of the walk. */
const WALK = 2_000;

const WALK_ID = "job_retention_walk";

interface ShopRetention {
  key: number;
  bodies: number;
  events: number;
  visitors: number;
}

/** Enforces every shop's retention settings, a bounded piece a run. Repeatable; called by cron every minute. */
export async function enforceRetention(env: Env, now: number): Promise<void> {
  const { DB } = env;
  const { results: shops } = await DB.prepare(
    `select key, coalesce(settings ->> 'webhookBodyRetentionDays', 30) as bodies,
       coalesce(settings ->> 'eventRetentionDays', 0) as events,
       coalesce(settings ->> 'visitorRetentionDays', 0) as visitors from shops`,
  ).all<ShopRetention>();
  await sql(DB, "delete from idempotency_keys where created_at < ?", now - DAY_MS).run();
  // Endpoints and contacts bring along what start-up must not pay for.
  const { dropOldDeliveries } = await import("../endpoints");
  await dropOldDeliveries(DB, now).run();
  await dropOldMessages(DB, now);
  await dropOldFiles(DB, now);
  const { purgeTrash } = await import("../contacts/rest");
  for (const shop of shops) {
    await clearBodies(DB, shop, now);
    if (shop.events > 0) await dropEvents(DB, shop, now);
    await purgeTrash(env, await getShopOrThrow(DB, shop.key), now);
  }
  const { expireData } = await import("../shopify");
  await expireData(DB, now);
  await continueLongJobs(env, now);
  if (shops.some((shop) => shop.events > 0 || shop.visitors > 0)) await walkVisitors(env, shops, now);
}

/** Raw bodies of handled webhooks; what waits for handling keeps its body. */
async function clearBodies(db: D1Database, shop: ShopRetention, now: number): Promise<void> {
  await sql(
    db,
    `update webhook_inbox set body = null where key in (
       select key from webhook_inbox where shop = ? and state != 'pending' and body is not null and received_at < ?
       limit ?)`,
    shop.key,
    now - shop.bodies * DAY_MS,
    CHUNK,
  ).run();
}

/** Old events go by (shop, type, at), the key's own order. */
async function dropEvents(db: D1Database, shop: ShopRetention, now: number): Promise<void> {
  const { results: types } = await db.prepare("select key from event_types").all<{ key: number }>();
  const before = now - shop.events * DAY_MS;
  for (const { key } of types) {
    await sql(
      db,
      `delete from events where (shop, type, at, visitor, seq) in (
         select shop, type, at, visitor, seq from events where shop = ? and type = ? and at < ? limit ?)`,
      shop.key,
      key,
      before,
      CHUNK,
    ).run();
  }
}

/**
 * Goes round all visitors by key, a piece a run: visits past the events' retention go, and anonymous visitors past
 * their own, with their objects. Where it stands is a row of `jobs`.
 */
async function walkVisitors(env: Env, shops: ShopRetention[], now: number): Promise<void> {
  const { DB } = env;
  const position = await sql(DB, "select cursor from jobs where id = ?", WALK_ID).first<{ cursor: string | null }>();
  const { results: visitors } = await sql(
    DB,
    `select key, shop, tracker, contact, last_seen_at as lastSeenAt from visitors where key > ? order by key limit ?`,
    Number(position?.cursor ?? 0),
    WALK,
  ).all<{ key: number; shop: number; tracker: string; contact: number | null; lastSeenAt: number }>();
  const rules = new Map(shops.map((shop) => [shop.key, shop]));
  const visitsBefore: [number, number][] = [];
  for (const visitor of visitors) {
    const rule = rules.get(visitor.shop);
    if (!rule) continue;
    if (rule.events > 0) visitsBefore.push([visitor.key, now - rule.events * DAY_MS]);
    const expired = rule.visitors > 0 && visitor.lastSeenAt < now - rule.visitors * DAY_MS;
    if (expired && visitor.contact === null)
      await expireVisitor(env, { key: visitor.shop }, visitor.tracker, visitor.lastSeenAt);
  }
  const last = visitors.length < WALK ? 0 : (visitors.at(-1)?.key ?? 0);
  await DB.batch([
    sql(
      DB,
      `delete from visits where (visitor, no, part) in (
         select v.visitor, v.no, v.part from json_each(?) j join visits v on v.visitor = j.value ->> 0
         where v.until < j.value ->> 1)`,
      JSON.stringify(visitsBefore),
    ),
    sql(
      DB,
      `insert into jobs (id, shop, kind, state, cursor, created_at, updated_at) values (?1, 0, 'retention', 'running', ?2, ?3, ?3)
       on conflict do update set cursor = excluded.cursor, updated_at = excluded.updated_at`,
      WALK_ID,
      String(last),
      now,
    ),
  ]);
}
