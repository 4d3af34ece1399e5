import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { onConflictRetry, sql } from "../db/client";
import { mustHold } from "../db/guard";
import { AppError } from "../errors";
import { armClock } from "../jobs";
import { newId } from "../lib/ids";
import { readDefinition } from "./names";
import { endStatements, pinsOf, readAutomation, watchStatements } from "./publish";
import { type AutomationRow, findAutomation } from "./read";
import { removedSteps } from "./removed-steps";
import type { AutomationPatch, AutomationShown } from "./schemas";
import { timerStatements } from "./timers";

const MOST_AUTOMATIONS = 500;

/** Adds an automation as a draft. */
export async function createAutomation(
  ctx: Ctx,
  input: { name: string; definition: Record<string, unknown> },
): Promise<AutomationShown> {
  const { db, shop, now } = ctx;
  await readDefinition(ctx, input.definition);
  const id = newId("aut", now);
  const [made] = await db.batch([
    sql(
      db,
      `insert into automations (shop, id, name, state, created_at, updated_at) select ?1, ?2, ?3, 'draft', ?4, ?4
       where (select count(*) from automations where shop = ?1 and deleted_at is null) < ?5 returning key`,
      shop.key,
      id,
      input.name,
      now,
      MOST_AUTOMATIONS,
    ),
    sql(
      db,
      `insert into automation_versions (automation, version, definition, created_at)
       select key, 1, ?2, ?3 from automations where id = ?1`,
      id,
      JSON.stringify(input.definition),
      now,
    ),
    audit(ctx, "automation.created", id),
  ]);
  if (made?.results.length === 0) {
    throw new AppError("unprocessable", `A shop has at most ${MOST_AUTOMATIONS} automations`);
  }
  return readAutomation(ctx, id);
}

/**
 * Changes an automation. Another definition is a new version: people enter by it from now on, and those inside stay on
 * theirs. Throws 409 where somebody stands at a step that is no more, unless the caller says what becomes of them.
 */
export async function updateAutomation(ctx: Ctx, row: AutomationRow, patch: AutomationPatch): Promise<AutomationShown> {
  const { db, now } = ctx;
  await armClock(ctx.env, ctx.shop.key, now);
  await onConflictRetry(async () => {
    const before = (await findAutomation(db, row.id)) ?? row;
    const text = patch.definition === undefined ? before.definition : JSON.stringify(patch.definition);
    const isNew = text !== before.definition;
    const statements = [
      mustHold(
        db,
        "exists (select 1 from automations where key = ?1 and version = ?2 and state = ?3 and deleted_at is null)",
        before.key,
        before.version,
        before.state,
      ),
      sql(
        db,
        "update automations set name = ?2, version = version + ?3, updated_at = ?4 where key = ?1",
        before.key,
        patch.name ?? before.name,
        isNew,
        now,
      ),
      audit(ctx, "automation.updated", row.id, Object.keys(patch)),
    ];
    if (isNew) {
      const automation = await readDefinition(ctx, patch.definition);
      const version = before.version + 1;
      const pins = before.state === "draft" ? {} : await pinsOf(ctx, automation);
      statements.push(
        sql(
          db,
          "insert into automation_versions (automation, version, definition, pins, created_at) values (?, ?, ?, ?, ?)",
          before.key,
          version,
          text,
          JSON.stringify(pins),
          now,
        ),
        ...(await removedSteps(ctx, before.key, version, automation, patch.onRemovedSteps)),
      );
      if (before.state !== "draft") {
        statements.push(
          ...watchStatements(ctx, before.key, automation),
          ...timerStatements(db, ctx.shop, before.key, automation.triggers, now),
        );
      }
    }
    await db.batch(statements);
  });
  return readAutomation(ctx, row.id);
}

/** Deletes an automation: whoever is in it leaves. Throws 409 while another one starts or stops it. */
export async function deleteAutomation(ctx: Ctx, row: AutomationRow): Promise<void> {
  const { db, shop, now } = ctx;
  const { results } = await sql(
    db,
    `select a.id from automations a join automation_versions v on v.automation = a.key and v.version = a.version
     where a.shop = ? and a.deleted_at is null and a.id <> ? and instr(v.definition, ?) > 0 limit 5`,
    shop.key,
    row.id,
    JSON.stringify(row.id),
  ).all<{ id: string }>();
  if (results.length > 0) {
    throw new AppError("conflict", `Other automations refer to it: ${results.map(({ id }) => id).join(", ")}`);
  }
  await db.batch([
    sql(
      db,
      "update automations set deleted_at = ?2, state = 'draft' where key = ?1 and deleted_at is null",
      row.key,
      now,
    ),
    ...endStatements(db, row.key, "the automation was deleted", now),
    audit(ctx, "automation.deleted", row.id),
  ]);
}
