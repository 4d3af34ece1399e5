import { env } from "cloudflare:workers";
import { expect } from "vitest";

import { advanceRuns } from "../../src/automations";
import { react } from "../../src/jobs/reactions";
import type { MintedShop } from "../helpers/api";

export async function rows<T>(text: string, ...values: (string | number | null)[]): Promise<T[]> {
  return (
    await env.DB.prepare(text)
      .bind(...values)
      .all<T>()
  ).results;
}

export interface Live {
  id: string;
  key: number;
}

/** An automation of this definition, active from now on. */
export async function live(shop: MintedShop, definition: Record<string, unknown>): Promise<Live> {
  const made = await shop.full.post("/v1/automations", { name: "Automation", definition });
  expect([made.status, made.body.errors ?? null]).toEqual([201, null]);
  const active = await shop.full.post(`/v1/automations/${made.body.id}/activation`, { action: "activate" });
  expect([active.status, active.body.state]).toEqual([200, "active"]);
  const [row] = await rows<{ key: number }>("select key from automations where id = ?", made.body.id);
  return { id: made.body.id, key: row?.key ?? 0 };
}

/** Carries out domain events and due runs until nothing is left for this moment. */
export async function settle(shop: { key: number }): Promise<void> {
  for (let round = 0; round < 30; round++) {
    const events = await rows<{ key: number }>(
      "select key from outbox where shop = ? and next_attempt_at <= ?",
      shop.key,
      Date.now(),
    );
    if (events.length > 0)
      await react(
        env,
        shop.key,
        events.map(({ key }) => key),
        Date.now(),
      );
    const due = await rows<{ key: number }>(
      "select key from runs where shop = ? and due_at <= ? and (lease_until is null or lease_until <= ?)",
      shop.key,
      Date.now(),
      Date.now(),
    );
    if (due.length > 0)
      await advanceRuns(
        env,
        shop.key,
        due.map(({ key }) => key),
        Date.now(),
      );
    if (events.length + due.length === 0) return;
  }
  throw new Error("it does not come to rest");
}

export interface LogLine {
  step: string;
  outcome: string;
  scheduledAt: string;
  at: string;
}

/** Runs of an automation with their logs, the oldest first. */
export async function runsOf(shop: MintedShop, automation: Live) {
  const { body } = await shop.full.get(`/v1/automations/${automation.id}/runs?limit=250`);
  const details = [];
  for (const run of body.items.toReversed()) {
    details.push((await shop.full.get(`/v1/automations/${automation.id}/runs/${run.id}`)).body);
  }
  return details;
}

/** `step outcome` of the only run's log. */
export async function logOf(shop: MintedShop, automation: Live): Promise<string[]> {
  const runs = await runsOf(shop, automation);
  expect(runs).toHaveLength(1);
  return runs[0].log.map(({ step, outcome }: LogLine) => `${step} ${outcome}`);
}

/** What a contact carries. */
export async function tagsOf(shop: MintedShop, contact: { id: string }): Promise<string[]> {
  return (await shop.full.get(`/v1/contacts/${contact.id}`)).body.tags.toSorted();
}
