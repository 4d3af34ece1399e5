import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { isConflict, sql } from "../db/client";
import { mustHold } from "../db/guard";
import { AppError } from "../errors";
import { armClock } from "../jobs";
import { readDefinition } from "./names";
import { endStatements, pinsOf, readAutomation, watchStatements } from "./publish";
import type { AutomationRow } from "./read";
import type { AutomationShown } from "./schemas";
import { timerStatements } from "./timers";

/** Which state each action leads to, and from which it may be taken. */
const ACTIONS = {
  activate: { from: ["draft", "draining"], to: "active" },
  pause: { from: ["active", "draining"], to: "paused" },
  resume: { from: ["paused"], to: "active" },
  drain: { from: ["active", "paused"], to: "draining" },
  stop: { from: ["active", "paused", "draining"], to: "draft" },
} as const satisfies Record<string, { from: AutomationRow["state"][]; to: AutomationRow["state"] }>;

/** Activates, pauses, resumes, drains or stops. Throws 409 where its state does not allow that. */
export async function changeActivation(
  ctx: Ctx,
  row: AutomationRow,
  action: keyof typeof ACTIONS,
): Promise<AutomationShown> {
  const { db, shop, now } = ctx;
  const { from, to } = ACTIONS[action];
  if (!from.some((state) => state === row.state)) {
    throw new AppError("conflict", `It is ${row.state}: that allows no ${action}`);
  }
  const opens = to === "active";
  const automation = opens ? await readDefinition(ctx, JSON.parse(row.definition)) : null;
  await armClock(ctx.env, shop.key, now);
  try {
    await db.batch([
      mustHold(
        db,
        "exists (select 1 from automations where key = ?1 and version = ?2 and state = ?3 and deleted_at is null)",
        row.key,
        row.version,
        row.state,
      ),
      sql(
        db,
        "update automations set state = ?2, activated_at = iif(?3, ?4, activated_at), updated_at = ?4 where key = ?1",
        row.key,
        to,
        opens,
        now,
      ),
      ...(automation
        ? [
            sql(
              db,
              "update automation_versions set pins = ?3 where automation = ?1 and version = ?2",
              row.key,
              row.version,
              JSON.stringify(await pinsOf(ctx, automation)),
            ),
            ...watchStatements(ctx, row.key, automation),
            ...timerStatements(db, shop, row.key, automation.triggers, now),
          ]
        : []),
      ...(to === "active" || to === "draining"
        ? [
            sql(
              db,
              "update runs set due_at = max(held_at, ?2), held_at = null where automation = ?1 and held_at is not null",
              row.key,
              now,
            ),
          ]
        : []),
      ...(to === "draft" ? endStatements(db, row.key, "the automation was stopped", now) : []),
      audit(ctx, `automation.${action}`, row.id),
    ]);
  } catch (error) {
    if (isConflict(error)) throw new AppError("conflict", "It was changed meanwhile");
    throw error;
  }
  return readAutomation(ctx, row.id);
}
