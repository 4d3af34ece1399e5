import type { Ctx } from "../context";
import { sql } from "../db/client";
import { config } from "../config";
import { isStoreDomain } from "../shopify";
import { showConnection } from "../shopify/rest";
import { type Facts, PROBLEMS } from "./checks";
import type { SeenPart } from "./tables";

const DAY_MS = 86_400_000;

/** What the installation check of a shop goes by. Every read is by a key of the shop, and few rows long. */
export async function readFacts({ env, db, shop, now }: Pick<Ctx, "env" | "db" | "shop" | "now">): Promise<Facts> {
  const [connection, rows] = await Promise.all([showConnection(env, shop), readRows(db, shop.key, now)]);
  return {
    status: shop.status,
    isOnShopify: isStoreDomain(shop.domain),
    domain: shop.domain,
    clientId: connection.connected ? connection.clientId : config(env).shopifyApiKey,
    connection: {
      connected: connection.connected,
      problem: PROBLEMS.find((problem) => problem === connection.problem) ?? null,
      checkedAt: connection.checkedAt === null ? null : Date.parse(connection.checkedAt),
      missingScopes: connection.missingScopes.map(({ scope }) => scope),
    },
    lostTopics: connection.subscriptions.filter(({ state }) => state !== "active").map(({ topic }) => topic),
    ...rows,
  };
}

/** One row of any of the statements below. */
interface Row {
  part: SeenPart;
  at: number;
  name: string;
  state: string;
  updatedAt: number;
  reason: string;
  count: number;
}

async function readRows(db: D1Database, shop: number, now: number) {
  const [seen, webhook, streams, drops] = await db.batch<Row>([
    sql(db, "select part, at from storefront_seen where shop = ?", shop),
    sql(db, "select received_at as at from webhook_inbox where shop = ? order by key desc limit 1", shop),
    sql(
      db,
      "select resource || ' ' || stretch as name, state, updated_at as updatedAt from sync_streams where shop = ?",
      shop,
    ),
    sql(
      db,
      "select reason, sum(count) as count from drops where shop = ? and day >= ? group by reason",
      shop,
      new Date(now - DAY_MS).toISOString().slice(0, 10),
    ),
  ]);
  return {
    seen: Object.fromEntries((seen?.results ?? []).map(({ part, at }) => [part, at])),
    lastWebhookAt: webhook?.results[0]?.at ?? null,
    streams: (streams?.results ?? []).map(({ name, state, updatedAt }) => ({ name, state, updatedAt })),
    drops: (drops?.results ?? []).map(({ reason, count }) => ({ reason, count })),
  };
}
