import { actorName, type Actor } from "../context";
import { isConflict, sql } from "../db/client";
import { AppError } from "../errors";
import { firstLadder } from "../lifecycle";
import { base64url } from "../lib/crypto";
import { newId } from "../lib/ids";
import { findShop, forgetCachedShop, getShopOrThrow } from "./load";
import type { NewShop } from "./schemas";
import type { Shop } from "./shop";

/** Adds a shop; it accepts beacons at once. Throws 409 with `shopId` when its domain is taken. */
export async function createShop(
  db: D1Database,
  input: NewShop,
  by: { actor: Actor; requestId: string; now: number },
): Promise<Shop> {
  const id = newId("shp", by.now);
  try {
    await db.batch([
      sql(
        db,
        `insert into shops (id, domain, name, currency, timezone, origins, settings, pixel_key,
           status, installed_at, created_at, updated_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'active', ?9, ?9, ?9)`,
        id,
        input.domain,
        input.name ?? input.domain,
        input.currency ?? "USD",
        input.timezone ?? "UTC",
        JSON.stringify(input.origins ?? []),
        JSON.stringify(input.settings ?? {}),
        base64url(crypto.getRandomValues(new Uint8Array(18))),
        by.now,
      ),
      sql(
        db,
        `insert into audit_log (id, shop, actor, action, subject, fields, request_id, at)
         select ?1, key, ?2, 'shop.created', id, ?3, ?4, ?5 from shops where id = ?6`,
        newId("aud", by.now),
        actorName(by.actor),
        JSON.stringify(Object.keys(input)),
        by.requestId,
        by.now,
        id,
      ),
      firstLadder(db, id, by.now),
    ]);
  } catch (error) {
    if (!isConflict(error)) throw error;
    const taken = await findShop(db, input.domain);
    throw new AppError("conflict", "A shop with this domain exists", { extra: taken ? { shopId: taken.id } : {} });
  }
  forgetCachedShop(input.domain);
  return getShopOrThrow(db, id);
}
