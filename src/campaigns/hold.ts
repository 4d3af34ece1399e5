import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { isConflict, sql } from "../db/client";
import { mustHold } from "../db/guard";
import { AppError } from "../errors";
import { armClock } from "../jobs";
import { newId } from "../lib/ids";
import { type CampaignRow, readCampaign, stateOf } from "./read";
import type { CampaignShown } from "./schemas";
import { continueCampaign } from "./work";

/** Nothing goes out from now on, what is queued neither; the sender asks before each message. */
export async function pauseCampaign(ctx: Ctx, row: CampaignRow): Promise<CampaignShown> {
  allow(row, ["scheduled", "preparing", "sending"], "pause");
  await commit(ctx, row, "paused_at = ?2", "campaign.paused", null);
  return readCampaign(ctx, row.id);
}

/** Goes on, at its rate; what fell due in the pause does not go out all at once. */
export async function resumeCampaign(ctx: Ctx, row: CampaignRow): Promise<CampaignShown> {
  allow(row, ["paused"], "resume");
  const begun = row.state !== "scheduled";
  // A test that stood still has its hours all the same.
  const change = begun ? "due_at = due_at + (?2 - paused_at), paused_at = null" : "paused_at = null";
  await commit(ctx, row, change, "campaign.resumed", begun ? "resume" : null);
  return readCampaign(ctx, row.id);
}

/** Nobody gets it any more; one that has not begun is a draft again. What was sent stays sent. */
export async function cancelCampaign(ctx: Ctx, row: CampaignRow): Promise<CampaignShown> {
  allow(row, ["scheduled", "preparing", "sending", "paused"], "cancel");
  const begun = row.state !== "scheduled";
  await commit(
    ctx,
    row,
    `state = '${begun ? "cancelled" : "draft"}', paused_at = null, due_at = null`,
    "campaign.cancelled",
    begun ? "cancel" : null,
  );
  return readCampaign(ctx, row.id);
}

function allow(row: CampaignRow, states: CampaignShown["state"][], action: string): void {
  const state = stateOf(row);
  if (!states.includes(state)) throw new AppError("conflict", `It is ${state}: that allows no ${action}`);
}

/** The change, if the campaign is still as it was read, with the job that does the rest; its first piece at once. */
async function commit(
  ctx: Ctx,
  row: CampaignRow,
  change: string,
  action: string,
  work: "resume" | "cancel" | null,
): Promise<void> {
  const { env, db, shop, now } = ctx;
  await armClock(env, shop.key, now);
  const job = newId("job", now);
  try {
    await db.batch([
      mustHold(
        db,
        "exists (select 1 from campaigns where key = ?1 and state = ?2 and paused_at is ?3 and deleted_at is null)",
        row.key,
        row.state,
        row.pausedAt,
      ),
      sql(db, `update campaigns set ${change}, updated_at = ?2 where key = ?1`, row.key, now),
      ...(work === null
        ? []
        : [
            sql(
              db,
              `insert into jobs (id, shop, kind, state, input, created_at, updated_at)
               values (?1, ?2, 'campaigns.work', 'running', ?3, ?4, ?4)`,
              job,
              shop.key,
              JSON.stringify({ campaign: row.key, work }),
              now,
            ),
            sql(db, "update campaigns set job = ?2 where key = ?1", row.key, job),
          ]),
      audit(ctx, action, row.id),
    ]);
  } catch (error) {
    if (isConflict(error)) throw new AppError("conflict", "It was changed meanwhile");
    throw error;
  }
  if (work !== null) await continueCampaign(env, { id: job, shop: shop.key }, now);
}
