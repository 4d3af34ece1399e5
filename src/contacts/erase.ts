import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { isConflict, sql } from "../db/client";
import { mustHold } from "../db/guard";
import { newId } from "../lib/ids";
import { eraseVisitor } from "../visitor";
import { clearBodies } from "./erase-inbox";

/** Visitor objects erased per run; a job with more goes on in the next. */
const VISITORS_A_RUN = 50;

export interface ErasureState {
  jobId: string;
  state: "running" | "done";
}

/**
 * Erases a person everywhere in D1 and in the visitors that were theirs. It is hidden at once; what is left after the
 * first run goes on from cron (`continueContactJobs`).
 *
 * Orders stay as figures without the person, because the shop's books need them; carts, consents, tags, history,
 * stored webhook bodies and stored answers that name the person go. The audit log holds ids only.
 */
export async function eraseContact(ctx: Ctx, contact: { key: number; id: string }): Promise<ErasureState> {
  const { db, shop, now } = ctx;
  const jobId = newId("job", now);
  await db.batch([
    sql(
      db,
      `insert into jobs (id, shop, kind, state, input, created_at, updated_at) values (?, ?, 'contact.erase', 'running', ?, ?, ?)`,
      jobId,
      shop.key,
      JSON.stringify({ contact: contact.key }),
      now,
      now,
    ),
    sql(
      db,
      `update contacts set deleted_at = coalesce(deleted_at, ?3) where shop = ?1 and key = ?2`,
      shop.key,
      contact.key,
      now,
    ),
    audit(ctx, "contact.erased", contact.id),
  ]);
  const done = await continueErasure(ctx.env, { id: jobId, shop: shop.key, contact: contact.key }, now);
  return { jobId, state: done ? "done" : "running" };
}

/** A run of an erasure; true when nothing of the person is left. May be repeated at any point. */
export async function continueErasure(
  env: Env,
  job: { id: string; shop: number; contact: number },
  now: number,
): Promise<boolean> {
  const { results: visitors } = await sql(
    env.DB,
    `select tracker, person from visitors where contact = ? and shop = ? limit ?`,
    job.contact,
    job.shop,
    VISITORS_A_RUN,
  ).all<{ tracker: string; person: number }>();
  for (const { tracker, person } of visitors) await eraseVisitor(env, { key: job.shop }, tracker, person);
  await clearBodies(env.DB, job.shop, job.contact, now);
  try {
    await env.DB.batch(erasureStatements(env.DB, job, now));
    return true;
  } catch (error) {
    if (!isConflict(error)) throw error;
    await sql(
      env.DB,
      `update jobs set progress = progress + ?, updated_at = ? where id = ?`,
      visitors.length,
      now,
      job.id,
    ).run();
    return false;
  }
}

/** Fails as a whole while a visitor is still linked, so that the contact goes last. */
function erasureStatements(db: D1Database, job: { id: string; shop: number; contact: number }, now: number) {
  const ofContact = (text: string) => sql(db, text, job.shop, job.contact);
  return [
    mustHold(db, "not exists (select 1 from visitors where shop = ? and contact = ?)", job.shop, job.contact),
    ofContact(`delete from idempotency_keys where subject in (select id from contacts where shop = ?1 and key = ?2)`),
    ...["contact_aliases", "orders", "carts"].map((table) =>
      ofContact(
        `delete from idempotency_keys where subject in (select id from ${table} where +shop = ?1 and contact = ?2)`,
      ),
    ),
    ofContact(`update orders set contact = null, visitor = null, cart_token = null, checkout_token = null,
      landing_site = null, referring_site = null, discount_codes = '[]' where +shop = ?1 and contact = ?2`),
    ofContact(`delete from carts where +shop = ?1 and contact = ?2`),
    ...["outbox", "dead_letters"].map((table) =>
      sql(db, `delete from ${table} where +shop = ? and subject = ?`, job.shop, `contact:${job.contact}`),
    ),
    ...["identities", "contact_tags", "consents", "lifecycle_history", "claims", "contact_aliases"].map((table) =>
      ofContact(`delete from ${table} where +shop = ?1 and contact = ?2`),
    ),
    ofContact(`delete from contacts where shop = ?1 and key = ?2`),
    sql(db, `update jobs set state = 'done', updated_at = ? where id = ?`, now, job.id),
  ];
}
