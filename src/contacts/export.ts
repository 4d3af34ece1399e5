import { z } from "@hono/zod-openapi";

import { MaybeText, MaybeTime, TimeSchema } from "../api/schemas";
import { CartSchema } from "../carts/schemas";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { iso } from "../lib/time";
import { ExportedMessageSchema, exportMessages } from "../messages/rest";
import { OrderSchema } from "../orders/schemas";
import { TimelineItemSchema, VisitorSchema } from "../visitor/schemas";
import { listCarts } from "../carts/rest";
import { listOrders } from "../orders/rest";
import { contactTimeline, listVisitors } from "../visitor/rest";
import { readContact } from "./locate";
import { ContactSchema, LifecycleEntrySchema } from "./schemas";
import { showContact } from "./show";

export const ContactExportSchema = z
  .strictObject({
    contactId: z.string(),
    exportedAt: TimeSchema,
    contact: ContactSchema,
    identities: z.array(
      z.strictObject({ kind: z.string(), value: z.string(), evidence: z.string(), createdAt: TimeSchema }),
    ),
    mergedIds: z.array(z.string()),
    consents: z.array(
      z.strictObject({
        channel: z.string(),
        state: z.string(),
        level: MaybeText,
        basis: z.string(),
        source: MaybeText,
        decidedAt: MaybeTime,
        updatedAt: TimeSchema,
      }),
    ),
    lifecycle: z.array(LifecycleEntrySchema),
    automations: z.array(
      z.strictObject({
        automationId: z.string(),
        runId: z.string(),
        state: z.string(),
        enteredAt: TimeSchema,
        endedAt: MaybeTime,
        steps: z.array(z.strictObject({ step: z.string(), outcome: z.string(), at: TimeSchema })),
      }),
    ),
    scoreChanges: z.array(z.strictObject({ points: z.int(), at: TimeSchema })),
    discountCodes: z.array(z.strictObject({ poolId: z.string(), code: z.string(), takenAt: TimeSchema })),
    messages: z.array(ExportedMessageSchema),
    orders: z.array(OrderSchema),
    carts: z.array(CartSchema),
    visitors: z.array(VisitorSchema),
    events: z.array(TimelineItemSchema),
    complete: z.boolean().openapi({ description: "False when there is more than fits; the lists have the rest" }),
  })
  .openapi("ContactExport");

type ContactExport = z.infer<typeof ContactExportSchema>;

const PAGE = 250;
/** Pages per list: 10,000 entries of each kind. */
const MOST_PAGES = 40;

/** Everything that is stored about a person, in one document. */
export async function exportContact(ctx: Ctx, key: number): Promise<ContactExport> {
  const contact = showContact(await readContact(ctx, key), ctx.shop);
  const byContact = { contactId: contact.id };
  const [facts, messages, orders, carts, visitors, events] = await Promise.all([
    readFacts(ctx, key),
    exportMessages(ctx, key),
    everything((cursor) => listOrders(ctx, byContact, { limit: PAGE, cursor })),
    everything((cursor) => listCarts(ctx, byContact, { limit: PAGE, cursor })),
    everything((cursor) => listVisitors(ctx, byContact, { limit: PAGE, cursor }, { hidden: true })),
    everything((cursor) => contactTimeline(ctx, key, { limit: PAGE, cursor })),
  ]);
  return {
    contactId: contact.id,
    exportedAt: iso(ctx.now),
    contact,
    ...facts,
    messages,
    orders: orders.items,
    carts: carts.items,
    visitors: visitors.items,
    events: events.items,
    complete: [orders, carts, visitors, events].every((list) => list.complete),
  };
}

async function everything<T>(
  read: (cursor: string | undefined) => Promise<{ items: T[]; nextCursor: string | null }>,
): Promise<{ items: T[]; complete: boolean }> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const page = await read(cursor);
    items.push(...page.items);
    if (page.nextCursor === null) return { items, complete: true };
    cursor = page.nextCursor;
  }
  return { items, complete: false };
}

const StepsTaken = z.array(z.tuple([z.string(), z.string(), z.int()]));

type Facts = Pick<
  ContactExport,
  "identities" | "mergedIds" | "consents" | "lifecycle" | "discountCodes" | "automations" | "scoreChanges"
>;

async function readFacts(ctx: Ctx, key: number): Promise<Facts> {
  const rows = <T>(text: string) => sql(ctx.db, text, ctx.shop.key, key).all<T>();
  const [identities, merged, consents, lifecycle, automations, scores, codes] = await Promise.all([
    rows<{ kind: string; value: string; evidence: string; createdAt: number }>(
      `select kind, value, evidence, created_at as createdAt from identities where shop = ?1 and contact = ?2`,
    ),
    rows<{ id: string }>(`select id from contact_aliases where shop = ?1 and contact = ?2`),
    rows<{
      channel: string;
      state: string;
      level: string | null;
      basis: string;
      source: string | null;
      decidedAt: number | null;
      updatedAt: number;
    }>(
      `select channel, state, level, basis, source, decided_at as decidedAt, updated_at as updatedAt
       from consents where shop = ?1 and contact = ?2`,
    ),
    lifecycleRows(ctx, key),
    rows<{
      automationId: string;
      runId: string;
      state: string;
      enteredAt: number;
      endedAt: number | null;
      steps: string;
    }>(
      `select a.id as automationId, r.id as runId, r.state, r.entered_at as enteredAt, r.ended_at as endedAt,
         (select json_group_array(json_array(s.step, s.outcome, s.at)) from run_steps s where s.run = r.key) as steps
       from automations a cross join runs r on r.automation = a.key and r.kind = 'contact' and r.subject = ?2
       where a.shop = ?1 order by r.key limit 1000`,
    ),
    rows<{ points: number; at: number }>(
      `select points, at from score_history where +shop = ?1 and contact = ?2 order by at limit 10000`,
    ),
    rows<{ poolId: string; code: string; takenAt: number }>(
      `select p.id as poolId, c.code, c.taken_at as takenAt from discount_codes c join discount_pools p on p.key = c.pool
       where +c.shop = ?1 and c.contact = ?2 order by c.key`,
    ),
  ]);
  return {
    identities: identities.results.map((row) => ({ ...row, createdAt: iso(row.createdAt) })),
    mergedIds: merged.results.map(({ id }) => id),
    consents: consents.results.map((row) => ({ ...row, decidedAt: iso(row.decidedAt), updatedAt: iso(row.updatedAt) })),
    lifecycle,
    automations: automations.results.map(({ enteredAt, endedAt, steps, ...run }) => ({
      ...run,
      enteredAt: iso(enteredAt),
      endedAt: iso(endedAt),
      steps: StepsTaken.parse(JSON.parse(steps)).map(([step, outcome, at]) => ({ step, outcome, at: iso(at) })),
    })),
    scoreChanges: scores.results.map(({ points, at }) => ({ points, at: iso(at) })),
    discountCodes: codes.results.map((row) => ({ ...row, takenAt: iso(row.takenAt) })),
  };
}

/** Every stage and status that a contact has had, the newest first. */
export async function lifecycleRows(ctx: Ctx, contact: number): Promise<z.infer<typeof LifecycleEntrySchema>[]> {
  const { results } = await sql(
    ctx.db,
    `select stage, status, at from lifecycle_history where shop = ?1 and contact = ?2 order by at desc, key desc limit 1000`,
    ctx.shop.key,
    contact,
  ).all<{ stage: string; status: z.infer<typeof LifecycleEntrySchema>["status"]; at: number }>();
  return results.map((row) => ({ ...row, at: iso(row.at) }));
}
