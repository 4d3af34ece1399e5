import { Temporal } from "temporal-polyfill";

import { sql } from "../db/client";
import { armClock } from "../jobs";
import { compile, type SubjectKind } from "../segments";
import { findShop, type Shop } from "../shops";
import { admit } from "./admit";
import type { Automation } from "./definition";
import type { DateTrigger, ScheduleTrigger } from "./elements";
import { type Entrance, type Entry, enterStatements } from "./enter";
import { before, momentOf, nextMonthly, nextTime } from "./length";
import { loadVersions, versionName } from "./load";

/** People looked at by one batch, and batches of one run. */
const PAGE = 500;
const PAGES_A_RUN = 10;

/** Days of dates that an outage fell into are made up for as long, ms. */
const MADE_UP_MS = 7 * 86_400_000;

interface Timer {
  automation: number;
  trigger: number;
  version: number;
  state: string;
  dueAt: number;
  cursor: string | null;
}

/** When a trigger of the clock next lets people in after `at`; null for triggers of events. */
export function nextEntranceOf(trigger: Automation["triggers"][number], at: number, zone: string): number | null {
  if (trigger.type === "date") return nextTime(at, trigger.time, undefined, zone);
  if (trigger.type !== "schedule") return null;
  const { every, time, weekdays, dayOfMonth } = trigger;
  if (every === "month") return nextMonthly(at, time, dayOfMonth ?? 1, zone);
  return nextTime(at, time, every === "week" ? (weekdays ?? [1]) : weekdays, zone);
}

/** The rows of an automation's triggers of the clock, for the batch that activates it. */
export function timerStatements(
  db: D1Database,
  shop: Shop,
  key: number,
  triggers: Automation["triggers"],
  now: number,
): D1PreparedStatement[] {
  const rows = triggers.flatMap((trigger, i) => {
    const at = nextEntranceOf(trigger, now, shop.timezone);
    return at === null ? [] : [[i, at]];
  });
  return [
    sql(db, "delete from automation_timers where automation = ?", key),
    sql(
      db,
      `insert into automation_timers (automation, trigger, shop, due_at)
       select ?1, value ->> 0, ?2, value ->> 1 from json_each(?3)`,
      key,
      shop.key,
      JSON.stringify(rows),
    ),
  ];
}

/**
 * Lets in whoever a date or schedule lets in now, a bounded piece a run; each piece and the new position commit
 * together. Days are the shop's local days; those of the last week that an outage fell into are made up for.
 *
 * @returns when to look again; null where no trigger waits
 */
export async function letPeopleIn(env: Env, shopKey: number, now: number): Promise<number | null> {
  const { DB } = env;
  const shop = await findShop(DB, shopKey);
  if (!shop) return null;
  const { results: timers } = await sql(
    DB,
    `select t.automation, t.trigger, t.due_at as dueAt, t.cursor, a.version, a.state
     from automation_timers t join automations a on a.key = t.automation
     where t.shop = ? and t.due_at <= ? order by t.due_at limit 20`,
    shopKey,
    now,
  ).all<Timer>();
  const versions = await loadVersions(DB, shop, timers);
  for (const timer of timers) {
    const loaded = versions.get(versionName(timer.automation, timer.version));
    const automation = loaded && "automation" in loaded ? loaded.automation : null;
    const trigger = automation?.triggers[timer.trigger];
    if (!automation || !trigger || timer.state !== "active") await skip(DB, shop, timer, trigger, now);
    else if (trigger.type === "date" || trigger.type === "schedule") {
      await carryOut(env, shop, timer, { key: timer.automation, version: timer.version, automation }, trigger, now);
    }
  }
  const next = await sql(DB, "select min(due_at) as due from automation_timers where shop = ?", shopKey).first<{
    due: number | null;
  }>();
  return next?.due ?? null;
}

/** Nobody enters a paused automation; what fell into the pause is over. */
async function skip(
  db: D1Database,
  shop: Shop,
  { automation, trigger }: Timer,
  kind: Automation["triggers"][number] | undefined,
  now: number,
) {
  const next = kind ? nextEntranceOf(kind, now, shop.timezone) : null;
  await (next === null
    ? sql(db, "delete from automation_timers where automation = ? and trigger = ?", automation, trigger).run()
    : sql(
        db,
        "update automation_timers set due_at = ?3, cursor = null where automation = ?1 and trigger = ?2",
        automation,
        trigger,
        next,
      ).run());
}

async function carryOut(
  env: Env,
  shop: Shop,
  timer: Timer,
  open: Entrance & { automation: Automation },
  trigger: DateTrigger | ScheduleTrigger,
  now: number,
): Promise<void> {
  const { DB } = env;
  const { reentry } = open.automation;
  const since = typeof reentry === "string" ? now : before(now, reentry.after, shop.timezone);
  let { cursor } = timer;
  for (let page = 0; page < PAGES_A_RUN; page++) {
    const found = await people(DB, shop, open.automation, trigger, timer.dueAt, cursor, now);
    const candidates = found.map(({ kind, key, name }) => ({
      open,
      entry: {
        kind,
        subject: key,
        entryKey: name,
        at: timer.dueAt,
        data: { event: trigger.type, eventKey: name },
      } satisfies Entry,
    }));
    const admitted = await admit(DB, shop, candidates, now);
    const last = found.length < PAGE ? null : found.at(-1);
    cursor = last ? `${last.kind}:${last.key}` : null;
    // Every day has its own people; a turn of a schedule is the same for all of them, so one makes up for several.
    const passed = trigger.type === "date" ? Math.max(timer.dueAt, now - MADE_UP_MS) : Math.max(timer.dueAt, now);
    const dueAt = last ? timer.dueAt : (nextEntranceOf(trigger, passed, shop.timezone) ?? now);
    await armClock(env, shop.key, now);
    await DB.batch([
      ...enterStatements(
        DB,
        shop.key,
        open,
        admitted.map(({ entry }) => entry),
        since,
        now,
      ),
      sql(
        DB,
        "update automation_timers set due_at = ?4, cursor = ?5 where automation = ?1 and trigger = ?2 and due_at = ?3",
        timer.automation,
        timer.trigger,
        timer.dueAt,
        dueAt,
        cursor,
      ),
    ]);
    if (!last) return;
  }
}

interface Person {
  kind: SubjectKind;
  key: number;
  /** What lets them in: the same for one day or one turn of the schedule. */
  name: string;
}

async function people(
  db: D1Database,
  shop: Shop,
  automation: Automation,
  trigger: DateTrigger | ScheduleTrigger,
  at: number,
  cursor: string | null,
  now: number,
): Promise<Person[]> {
  const [kind, key] = (cursor ?? ":").split(":");
  if (trigger.type === "date") {
    const { days, name } = daysMeant(trigger, at, shop.timezone);
    const field = trigger.field === "created_at" ? null : `$."${trigger.field.slice("fields.".length)}"`;
    const day =
      field === null
        ? "(c.created_at between j.value ->> 1 and j.value ->> 2)"
        : `substr(c.fields ->> ?4, ${trigger.yearly ? "6, 5" : "1, 10"}) = j.value ->> 0`;
    const { results } = await sql(
      db,
      `select c.key from contacts c where c.shop = ?1 and c.deleted_at is null and c.key > ?2
         and exists (select 1 from json_each(?3) j where ${day}) and ?4 is ?4 order by c.key limit ?5`,
      shop.key,
      Number(key) || 0,
      JSON.stringify(days),
      field,
      PAGE,
    ).all<{ key: number }>();
    return results.map((row) => ({ kind: "contact", key: row.key, name }));
  }
  const name = `schedule:${new Date(at).toISOString()}`;
  const condition = automation.filter?.condition ?? {
    audience: "contacts" as const,
    root: { kind: "all" as const, nodes: [] },
  };
  const after: { kind: SubjectKind; key: number } | null =
    (kind === "contact" || kind === "visitor") && key ? { kind, key: Number(key) } : null;
  const compiled = compile({ ...condition, audience: "contacts" }, shop, now, { ask: "page", after, limit: PAGE });
  const { results } = await db
    .prepare(compiled.sql)
    .bind(...compiled.values)
    .all<{ kind: SubjectKind; key: number }>();
  return results.map((row) => ({ ...row, name }));
}

/**
 * The days of whose people it is the turn on the local day of `at`: as written (`MM-DD` for those of every year), and
 * the bounds of the local day. Of a leap day the anniversary is the 28th where there is no 29th.
 */
export function daysMeant({ offset, yearly, field }: DateTrigger, at: number, zone: string) {
  const today = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDate();
  const by = offset ? { [`${offset.unit}s`]: offset.n } : { days: 0 };
  const meant = offset?.direction === "after" ? today.subtract(by) : today.add(by);
  const bounds = (day: Temporal.PlainDate) => {
    const text = day.toString();
    return [momentOf(text, "00:00", zone), momentOf(day.add({ days: 1 }).toString(), "00:00", zone) - 1];
  };
  const name = `date:${field}:${meant.toString()}`;
  if (!yearly) return { days: [[meant.toString(), ...bounds(meant)]], name };
  const isShort = meant.month === 2 && meant.day === 28 && !meant.inLeapYear;
  const written = [meant.toString().slice(5), ...(isShort ? ["02-29"] : [])];
  const years = Array.from({ length: meant.year - FIRST_YEAR }, (_, i) => FIRST_YEAR + i);
  const days = written.flatMap((day) =>
    field === "created_at"
      ? years.flatMap((year) => {
          const [month, date] = day.split("-").map(Number);
          const one = new Temporal.PlainDate(year, month ?? 1, 1);
          return (date ?? 1) > one.daysInMonth ? [] : [[day, ...bounds(one.with({ day: date ?? 1 }))]];
        })
      : [[day]],
  );
  return { days, name };
}

/** Of the first contact that a shop may have. */
const FIRST_YEAR = 2000;
