import type { Ctx } from "../context";
import { sql } from "../db/client";
import { mustHold } from "../db/guard";
import { AppError } from "../errors";
import type { Automation } from "./definition";
import type { AutomationPatch } from "./schemas";

/** What becomes of people at steps that the new version does not have. */
export async function removedSteps(
  ctx: Ctx,
  key: number,
  version: number,
  automation: Automation,
  choice: AutomationPatch["onRemovedSteps"],
): Promise<D1PreparedStatement[]> {
  const { db, now } = ctx;
  const kept = JSON.stringify([...automation.steps.keys()]);
  const there =
    "automation = ?1 and ended_at is null and state <> 'pending' and step not in (select value from json_each(?2))";
  if (choice === "stay") return [];
  if (choice === undefined) {
    const { results } = await sql(
      db,
      `select step, count(*) as people from runs where ${there} group by step order by step limit 50`,
      key,
      kept,
    ).all<{ step: string; people: number }>();
    if (results.length === 0) return [mustHold(db, `not exists (select 1 from runs where ${there})`, key, kept)];
    throw new AppError(
      "conflict",
      "People stand at steps that would be no more; say in `onRemovedSteps` what becomes of them",
      {
        errors: results.map(({ step, people }) => ({
          pointer: "/definition/steps",
          detail: `${people} at ${step}`,
        })),
      },
    );
  }
  const log = (outcome: string) =>
    sql(
      db,
      `insert into run_steps (run, visit, step, outcome, detail, scheduled_at, at)
       select key, visit, step, ?3, '{"why":"the step was removed"}', ?4, ?4 from runs where ${there} on conflict do nothing`,
      key,
      kept,
      outcome,
      now,
    );
  if (choice === "exit") {
    return [
      log("exited"),
      sql(
        db,
        `update runs set state = 'exited', reason = 'the step was removed', step = null, visit = visit + 1, due_at = null,
           held_at = null, lease_until = null, ended_at = ?3 where ${there}`,
        key,
        kept,
        now,
      ),
    ];
  }
  if (!automation.steps.has(choice.moveTo)) {
    throw new AppError("validation_failed", undefined, {
      errors: [{ pointer: "/onRemovedSteps/moveTo", detail: "is no step" }],
    });
  }
  return [
    log("moved"),
    sql(
      db,
      `update runs set state = 'active', version = ?3, step = ?4, visit = visit + 1, arrived_at = null, due_at = ?5, held_at = null,
         lease_until = null, attempts = 0, error = null where ${there}`,
      key,
      kept,
      version,
      choice.moveTo,
      now,
    ),
  ];
}
