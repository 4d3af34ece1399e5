import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { closeAlert } from "../health";
import { armClock } from "../jobs";
import { newId } from "../lib/ids";
import type { SubjectKind } from "../segments";
import { admit } from "./admit";
import type { Automation } from "./definition";
import { type Entry, enterStatements } from "./enter";
import { before } from "./length";
import { loadVersions, versionName } from "./load";
import type { AutomationRow } from "./read";
import type { Enrolment } from "./schemas";

/** The definition by which people enter; throws 422 for one that no longer fits the shop. */
export async function entranceOf(ctx: Ctx, row: AutomationRow): Promise<Automation> {
  const versions = await loadVersions(ctx.db, ctx.shop, [{ automation: row.key, version: row.version }]);
  const loaded = versions.get(versionName(row.key, row.version));
  if (!loaded || "problem" in loaded) throw new AppError("unprocessable", loaded?.problem ?? "The version is gone");
  return loaded.automation;
}

/**
 * Lets named people in by hand, under the filter and the re-entry rule. Throws 409 unless it is active with a manual
 * trigger.
 */
export async function enrol(ctx: Ctx, row: AutomationRow, { contactIds, visitorIds, key }: Enrolment) {
  const { db, shop, now } = ctx;
  const automation = await entranceOf(ctx, row);
  if (row.state !== "active" || !automation.triggers.some(({ type }) => type === "manual")) {
    throw new AppError("conflict", "Only an active automation with a manual trigger takes people in");
  }
  const people = await findPeople(ctx, contactIds, visitorIds);
  const name = `manual:${key ?? newId("key", now)}`;
  const open = { key: row.key, version: row.version, automation };
  const candidates = people.map(({ kind, key: subject }) => ({
    open,
    entry: { kind, subject, entryKey: name, at: now, data: { event: "manual", eventKey: name } } satisfies Entry,
  }));
  const admitted = await admit(db, shop, candidates, now);
  const { reentry } = automation;
  const since = typeof reentry === "string" ? now : before(now, reentry.after, shop.timezone);
  await armClock(ctx.env, shop.key, now);
  const results = await db.batch<{ key: number }>([
    ...enterStatements(
      db,
      shop.key,
      open,
      admitted.map(({ entry }) => entry),
      since,
      now,
    ),
    audit(ctx, "automation.enrolled", row.id),
  ]);
  const keys = results.flatMap((result) => result.results.map((made) => made.key));
  if (keys.length > 0) ctx.later(ctx.env.RUNS.send({ shop: shop.key, runs: keys }).catch(() => undefined));
  const known = new Set(people.map(({ id }) => id));
  return {
    entered: keys.length,
    keptOut: people.length - keys.length,
    unknown: [...contactIds, ...visitorIds].filter((id) => !known.has(id)),
  };
}

/** Contacts by their ids, visitors by their trackers' (of several people at one browser the one who is there now). */
export async function findPeople(ctx: Ctx, contactIds: string[], visitorIds: string[]) {
  const { db, shop } = ctx;
  const { results } = await sql(
    db,
    `select 'contact' as kind, c.key, c.id from json_each(?2) j cross join contacts c on c.id = j.value
       where c.shop = ?1 and c.deleted_at is null
     union all select iif(v.contact is null, 'visitor', 'contact'), coalesce(v.contact, v.key), v.tracker
       from json_each(?3) j cross join visitors v on v.shop = ?1 and v.tracker = j.value
       where v.person = (select max(person) from visitors where shop = ?1 and tracker = j.value)`,
    shop.key,
    JSON.stringify(contactIds),
    JSON.stringify(visitorIds),
  ).all<{ kind: SubjectKind; key: number; id: string }>();
  return results;
}

/** Tries the step of a failed run again. Throws 404 and, for a run that has not failed, 409. */
export async function retryRun(ctx: Ctx, row: AutomationRow, id: string): Promise<void> {
  const { db, shop, now } = ctx;
  const run = await sql(db, "select key, state, step from runs where automation = ? and id = ?", row.key, id).first<{
    key: number;
    state: string;
    step: string | null;
  }>();
  if (!run) throw new AppError("not_found");
  if (run.state !== "failed") throw new AppError("conflict", `It is ${run.state}`);
  await armClock(ctx.env, shop.key, now);
  await db.batch([
    sql(
      db,
      "update runs set state = 'active', attempts = 0, due_at = ?2 where key = ?1 and state = 'failed'",
      run.key,
      now,
    ),
    ...closeAlert(db, { shop: shop.key, kind: "automation_failing", subject: `${row.id}:${run.step ?? ""}` }, now),
    audit(ctx, "automation.run_retried", id),
  ]);
  ctx.later(ctx.env.RUNS.send({ shop: shop.key, runs: [run.key] }).catch(() => undefined));
}
