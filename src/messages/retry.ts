import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { armClock } from "../jobs";
import { nudgeDeliveries } from "./queue";

/**
 * Has a delivery that failed or was skipped tried again, with everything that decides asked anew; what was rendered
 * stays. One whose outcome nobody knows is sent again only when the caller takes it that it may arrive twice. Throws
 * 409 for one in any other state.
 */
export async function retryDelivery(
  ctx: Ctx,
  row: { key: number; id: string; state: string },
  mayBeTwice: boolean,
): Promise<void> {
  const { env, db, shop, now } = ctx;
  const states = mayBeTwice ? ["failed", "skipped", "unknown"] : ["failed", "skipped"];
  if (!states.includes(row.state)) {
    throw new AppError(
      "conflict",
      row.state === "unknown"
        ? "The provider may have it: say `mayBeTwice` to send it all the same"
        : `A delivery that is ${row.state} cannot be tried again`,
    );
  }
  await armClock(env, shop.key, now);
  await db.batch([
    sql(
      db,
      `update deliveries set state = 'queued', reason = null, due_at = ?3, attempts = 0, called_at = null, lease_until = null
       where key = ?1 and shop = ?2 and state in (select value from json_each(?4))`,
      row.key,
      shop.key,
      now,
      JSON.stringify(states),
    ),
    audit(ctx, "delivery.retried", row.id),
  ]);
  await nudgeDeliveries(env, shop.key, [row.key], now);
}
