import { sql } from "../db/client";
import { mustHold } from "../db/guard";
import { armClock } from "../jobs";
import type { Shop } from "../shops";
import type { Automation } from "./definition";
import { before } from "./length";
import { type Asked, effectStatements, messageStatements } from "./effects";
import { type Entrance, enterStatements } from "./enter";
import { loadVersions, versionName } from "./load";
import type { Effect, Run, Standing, Taken } from "./run";
import { needs } from "./plan";

/** What is to become of a run. */
export interface Decided {
  run: Run;
  automation: Automation;
  taken: Taken[];
  standing: Standing;
  /** Where it can go on at once it stays in the caller's hands. */
  keeps: boolean;
}

interface Names {
  /** Public id and pinned templates by automation and version. */
  versions: Map<string, { id: string; pins: Record<string, [number, number]> }>;
  /** Automations to start, by public id. */
  starts: Map<string, Entrance>;
}

/**
 * Commits steps of many runs in one batch: their effects, their logs, and where each run then stands. Fails as a whole,
 * with a conflict, when one of them is not as it was leased.
 *
 * @returns the runs that can go on at once, as they stand now; the deliveries that were made, and the runs that were started
 */
export async function commitSteps(
  env: Env,
  shop: Shop,
  decided: Decided[],
  now: number,
): Promise<{ steps: number; left: Run[]; messages: number[]; started: number[] }> {
  const { DB } = env;
  const names = await readNames(DB, shop, decided);
  const asked = decided.flatMap(({ run, taken }): Asked[] => {
    const version = names.versions.get(versionName(run.automation, run.version));
    return taken.flatMap(({ step, visit, effects }) =>
      effects.map((effect) => ({
        run,
        automationId: version?.id ?? "",
        step,
        visit,
        effect,
        template: effect.kind === "message" ? (version?.pins[effect.template] ?? null) : null,
      })),
    );
  });
  const left = decided.flatMap((one) => goesOn(one, now) ?? []);
  const kept = new Set(decided.filter(({ keeps }) => keeps).map(({ run }) => run.key));
  await armFor(env, shop.key, decided, now);
  const messages = messageStatements(DB, shop, asked, now);
  const starts = startStatements(DB, shop, asked, names, now);
  const results = await DB.batch<{ key: number }>([
    ...messages,
    ...starts,
    guard(DB, decided),
    ...effectStatements(DB, shop, asked, now),
    logStatement(DB, decided, now),
    standingStatement(DB, decided, new Set(left.filter(({ key }) => kept.has(key)).map(({ key }) => key)), now),
  ]);
  const keys = (from: number, to: number) =>
    results.slice(from, to).flatMap((one) => one.results.map(({ key }) => key));
  return {
    steps: decided.reduce((sum, { taken }) => sum + taken.length, 0),
    left,
    messages: keys(0, messages.length),
    started: keys(messages.length, messages.length + starts.length),
  };
}

/** Holds while each run is still leased to this caller, at the very step that was decided on. */
function guard(db: D1Database, decided: Decided[]): D1PreparedStatement {
  return mustHold(
    db,
    `(select count(*) from json_each(?1) j cross join runs r on r.key = j.value ->> 0
      where r.lease_until = j.value ->> 1 and r.visit = j.value ->> 2 and r.ended_at is null) = ?2`,
    JSON.stringify(decided.map(({ run }) => [run.key, run.leaseUntil, run.visit])),
    decided.length,
  );
}

/** The run as it stands now, if there is something to do for it at once. */
function goesOn({ run, automation, standing }: Decided, now: number): Run | null {
  const { state, step, dueAt } = standing;
  if (state !== "active" || step === null || dueAt === null || dueAt > now) return null;
  const read = automation.steps.get(step);
  const next = { ...run, ...standing, state: "active" as const, step, dueAt, attempts: 0 };
  return read && needs(read, next) !== null ? next : null;
}

function logStatement(db: D1Database, decided: Decided[], now: number): D1PreparedStatement {
  const rows = decided.flatMap(({ run, taken }) =>
    taken.map(({ step, visit, outcome, detail, scheduledAt }) => [
      run.key,
      visit,
      step,
      outcome,
      detail === null ? null : JSON.stringify(detail),
      scheduledAt,
    ]),
  );
  return sql(
    db,
    `insert into run_steps (run, visit, step, outcome, detail, scheduled_at, at)
     select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, ?2 from json_each(?1)`,
    JSON.stringify(rows),
    now,
  );
}

/** An event that came for the step while the run was on its way to it makes it due at once. */
function standingStatement(db: D1Database, decided: Decided[], kept: Set<number>, now: number): D1PreparedStatement {
  const rows = decided.map(({ run, standing }) => {
    const { state, step, visit, dueAt, arrivedAt, reason, data } = standing;
    const ended = state === "done" || state === "exited" ? now : null;
    const leaseUntil = kept.has(run.key) ? run.leaseUntil : null;
    return [run.key, state, step, visit, dueAt, arrivedAt, reason, JSON.stringify(data), ended, leaseUntil];
  });
  return sql(
    db,
    `update runs set state = j.value ->> 1, step = j.value ->> 2, visit = j.value ->> 3,
       due_at = case when j.value ->> 5 is not null and (signals ->> ('$."' || (j.value ->> 2) || '"')) >= j.value ->> 5
         then min(coalesce(j.value ->> 4, ?2), ?2) else j.value ->> 4 end,
       arrived_at = j.value ->> 5, reason = j.value ->> 6, data = j.value ->> 7, ended_at = j.value ->> 8,
       lease_until = j.value ->> 9, attempts = 0, error = null
     from json_each(?1) j where runs.key = j.value ->> 0`,
    JSON.stringify(rows),
    now,
  );
}

/** Other automations that steps start: with a natural key of the step, so that they are started once. */
function startStatements(
  db: D1Database,
  shop: Shop,
  asked: Asked[],
  { starts }: Names,
  now: number,
): D1PreparedStatement[] {
  const started = asked.filter(
    (one): one is Asked & { effect: Extract<Effect, { kind: "start" }> } => one.effect.kind === "start",
  );
  return [...Map.groupBy(started, ({ effect }) => effect.automation)].flatMap(([id, some]) => {
    const entrance = starts.get(id);
    if (!entrance) return [];
    const { reentry } = entrance.automation;
    const since = typeof reentry === "string" ? now : before(now, reentry.after, shop.timezone);
    const entries = some.map(({ run, visit }) => ({
      kind: run.kind,
      subject: run.subject,
      entryKey: `run:${run.key}:${visit}`,
      at: now,
      data: { ...run.data, taken: {}, codes: {}, depth: (run.data.depth ?? 0) + 1 },
    }));
    return enterStatements(db, shop.key, entrance, entries, since, now);
  });
}

async function readNames(db: D1Database, shop: Shop, decided: Decided[]): Promise<Names> {
  const effects = decided.flatMap(({ taken }) => taken.flatMap((one) => one.effects));
  const names: Names = { versions: new Map(), starts: new Map() };
  if (effects.length === 0) return names;
  const starts = effects.flatMap((effect) => (effect.kind === "start" ? [effect.automation] : []));
  const [versions, automations] = await db.batch<{ key: number; id: string; version: number; pins: string }>([
    sql(
      db,
      `select v.automation as key, a.id, v.version, v.pins from json_each(?1) j
       cross join automation_versions v on v.automation = j.value ->> 0 and v.version = j.value ->> 1
       join automations a on a.key = v.automation`,
      JSON.stringify(
        [...new Set(decided.map(({ run }) => JSON.stringify([run.automation, run.version])))].map((text) =>
          JSON.parse(text),
        ),
      ),
    ),
    sql(
      db,
      "select key, id, version, '' as pins from automations where shop = ? and id in (select value from json_each(?)) and deleted_at is null",
      shop.key,
      JSON.stringify(starts),
    ),
  ]);
  for (const row of versions?.results ?? []) {
    names.versions.set(versionName(row.key, row.version), { id: row.id, pins: JSON.parse(row.pins) });
  }
  const rows = automations?.results ?? [];
  const loaded = await loadVersions(
    db,
    shop,
    rows.map(({ key, version }) => ({ automation: key, version })),
  );
  for (const { key, id, version } of rows) {
    const one = loaded.get(versionName(key, version));
    if (one && "automation" in one) names.starts.set(id, { key, version, automation: one.automation });
  }
  return names;
}

/** The clock is told of the nearest due time before the commit, so that a kill right after it cannot strand anybody. */
async function armFor(env: Env, shop: number, decided: Decided[], now: number): Promise<void> {
  await armClock(env, shop, now);
  const soonest = Math.min(...decided.flatMap(({ standing }) => standing.dueAt ?? []));
  if (soonest > now && soonest < now + SOON_MS) await env.CLOCK.getByName(String(shop)).arm(soonest);
}

/** The clock's own period is no longer than this, ms. */
const SOON_MS = 30_000;
