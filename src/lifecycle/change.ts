import { audit } from "../api/audit";
import { moveStageJob, continueContactJob } from "../contacts/rest";
import type { Ctx } from "../context";
import { isConflict, sql } from "../db/client";
import { AppError } from "../errors";
import { snakeCase } from "../lib/snake-case";
import { checkStage, CUSTOMER, LEAD } from "./ladder";
import { ladderRows, readLadder, type StageRow } from "./read";
import type { NewStage, Stage, StagePatch } from "./schemas";

const MOST_STAGES = 50;

/** What routes below `/v1/lifecycle-stages/` are called cannot be a stage's name. */
const RESERVED = ["report"];

/** The ladder with a stage at a position, counted from 1; one beyond the end is the end. */
export function placed(ladder: string[], stage: string, position: number): string[] {
  const others = ladder.filter((name) => name !== stage);
  return [...others.slice(0, position - 1), stage, ...others.slice(position - 1)];
}

/** Adds a stage, before the customers when no position is named. Throws 409 when the name is taken, 422 at the limit. */
export async function createStage(ctx: Ctx, input: NewStage): Promise<Stage> {
  const { db, shop, now } = ctx;
  const name = input.name ?? snakeCase(input.label, 50, "stage");
  if (RESERVED.includes(name)) throw new AppError("conflict", `${name} cannot be the name of a stage`);
  const ladder = (await ladderRows(db, shop.key)).map((row) => row.name);
  if (ladder.length >= MOST_STAGES) throw new AppError("unprocessable", `A shop has at most ${MOST_STAGES} stages`);
  const end = ladder.at(-1) === CUSTOMER ? ladder.length : ladder.length + 1;
  try {
    await db.batch([
      sql(
        db,
        `insert into lifecycle_stages (shop, name, label, position, system, created_at, updated_at)
         values (?1, ?2, ?3, 0, 0, ?4, ?4)`,
        shop.key,
        name,
        input.label,
        now,
      ),
      arrange(ctx, placed(ladder, name, input.position ?? end)),
      audit(ctx, "lifecycle_stage.created", name, ["label", "position"]),
    ]);
  } catch (error) {
    if (isConflict(error)) throw new AppError("conflict", `There is a stage ${name} already`);
    throw error;
  }
  return readStage(ctx, name);
}

/** Changes a stage's label or place. Throws 404 for one that the ladder does not have. */
export async function updateStage(ctx: Ctx, name: string, patch: StagePatch): Promise<Stage> {
  const rows = await ladderRows(ctx.db, ctx.shop.key);
  const stage = stageOf(rows, name);
  const ladder = rows.map((row) => row.name);
  const changed = Object.keys(patch);
  if (changed.length > 0) {
    await ctx.db.batch([
      sql(
        ctx.db,
        `update lifecycle_stages set label = ?3, updated_at = ?4 where shop = ?1 and name = ?2`,
        ctx.shop.key,
        name,
        patch.label ?? stage.label,
        ctx.now,
      ),
      ...(patch.position === undefined ? [] : [arrange(ctx, placed(ladder, name, patch.position))]),
      audit(ctx, "lifecycle_stage.updated", name, changed),
    ]);
  }
  return readStage(ctx, name);
}

/**
 * Deletes a stage; contacts that stand at it, also those in the trash, move to another one. Returns the job that moves
 * them, null where nobody stood there. Throws 409 for `lead`, for `customer` while a store is connected, and where
 * contacts stand at it and no other stage is named.
 */
export async function deleteStage(
  ctx: Ctx,
  name: string,
  moveTo: string | undefined,
): Promise<{ jobId: string; state: "running" | "done" } | null> {
  const { db, shop, now } = ctx;
  stageOf(await ladderRows(db, shop.key), name);
  if (name === LEAD) throw new AppError("conflict", "Every new contact begins as a lead");
  if (name === CUSTOMER && shop.connected) {
    throw new AppError("conflict", "The stage belongs to the connected store");
  }
  if (moveTo === name) throw wrongTarget("is the stage that goes");
  if (moveTo !== undefined) await checkStage(db, shop.key, moveTo, "moveTo");
  const remove = sql(db, `delete from lifecycle_stages where shop = ? and name = ?`, shop.key, name);
  const log = audit(ctx, "lifecycle_stage.deleted", name);
  const anybody = await sql(
    db,
    `select 1 from contacts where shop = ?1 and stage = ?2 limit 1`,
    shop.key,
    name,
  ).first();
  if (!anybody) {
    await db.batch([remove, log]);
    return null;
  }
  if (moveTo === undefined) {
    throw new AppError("conflict", "Contacts stand at this stage; name in `moveTo` where they go");
  }
  const job = await moveStageJob(ctx, name, moveTo);
  await db.batch([remove, ...job.statements, log]);
  return { jobId: job.id, state: await continueContactJob(ctx.env, { ...job, shop: shop.key }, now) };
}

function wrongTarget(detail: string): AppError {
  return new AppError("validation_failed", undefined, { errors: [{ pointer: "moveTo", detail }] });
}

function stageOf(rows: StageRow[], name: string): StageRow {
  const stage = rows.find((row) => row.name === name);
  if (!stage) throw new AppError("not_found");
  return stage;
}

function arrange(ctx: Ctx, ladder: string[]): D1PreparedStatement {
  return sql(
    ctx.db,
    `update lifecycle_stages set position = j.key + 1 from json_each(?2) j
     where lifecycle_stages.shop = ?1 and lifecycle_stages.name = j.value`,
    ctx.shop.key,
    JSON.stringify(ladder),
  );
}

async function readStage(ctx: Ctx, name: string): Promise<Stage> {
  const stage = (await readLadder(ctx)).find((stage) => stage.name === name);
  if (!stage) throw new AppError("not_found");
  return stage;
}
