import { z } from "zod";

import { config } from "../../config";
import { continueErasure, erasureInput } from "../../contacts/rest";
import { sql } from "../../db/client";
import { logFailure } from "../../lib/log";
import { open } from "../../lib/crypto";
import type { PrivacyRequest } from "../map/privacy";
import { JOB_KINDS, jobOf } from "./accept";
import { continueDataRequest, dataRequestInput } from "./data-request";
import { findPeople } from "./people";
import { continueShopRedact } from "./shop-redact";

/** Steps of a job that one run does, within what one invocation may ask of others; the clock goes on with the rest. */
const STEPS_A_RUN = 40;
/** Steps of a shop's removal are many and small. */
const SHOP_STEPS_A_RUN = 200;

const Asked = z.object({ asked: z.string() });

interface Job {
  id: string;
  shop: number;
  kind: string;
  input: string;
}

/** Begins with the request of a delivery that was just taken on. Never throws: the clock repeats what failed. */
export async function beginRequest(env: Env, shop: number, webhookId: string, now: number): Promise<void> {
  const row = await sql(
    env.DB,
    "select id from privacy_requests where shop = ? and webhook_id = ?",
    shop,
    webhookId,
  ).first<{ id: string }>();
  if (!row) return;
  try {
    await continueJob(env, jobOf(row.id), now);
  } catch (error) {
    logFailure("privacy", error);
  }
}

/**
 * A run of one job, which may be cut off and repeated at any point: `done`, `more` when the next run need not wait, or
 * `waiting`.
 *
 * @param most how many steps at most
 */
export async function continueJob(
  env: Env,
  id: string,
  now: number,
  most?: number,
): Promise<"done" | "more" | "waiting"> {
  const job = await sql(
    env.DB,
    "select id, shop, kind, input from jobs where id = ? and state = 'running'",
    id,
  ).first<Job>();
  if (!job) return "done";
  if (job.kind === JOB_KINDS.shop_redact) return continueShopRedact(env, job, now, most ?? SHOP_STEPS_A_RUN);
  const steps = most ?? STEPS_A_RUN;
  const asked = Asked.safeParse(JSON.parse(job.input));
  if (asked.success) {
    await begin(env, job, asked.data.asked, now);
    if (steps === 1) return "more";
  }
  const run = job.kind === JOB_KINDS.data_request ? continueDataRequest : continueErasure;
  return (await run(env, job, now, steps)) ? "done" : "more";
}

/** Finds out whom the request is about, and hides contacts that are to go. */
async function begin(env: Env, job: Job, asked: string, now: number): Promise<void> {
  const request: PrivacyRequest = JSON.parse(await open(config(env).sealingKeys, asked));
  if (request.kind === "shop_redact") return;
  const subject = await findPeople(env.DB, job.shop, request);
  const redacts = request.kind === "customer_redact";
  const input = redacts ? await erasureInput(env, subject) : await dataRequestInput(env, subject);
  await env.DB.batch([
    sql(
      env.DB,
      `update contacts set deleted_at = coalesce(deleted_at, ?3)
       where shop = ?1 and ?4 and key in (select value from json_each(?2))`,
      job.shop,
      JSON.stringify(subject.contacts),
      now,
      redacts,
    ),
    sql(
      env.DB,
      "update jobs set input = ?, updated_at = ? where id = ? and state = 'running' and input = ?",
      input,
      now,
      job.id,
      job.input,
    ),
  ]);
}
