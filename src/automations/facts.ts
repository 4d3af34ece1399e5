import { sql } from "../db/client";
import { takeCode } from "../discounts/rest";
import type { Shop } from "../shops";
import type { ReadStep } from "./definition";
import { type Facts, needs } from "./plan";
import type { Run } from "./run";

/** What the present step has to know; null where it asks for nothing. */
export async function factsOf(
  env: Env,
  shop: Shop,
  run: Run,
  read: ReadStep,
  answers: boolean[],
  now: number,
): Promise<Facts | null> {
  const facts: Facts = { answers, code: null, day: null };
  const { step } = read;
  switch (needs(read, run)) {
    case null:
      return null;
    case "answers":
      return facts;
    case "code":
      return step.type === "coupon" && run.kind === "contact"
        ? { ...facts, code: await codeFor(env.DB, shop.key, run, step.pool, now) }
        : facts;
    case "day":
      return step.type === "wait" && "untilDay" in step.wait
        ? { ...facts, day: await dayIn(env.DB, run, step.wait.untilDay.field) }
        : facts;
    default:
      return facts;
  }
}

/** The same code however often it is asked for: it belongs to this step of this run. */
async function codeFor(db: D1Database, shop: number, run: Run, pool: string, now: number): Promise<string | null> {
  const row = await sql(
    db,
    "select key, fallback_code as fallback from discount_pools where id = ? and shop = ?",
    pool,
    shop,
  ).first<{ key: number; fallback: string | null }>();
  if (!row) return null;
  const code = await takeCode(db, shop, row.key, `run:${run.key}:${run.step}:${run.visit}`, now, run.subject);
  return code ?? row.fallback;
}

async function dayIn(db: D1Database, run: Run, field: string): Promise<string | null> {
  if (run.kind !== "contact") return null;
  const row = await sql(
    db,
    "select fields ->> ? as day from contacts where key = ?",
    `$."${field.slice("fields.".length)}"`,
    run.subject,
  ).first<{ day: string | null }>();
  return row?.day && /^\d{4}-\d\d-\d\d/.test(row.day) ? row.day.slice(0, 10) : null;
}
