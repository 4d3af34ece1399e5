import { eq, or } from "drizzle-orm";

import { orm } from "../db/client";
import { AppError } from "../errors";
import { type Shop, toShop } from "./shop";
import { shops } from "./tables";
import { readWatched, type Watched } from "./watched";

/** A shop with what the pipeline of beacons must know beside it. */
export interface CachedShop extends Shop {
  watched: Watched[];
}

/** Reads a shop by id, domain or integer key straight from D1. */
export async function findShop(db: D1Database, by: string | number): Promise<Shop | null> {
  const where = typeof by === "number" ? eq(shops.key, by) : or(eq(shops.id, by), eq(shops.domain, by.toLowerCase()));
  const row = await orm(db).select().from(shops).where(where).get();
  return row ? toShop(row) : null;
}

export async function getShopOrThrow(db: D1Database, by: string | number): Promise<Shop> {
  const shop = await findShop(db, by);
  if (!shop) throw new AppError("shop_not_found");
  return shop;
}

const FRESH_MS = 5_000;
const MOST = 1_000;

interface Entry {
  shop: CachedShop | null;
  readAt: number;
  refreshing: Promise<void> | null;
}

/** Per isolate, so that the beacon path does not wait for D1. */
const cache = new Map<string, Entry>();

/**
 * The shop of a beacon, by domain: at most 5 s old on a busy isolate, refreshed behind the response, and as it last was
 * while D1 does not answer. Null for an unknown shop.
 *
 * @param later keeps the refresh alive after the response (`ctx.waitUntil`)
 */
export async function cachedShop(
  db: D1Database,
  domain: string,
  now: number,
  later: (work: Promise<unknown>) => void,
): Promise<CachedShop | null> {
  const entry = cache.get(domain);
  if (!entry?.shop) return read(db, domain, now);
  if (now - entry.readAt > FRESH_MS && !entry.refreshing) {
    entry.refreshing = read(db, domain, now).then(
      () => undefined,
      () => {
        entry.refreshing = null;
      },
    );
    later(entry.refreshing);
  }
  return entry.shop;
}

async function read(db: D1Database, domain: string, now: number): Promise<CachedShop | null> {
  const found = await findShop(db, domain);
  const shop = found && { ...found, watched: await readWatched(db, found.key) };
  if (cache.size >= MOST) cache.clear();
  if (shop) cache.set(domain, { shop, readAt: now, refreshing: null });
  else cache.delete(domain);
  return shop;
}

/** Drops what this isolate remembers of a shop, after a change made here. */
export function forgetCachedShop(domain: string): void {
  cache.delete(domain);
}
