import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import type { Automation } from "./definition";
import { findAutomation, showAutomation } from "./read";
import type { AutomationShown } from "./schemas";
import { automationWatches } from "./watches";

/** Added to what older versions watch for, on which people may still be. */
export function watchStatements(ctx: Ctx, key: number, automation: Automation): D1PreparedStatement[] {
  return [
    // Nobody is on an older version: what it watched for is of no interest any more.
    sql(
      ctx.db,
      "delete from automation_watches where automation = ?1 and not exists (select 1 from runs where automation = ?1 and ended_at is null)",
      key,
    ),
    sql(
      ctx.db,
      `insert into automation_watches (shop, what, automation, needle)
       select ?1, value ->> 'what', ?2, value ->> 'needle' from json_each(?3) where true on conflict do nothing`,
      ctx.shop.key,
      key,
      JSON.stringify(automationWatches(automation)),
    ),
  ];
}

/** Key and version of each template of the definition, as they are now. */
export async function pinsOf(ctx: Ctx, automation: Automation): Promise<Record<string, [number, number]>> {
  const ids = [...automation.steps.values()].flatMap(({ step }) => (step.type === "message" ? [step.template] : []));
  if (ids.length === 0) return {};
  const { results } = await sql(
    ctx.db,
    "select id, key, version from templates where shop = ? and id in (select value from json_each(?))",
    ctx.shop.key,
    JSON.stringify(ids),
  ).all<{ id: string; key: number; version: number }>();
  return Object.fromEntries(results.map(({ id, key, version }) => [id, [key, version]]));
}

/** Everybody leaves, and nobody is watched for any more. */
export function endStatements(db: D1Database, key: number, why: string, now: number): D1PreparedStatement[] {
  return [
    sql(db, "delete from automation_watches where automation = ?", key),
    sql(db, "delete from automation_timers where automation = ?", key),
    sql(db, "delete from runs where automation = ? and state = 'pending'", key),
    sql(
      db,
      `insert into run_steps (run, visit, step, outcome, detail, scheduled_at, at)
       select key, visit, coalesce(step, ''), 'exited', json_object('why', ?2), ?3, ?3 from runs
       where automation = ?1 and ended_at is null on conflict do nothing`,
      key,
      why,
      now,
    ),
    sql(
      db,
      `update runs set state = 'exited', reason = ?2, step = null, due_at = null, held_at = null, lease_until = null,
         ended_at = ?3 where automation = ?1 and ended_at is null`,
      key,
      why,
      now,
    ),
  ];
}

/** The automation as it is now; throws 404 when it went in the meantime. */
export async function readAutomation(ctx: Ctx, id: string): Promise<AutomationShown> {
  const row = await findAutomation(ctx.db, id);
  if (!row) throw new AppError("not_found");
  return showAutomation(row);
}
