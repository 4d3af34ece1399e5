import { z } from "zod";

import { audit } from "../api/audit";
import { config } from "../config";
import type { Ctx } from "../context";
import { isConflict, sql } from "../db/client";
import { forgetExports } from "../imports";
import { newId } from "../lib/ids";
import { open, seal } from "../lib/crypto";
import { clearInbox, INBOX, searchWindow } from "../shopify";
import { eraseAddresses } from "../suppressions";
import { eraseVisitor } from "../visitor";
import { searchAnswers } from "./erase-answers";
import { scrubPages } from "./erase-pages";
import { erasureStatements, SEARCHES, tally } from "./erase-records";
import { ErasureSubject, readSubject } from "./erase-subject";

/** Personas erased per step; each costs several queries. */
const VISITORS_A_STEP = 20;
/** Windows of a search per step. */
const WINDOWS_A_STEP = 4;
/** Steps that a request does itself; a job with more goes on by the clock. */
const STEPS_AT_ONCE = 40;

export interface ErasureState {
  jobId: string;
  state: "running" | "done";
}

interface Erased {
  key: number;
  id: string;
}

/**
 * Erases a person everywhere in D1 and in the visitors that were theirs. It is hidden at once; what is left after the
 * first run goes on by the shop's clock (`continueErasure`).
 */
export async function eraseContact(ctx: Ctx, contact: Erased): Promise<ErasureState> {
  return beginErasure(ctx, [contact], "contact.erase");
}

/** The same for several people at once. */
export async function beginErasure(ctx: Ctx, contacts: Erased[], kind: string): Promise<ErasureState> {
  const { db, shop, now } = ctx;
  const jobId = newId("job", now);
  const keys = JSON.stringify(contacts.map(({ key }) => key));
  await db.batch([
    sql(
      db,
      `insert into jobs (id, shop, kind, state, input, created_at, updated_at)
       values (?1, ?2, ?3, 'running', json_object('contacts', json(?4)), ?5, ?5)`,
      jobId,
      shop.key,
      kind,
      keys,
      now,
    ),
    sql(
      db,
      `update contacts set deleted_at = coalesce(deleted_at, ?3)
       where +shop = ?1 and key in (select value from json_each(?2))`,
      shop.key,
      keys,
      now,
    ),
    ...contacts.map(({ id }) => audit(ctx, "contact.erased", id)),
  ]);
  const done = await continueErasure(ctx.env, { id: jobId, shop: shop.key }, now);
  return { jobId, state: done ? "done" : "running" };
}

/** Where an erasure stands, as its job keeps it, sealed. */
const Progress = z.object({
  phase: z.enum(["visitors", "search", "answers", "records", "tail"]),
  /** Number of the search in `SEARCHES`, and the last key looked at. */
  search: z.int(),
  after: z.int(),
  /** The last key of the inbox that was looked at, and the last one there when the rows went. */
  inbox: z.int(),
  upTo: z.int(),
  /** The last stored answer that was looked at. */
  answer: z.tuple([z.string(), z.string()]),
  subject: ErasureSubject,
});

type Progress = z.infer<typeof Progress>;

const Input = z.union([
  z.object({ sealed: z.string() }),
  z.object({ contacts: z.array(z.int()) }),
  // As jobs were begun by the version before.
  z.object({ contact: z.int() }).transform(({ contact }) => ({ contacts: [contact] })),
]);

interface Job {
  id: string;
  shop: number;
}

/** How an erasure of this subject begins: what its job's `input` holds. */
export async function erasureInput(env: Env, subject: ErasureSubject): Promise<string> {
  return sealed(env, { phase: "visitors", search: 0, after: 0, inbox: 0, upTo: 0, answer: ["", ""], subject });
}

async function sealed(env: Env, progress: Progress): Promise<string> {
  return JSON.stringify({ sealed: await seal(config(env).sealingKeys, JSON.stringify(progress)) });
}

/**
 * A run of an erasure; true when nothing of the person is left. May be cut off and repeated at any point: what a step
 * does and where the job then stands are committed together, or the step finds nothing left to do.
 */
export async function continueErasure(env: Env, job: Job, now: number, steps = STEPS_AT_ONCE): Promise<boolean> {
  for (let step = 0; step < steps; step++) if (await stepErasure(env, job, now)) return true;
  return false;
}

async function stepErasure(env: Env, job: Job, now: number): Promise<boolean> {
  const row = await sql(
    env.DB,
    `select input from jobs where id = ? and shop = ? and state = 'running'`,
    job.id,
    job.shop,
  ).first<{ input: string }>();
  if (!row) return true;
  const input = Input.parse(JSON.parse(row.input));
  if ("contacts" in input) {
    const subject = await readSubject(env.DB, job.shop, { contacts: input.contacts, orders: [] });
    await keep(env, job, await erasureInput(env, subject), now).run();
    return false;
  }
  const progress = Progress.parse(JSON.parse(await open(config(env).sealingKeys, input.sealed)));
  switch (progress.phase) {
    case "visitors":
      await eraseVisitors(env, job, progress, now);
      return false;
    case "search":
      await searchOn(env, job, progress, now);
      return false;
    case "answers":
      await eraseAnswers(env, job, progress, now);
      return false;
    case "records":
      await eraseRecords(env, job, progress, now);
      return false;
    case "tail":
      return finish(env, job, progress, now);
    default:
      return progress.phase satisfies never;
  }
}

function keep(env: Env, job: Job, input: string, now: number): D1PreparedStatement {
  return sql(
    env.DB,
    `update jobs set input = ?3, progress = progress + 1, updated_at = ?4 where id = ?1 and shop = ?2 and state = 'running'`,
    job.id,
    job.shop,
    input,
    now,
  );
}

async function eraseVisitors(env: Env, job: Job, progress: Progress, now: number): Promise<void> {
  const { subject } = progress;
  const { results } = await sql(
    env.DB,
    `select key, tracker, person from visitors where +shop = ? and contact in (select value from json_each(?)) limit ?`,
    job.shop,
    JSON.stringify(subject.contacts),
    VISITORS_A_STEP,
  ).all<{ key: number; tracker: string; person: number }>();
  if (results.length === 0) {
    await keep(env, job, await sealed(env, { ...progress, phase: "search" }), now).run();
    return;
  }
  let pages = 0;
  for (const { key, tracker, person } of results) {
    pages += await scrubPages(env.DB, job.shop, key, subject);
    await eraseVisitor(env, { key: job.shop }, tracker, person);
  }
  await env.DB.batch([
    add(env.DB, job, "visitors", results.length),
    add(env.DB, job, "pages", pages),
    keep(env, job, await sealed(env, progress), now),
  ]);
}

function add(db: D1Database, job: Job, what: string, count: number): D1PreparedStatement {
  return sql(
    db,
    `update jobs set result = json_set(coalesce(result, '{}'), ?2, coalesce(result ->> ?2, 0) + cast(?3 as integer))
     where id = ?1 and ?3 > 0`,
    job.id,
    `$.${what}`,
    count,
  );
}

async function searchOn(env: Env, job: Job, progress: Progress, now: number): Promise<void> {
  const searching = SEARCHES[progress.search];
  if (!searching) {
    await keep(env, job, await sealed(env, { ...progress, phase: "answers" }), now).run();
    return;
  }
  const { where, remove, namesOf } = searching;
  const names = namesOf(progress.subject);
  const keys: number[] = [];
  let after: number | null = progress.after;
  for (let window = 0; window < WINDOWS_A_STEP && after !== null; window++) {
    const found = await searchWindow(env.DB, where, job.shop, names, { after });
    keys.push(...found.keys);
    if (where.table === "webhook_inbox") progress.inbox = found.next ?? progress.inbox;
    after = found.next;
  }
  const next = after === null ? { search: progress.search + 1, after: 0 } : { after };
  await env.DB.batch([
    remove(env.DB, job.shop, keys, now),
    tally(env.DB, job.id, where.table),
    keep(env, job, await sealed(env, { ...progress, ...next }), now),
  ]);
}

async function eraseAnswers(env: Env, job: Job, progress: Progress, now: number): Promise<void> {
  const { found, next } = await searchAnswers(env, job.shop, progress.subject, progress.answer);
  const after: Progress = next ? { ...progress, answer: next } : { ...progress, phase: "records" };
  await env.DB.batch([
    sql(
      env.DB,
      `delete from idempotency_keys where (actor, key) in (select value ->> 0, value ->> 1 from json_each(?))`,
      JSON.stringify(found),
    ),
    tally(env.DB, job.id, "idempotency_keys"),
    keep(env, job, await sealed(env, after), now),
  ]);
}

async function eraseRecords(env: Env, job: Job, progress: Progress, now: number): Promise<void> {
  const { subject } = progress;
  const { results } = await sql(
    env.DB,
    `select distinct contact from orders where shop = ?1 and key in (select value from json_each(?2))
       and contact is not null and contact not in (select value from json_each(?3))`,
    job.shop,
    JSON.stringify(subject.orders),
    JSON.stringify(subject.contacts),
  ).all<{ contact: number }>();
  // Orders that came while the erasure ran are the contact's as well.
  const { orders } = await readSubject(env.DB, job.shop, subject);
  const last = await sql(env.DB, `select max(key) as last from webhook_inbox where shop = ?`, job.shop).first<{
    last: number | null;
  }>();
  const suppressed = await eraseAddresses(env, job.shop, subject.contacts, now);
  try {
    await env.DB.batch([
      ...suppressed,
      ...forgetExports(env.DB, job.shop, now),
      ...erasureStatements(
        env.DB,
        job,
        { ...subject, orders },
        results.map(({ contact }) => contact),
        now,
      ),
      keep(env, job, await sealed(env, { ...progress, phase: "tail", upTo: last?.last ?? 0 }), now),
    ]);
  } catch (error) {
    if (!isConflict(error)) throw error;
    await keep(env, job, await sealed(env, { ...progress, phase: "visitors" }), now).run();
  }
}

/**
 * Deliveries that came while the erasure ran, then its end: nothing that it knew is kept, only how much went. What came
 * after the rows went is a new statement.
 */
async function finish(env: Env, job: Job, progress: Progress, now: number): Promise<boolean> {
  const { DB } = env;
  const { inbox: after, upTo, subject } = progress;
  const found = await searchWindow(DB, INBOX, job.shop, subject.names, { after, upTo });
  const end =
    found.next === null
      ? [
          sql(
            DB,
            `update privacy_requests set state = 'done', done_at = ?3,
               receipt = json_patch(receipt, coalesce((select result from jobs where id = ?1), '{}'))
             where shop = ?2 and id = 'prv_' || substr(?1, 5) and state = 'running'`,
            job.id,
            job.shop,
            now,
          ),
          sql(
            DB,
            `update jobs set state = 'done', input = '{}', error = null, updated_at = ? where id = ? and shop = ?`,
            now,
            job.id,
            job.shop,
          ),
        ]
      : [keep(env, job, await sealed(env, { ...progress, inbox: found.next }), now)];
  await DB.batch([clearInbox(DB, job.shop, found.keys, now), tally(DB, job.id, "webhook_inbox"), ...end]);
  return found.next === null;
}
