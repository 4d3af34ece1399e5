import { z } from "zod";

import { config } from "../../config";
import { ErasureSubject } from "../../contacts/rest";
import { sql } from "../../db/client";
import { open, seal } from "../../lib/crypto";
import { INBOX, searchWindow } from "./search";

/** Windows of the inbox per step. */
const WINDOWS_A_STEP = 4;

/** Deliveries that a request lists at most. */
const MOST_WEBHOOKS = 10_000;

const Progress = z.object({ after: z.int(), webhooks: z.array(z.int()), subject: ErasureSubject });
const Input = z.object({ sealed: z.string() });

/** What was found, by ids alone: the data itself stays where it is until somebody asks for it. */
export const FoundData = z.object({
  contacts: z.array(z.string()),
  orders: z.array(z.string()),
  carts: z.array(z.string()),
  webhooks: z.array(z.int()),
  complete: z.boolean(),
});

export type FoundData = z.infer<typeof FoundData>;

interface Job {
  id: string;
  shop: number;
}

/** How the search for a person's data begins: what its job's `input` holds. */
export async function dataRequestInput(env: Env, subject: ErasureSubject): Promise<string> {
  return sealed(env, { after: 0, webhooks: [], subject });
}

async function sealed(env: Env, progress: z.infer<typeof Progress>): Promise<string> {
  return JSON.stringify({ sealed: await seal(config(env).sealingKeys, JSON.stringify(progress)) });
}

/** A run of the search; true when everything about the person is found. Repeatable at any point. */
export async function continueDataRequest(env: Env, job: Job, now: number, steps: number): Promise<boolean> {
  for (let step = 0; step < steps; step++) if (await searchOn(env, job, now)) return true;
  return false;
}

async function searchOn(env: Env, job: Job, now: number): Promise<boolean> {
  const row = await sql(env.DB, "select input from jobs where id = ? and state = 'running'", job.id).first<{
    input: string;
  }>();
  if (!row) return true;
  const { sealed: text } = Input.parse(JSON.parse(row.input));
  const progress = Progress.parse(JSON.parse(await open(config(env).sealingKeys, text)));
  let after: number | null = progress.after;
  for (let window = 0; window < WINDOWS_A_STEP && after !== null; window++) {
    const found = await searchWindow(env.DB, INBOX, job.shop, progress.subject.names, { after });
    progress.webhooks.push(...found.keys);
    after = found.next;
  }
  if (after !== null) {
    const input = await sealed(env, { ...progress, after });
    await sql(
      env.DB,
      "update jobs set input = ?, progress = progress + 1, updated_at = ? where id = ? and state = 'running'",
      input,
      now,
      job.id,
    ).run();
    return false;
  }
  await finish(env.DB, job, progress, now);
  return true;
}

async function finish(db: D1Database, job: Job, progress: z.infer<typeof Progress>, now: number): Promise<void> {
  const { subject } = progress;
  const ids = (text: string, list: (string | number)[]) => sql(db, text, job.shop, JSON.stringify(list));
  const each = "(select value from json_each(?2))";
  const [contacts, orders, carts] = await db.batch<{ id: string }>([
    ids(`select id from contacts where shop = ?1 and key in ${each}`, subject.contacts),
    ids(`select id from orders where shop = ?1 and key in ${each}`, subject.orders),
    ids(`select id from carts where shop = ?1 and contact is null and token in ${each}`, subject.tokens),
  ]);
  const found: FoundData = {
    contacts: (contacts?.results ?? []).map(({ id }) => id),
    orders: (orders?.results ?? []).map(({ id }) => id),
    carts: (carts?.results ?? []).map(({ id }) => id),
    webhooks: progress.webhooks.slice(0, MOST_WEBHOOKS),
    complete: progress.webhooks.length <= MOST_WEBHOOKS,
  };
  const counts = {
    contacts: found.contacts.length,
    orders: found.orders.length,
    carts: found.carts.length,
    webhook_inbox: progress.webhooks.length,
  };
  await db.batch([
    sql(
      db,
      `update privacy_requests set state = 'done', done_at = ?3, receipt = json_patch(receipt, ?4)
       where shop = ?2 and id = 'prv_' || substr(?1, 5) and state = 'running'`,
      job.id,
      job.shop,
      now,
      JSON.stringify(counts),
    ),
    sql(
      db,
      "update jobs set state = 'done', input = '{}', result = ?, updated_at = ? where id = ? and state = 'running'",
      JSON.stringify(found),
      now,
      job.id,
    ),
  ]);
}
