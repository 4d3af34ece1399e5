import { z } from "zod";

import { isConflict, sql } from "../db/client";
import { mustHold } from "../db/guard";
import { AppError } from "../errors";
import { nudgeDeliveries } from "../messages";
import { findShop } from "../shops";
import { audiencePiece } from "./audience";
import { type CampaignRow, SELECT } from "./read";
import { cancelPiece, resumePiece, winnerPiece } from "./waiting";

/** Pieces of one run. */
const PIECES = 10;

const Input = z.object({ campaign: z.int(), work: z.enum(["audience", "winner", "resume", "cancel"]) });

/** Where a job stands: the last key it looked at, and how many messages each moment has already. */
export const Cursor = z.object({ after: z.int(), counts: z.record(z.string(), z.int()) });

export type Cursor = z.infer<typeof Cursor>;

/** What one piece of work comes to; committed together with the new position. */
export interface Piece {
  statements: D1PreparedStatement[];
  /** How many rows it was about. */
  done: number;
  /** Null when that was the last. */
  cursor: Cursor | null;
}

/**
 * Carries a campaign's job on from where it stands. Each piece commits with its new position and only if the position
 * is still the one it was planned from, so a kill loses nothing and two at once do nothing twice.
 *
 * @returns `more` when the next run may follow at once
 */
export async function continueCampaign(
  env: Env,
  job: { id: string; shop: number },
  now: number,
): Promise<"more" | "waiting" | "done"> {
  const { DB } = env;
  const shop = await findShop(DB, job.shop);
  if (!shop) return "done";
  for (let piece = 0; piece < PIECES; piece++) {
    const row = await sql(
      DB,
      "select input, cursor from jobs where id = ? and shop = ? and state = 'running'",
      job.id,
      job.shop,
    ).first<{ input: string; cursor: string | null }>();
    if (!row) return "done";
    const { campaign: key, work } = Input.parse(JSON.parse(row.input));
    const campaign = await sql(DB, `${SELECT} where c.key = ?`, key).first<CampaignRow>();
    const cursor = row.cursor === null ? { after: 0, counts: {} } : Cursor.parse(JSON.parse(row.cursor));
    try {
      const next = campaign && (await PLANS[work](env, shop, campaign, cursor, now));
      if (next === "waiting") return "waiting";
      const { statements, done, cursor: to } = next ?? { statements: [], done: 0, cursor: null };
      await DB.batch([
        mustHold(
          DB,
          "exists (select 1 from jobs where id = ?1 and cursor is ?2 and state = 'running')",
          job.id,
          row.cursor,
        ),
        ...statements,
        sql(
          DB,
          "update jobs set state = ?2, cursor = ?3, progress = progress + ?4, updated_at = ?5 where id = ?1",
          job.id,
          to === null ? "done" : "running",
          to === null ? null : JSON.stringify(to),
          done,
          now,
        ),
      ]);
      await nudgeDeliveries(env, job.shop, undefined, now);
      if (to === null) return "done";
    } catch (error) {
      // Another run was first; the next piece reads where that one has come to.
      if (isConflict(error)) continue;
      if (!(error instanceof AppError) || !campaign) throw error;
      await fail(DB, job.id, campaign, error.message, now);
      return "done";
    }
  }
  return "more";
}

const PLANS = { audience: audiencePiece, winner: winnerPiece, resume: resumePiece, cancel: cancelPiece };

/** What it names is not there any more: it cannot be right, and a person has to look. */
async function fail(db: D1Database, job: string, { key }: CampaignRow, why: string, now: number): Promise<void> {
  await db.batch([
    sql(db, "update jobs set state = 'failed', error = ?2, updated_at = ?3 where id = ?1", job, why, now),
    sql(
      db,
      "update campaigns set state = 'failed', error = ?2, due_at = null, updated_at = ?3 where key = ?1 and state = 'preparing'",
      key,
      why,
      now,
    ),
  ]);
}
