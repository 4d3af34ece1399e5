import type { Ctx } from "../context";
import { AppError } from "../errors";
import { iso } from "../lib/time";
import { admitChecks } from "./admit";
import type { Automation } from "./definition";
import { after } from "./length";
import { answer } from "./load";
import { findPeople } from "./people";
import { type Facts, needs, plan } from "./plan";
import type { Run, RunData } from "./run";
import type { DryRunRequest } from "./schemas";

/** Steps of one dry run. */
const MOST_STEPS = 200;

interface PathStep {
  step: string;
  type: string;
  outcome: string;
  effects: string[];
  at: string;
}

/**
 * The way that a person would go, with what is known of them now and waits that are over at once: nothing is changed and
 * nothing is sent. Throws 422 for nobody.
 */
export async function dryRun(ctx: Ctx, automation: Automation, request: DryRunRequest) {
  const { db, shop } = ctx;
  const [who] = await findPeople(
    ctx,
    request.contactId === undefined ? [] : [request.contactId],
    request.visitorId === undefined ? [] : [request.visitorId],
  );
  if (!who) throw new AppError("unprocessable", "There is nobody of this id");
  const checks = await admitChecks(db, shop, automation, { kind: who.kind, subject: who.key }, ctx.now);
  const path: PathStep[] = [];
  const data: RunData = {};
  let now = ctx.now;
  let run: Run = {
    key: 0,
    id: `dry:${who.id}`,
    automation: 0,
    version: 0,
    kind: who.kind,
    subject: who.key,
    entryKey: "",
    state: "active",
    step: automation.start,
    visit: 1,
    dueAt: now,
    leaseUntil: 0,
    arrivedAt: null,
    attempts: 0,
    data,
    signals: {},
    enteredAt: now,
  };
  const enters = checks.every(({ passed }) => passed);
  while (path.length < MOST_STEPS) {
    const facts = await factsOf(ctx, automation, run);
    const { taken, standing } = plan(automation, run, facts, { now, zone: shop.timezone });
    for (const { step, outcome, effects } of taken) {
      const type = automation.steps.get(step)?.step.type ?? "";
      path.push({ step, type, outcome, effects: effects.map(({ kind }) => kind), at: iso(now) });
    }
    const { step, state } = standing;
    if (state !== "active" || step === null) return { enters, path, ends: standing.reason ?? state };
    run = { ...run, ...standing, state: "active", step, dueAt: standing.dueAt ?? now };
    const here = automation.steps.get(step)?.step;
    if (run.arrivedAt === null) continue;
    if (here?.type === "condition" && request.conditions === "met") run = { ...run, signals: { [step]: now } };
    else if (standing.dueAt === null) return { enters, path, ends: `waiting at ${step}` };
    else if (here?.type === "goal" || (here?.type === "wait_until" && here.timeout === undefined)) {
      return { enters, path, ends: `waiting at ${step}` };
    }
    // Asked again every hour, it would answer the same.
    const timeout = here?.type === "wait_until" ? here.timeout : undefined;
    now = Math.max(now, timeout ? after(run.arrivedAt ?? now, timeout, shop.timezone) : run.dueAt);
  }
  return { enters, path, ends: "it goes on for longer than is shown" };
}

async function factsOf(ctx: Ctx, automation: Automation, run: Run): Promise<Facts | null> {
  const read = automation.steps.get(run.step);
  const needed = read && needs(read, run);
  if (!read || !needed) return null;
  if (needed !== "answers") return { answers: [], code: "TEST", day: null };
  const answers = await answer(
    ctx.db,
    ctx.shop,
    read.asks.map((asked) => ({ asked, kind: run.kind, subjects: [run.subject] })),
    ctx.now,
  );
  return { answers: answers.map((one) => "holds" in one && one.holds.has(run.subject)), code: null, day: null };
}
