import { sql } from "../db/client";
import { openAlert } from "../health";
import type { Run } from "./run";

/** Failures of one step after which its run is put aside, so that it blocks nobody. */
const MOST_ATTEMPTS = 6;

const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 30 * 60_000;

/**
 * A step that could not be taken: tried again later, each time after a longer wait with full jitter; after the last
 * attempt the run is `failed`, listed and repeatable, and the shop is told.
 */
export async function giveUp(db: D1Database, shop: number, run: Run, why: string, now: number): Promise<void> {
  const attempts = run.attempts + 1;
  const mine = "key = ?1 and lease_until = ?2 and visit = ?3 and ended_at is null";
  if (attempts < MOST_ATTEMPTS) {
    const wait = FIRST_WAIT_MS + Math.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempts);
    await sql(
      db,
      `update runs set attempts = ?4, error = ?5, due_at = ?6, lease_until = null where ${mine}`,
      run.key,
      run.leaseUntil,
      run.visit,
      attempts,
      why,
      now + Math.floor(wait),
    ).run();
    return;
  }
  const automation = await sql(db, "select id from automations where key = ?", run.automation).first<{ id: string }>();
  await db.batch([
    sql(
      db,
      `update runs set state = 'failed', attempts = ?4, error = ?5, due_at = null, lease_until = null where ${mine}`,
      run.key,
      run.leaseUntil,
      run.visit,
      attempts,
      why,
    ),
    ...openAlert(
      db,
      {
        shop,
        kind: "automation_failing",
        subject: `${automation?.id ?? ""}:${run.step}`,
        data: { step: run.step, runId: run.id },
      },
      now,
    ),
  ]);
}
