import { eq } from "drizzle-orm";
import { z } from "zod";

import { orm, sql } from "../../db/client";
import type { Shop } from "../../shops";
import { interruptSync } from "../sync";
import { shopifyConnections } from "../tables";

const Handles = z.array(z.string());

/** How a shop is connected, or null. Nothing in it is secret. */
export async function readConnection(db: D1Database, shop: number) {
  const row = await orm(db).select().from(shopifyConnections).where(eq(shopifyConnections.shop, shop)).get();
  return row ? { ...row, scopes: Handles.parse(JSON.parse(row.scopes)) } : null;
}

/** The rows of a connection go, and what reads the store ends, unless it was connected again since `shop` was read. */
export function forgetConnection(
  db: D1Database,
  shop: Pick<Shop, "key" | "installedAt">,
  now: number,
): D1PreparedStatement[] {
  const isThis = "shop in (select key from shops where key = ? and installed_at = ?)";
  return [
    sql(db, `delete from shopify_connections where ${isThis}`, shop.key, shop.installedAt),
    sql(db, `delete from shopify_subscriptions where ${isThis}`, shop.key, shop.installedAt),
    interruptSync(db, shop, now),
  ];
}
