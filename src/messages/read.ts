import { type Page, keyFrom, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { iso } from "../lib/time";
import { unpack } from "./body";
import type { Delivery, DeliveryQuery } from "./schemas";

interface Row {
  key: number;
  shop: number;
  id: string;
  kind: Delivery["kind"];
  channel: Delivery["channel"];
  class: Delivery["class"];
  state: Delivery["state"];
  reason: string | null;
  contactId: string | null;
  automationId: string | null;
  campaignId: string | null;
  runId: string | null;
  step: string | null;
  variant: string | null;
  templateId: string | null;
  templateVersion: number | null;
  senderId: string | null;
  provider: string | null;
  providerId: string | null;
  attempts: number;
  segments: number | null;
  data: string;
  dueAt: number;
  createdAt: number;
  sentAt: number | null;
  deliveredAt: number | null;
  openedAt: number | null;
  machineOpenedAt: number | null;
  clickedAt: number | null;
  repliedAt: number | null;
  bouncedAt: number | null;
  complainedAt: number | null;
  unsubscribedAt: number | null;
}

const SELECT = `select d.key, d.shop, d.id, d.kind, d.channel, d.class, d.state, d.reason, d.step, d.variant, d.provider, d.attempts,
  d.segments, d.data, d.provider_id as providerId, d.template_version as templateVersion,
  (select id from contacts where key = d.contact) as contactId,
  (select id from automations where key = d.automation) as automationId,
  (select id from campaigns where key = d.campaign) as campaignId,
  (select id from runs where key = d.run) as runId,
  (select id from templates where key = d.template) as templateId,
  (select id from senders where key = d.sender) as senderId,
  d.due_at as dueAt, d.created_at as createdAt, d.sent_at as sentAt, d.delivered_at as deliveredAt,
  d.opened_at as openedAt, d.machine_opened_at as machineOpenedAt, d.clicked_at as clickedAt, d.replied_at as repliedAt,
  d.bounced_at as bouncedAt, d.complained_at as complainedAt, d.unsubscribed_at as unsubscribedAt
  from deliveries d`;

/**
 * A shop's deliveries, newest first. By contact, automation and campaign there is an index; those of a run are a range of
 * natural keys.
 */
export async function listDeliveries(ctx: Ctx, query: DeliveryQuery): Promise<Page<Delivery>> {
  const { db, shop } = ctx;
  const where: string[] = [];
  const values: (string | number)[] = [shop.key];
  const bind = (value: string | number) => `?${values.push(value)}`;
  const keyOf = (table: string, id: string) => `(select key from ${table} where shop = ?1 and id = ${bind(id)})`;
  if (query.contactId !== undefined) {
    const id = bind(query.contactId);
    where.push(`d.contact = (select key from contacts where shop = ?1 and id = ${id}
      union all select contact from contact_aliases where shop = ?1 and id = ${id})`);
  }
  if (query.automationId !== undefined) where.push(`d.automation = ${keyOf("automations", query.automationId)}`);
  if (query.campaignId !== undefined) where.push(`d.campaign = ${keyOf("campaigns", query.campaignId)}`);
  if (query.runId !== undefined)
    where.push(`d.run = ${keyOf("runs", query.runId)}`, rangeOf(keyOf("runs", query.runId)));
  const found = where.length > 0;
  for (const name of ["state", "channel", "class", "kind"] as const) {
    const value = query[name];
    if (value !== undefined) where.push(`d.${name} = ${bind(value)}`);
  }
  const rare = query.state && RARE[query.state];
  if (rare) where.push(`d.state in (${rare.states})`);
  const after = keyFrom("deliveries", query.cursor);
  if (after !== null) where.push(`d.key < ${bind(after)}`);
  // The plus keeps SQLite from walking the whole shop where the filter has an index of its own.
  const ofShop = found && query.runId === undefined ? "+d.shop = ?1" : "d.shop = ?1";
  const { results } = await sql(
    db,
    `${SELECT} ${found ? "" : indexFor(query.state)} where ${[ofShop, ...where].join(" and ")} order by d.key desc limit ${bind(query.limit + 1)}`,
    ...values,
  ).all<Row>();
  return pageOf("deliveries", results, query.limit, (row) => [row.key], showDelivery);
}

/** States that few rows are in have an index that holds only those; its own condition has to be said for it. */
const RARE: Partial<Record<Delivery["state"], { index: string; states: string }>> = {
  queued: { index: "deliveries_due", states: "'queued', 'sending'" },
  sending: { index: "deliveries_due", states: "'queued', 'sending'" },
  failed: { index: "deliveries_failed", states: "'failed', 'unknown'" },
  unknown: { index: "deliveries_failed", states: "'failed', 'unknown'" },
};

function indexFor(state: Delivery["state"] | undefined): string {
  const rare = state && RARE[state];
  return rare ? `indexed by ${rare.index}` : "";
}

/** Natural keys of one run are beside each other in the index; `;` follows `:`. */
function rangeOf(run: string): string {
  return `d.natural_key > 'run:' || ${run} || ':' and d.natural_key < 'run:' || ${run} || ';'`;
}

/** The delivery of this id, of any shop; null for none. The caller checks the shop. */
export async function findDelivery(db: D1Database, id: string): Promise<Row | null> {
  return sql(db, `${SELECT} where d.id = ?`, id).first<Row>();
}

function showDelivery(row: Row): Delivery {
  const { key: _key, shop: _shop, data: _data, ...rest } = row;
  return {
    ...rest,
    dueAt: iso(row.dueAt),
    createdAt: iso(row.createdAt),
    sentAt: iso(row.sentAt),
    deliveredAt: iso(row.deliveredAt),
    openedAt: iso(row.openedAt),
    machineOpenedAt: iso(row.machineOpenedAt),
    clickedAt: iso(row.clickedAt),
    repliedAt: iso(row.repliedAt),
    bouncedAt: iso(row.bouncedAt),
    complainedAt: iso(row.complainedAt),
    unsubscribedAt: iso(row.unsubscribedAt),
  };
}

/** Occurrences shown of one delivery. */
const MOST_EVENTS = 500;

interface CreditRow {
  orderId: string;
  touch: "opened" | "clicked" | "delivered";
  touchedAt: number;
  total: number;
  currency: string;
}

/** A delivery with what happened to it and the orders that it brought. */
export async function readDelivery(ctx: Ctx, row: Row) {
  const { db, shop } = ctx;
  const [{ results: events }, { results: orders }, body] = await Promise.all([
    sql(
      db,
      `select type, at, machine, link from delivery_events where delivery = ? order by at desc, type limit ?`,
      row.key,
      MOST_EVENTS,
    ).all<{ type: string; at: number; machine: number; link: number | null }>(),
    sql(
      db,
      `select o.id as orderId, c.touch, c.touched_at as touchedAt, iif(o.cancelled_at is null, o.total, 0) as total, o.currency
       from order_credits c indexed by order_credits_delivery cross join orders o on o.key = c."order" and o.shop = c.shop
       where c.delivery = ? and c.shop = ?`,
      row.key,
      shop.key,
    ).all<CreditRow>(),
    sql(db, "select links from delivery_bodies where delivery = ?", row.key).first<{ links: string }>(),
  ]);
  const links: string[] = body ? JSON.parse(body.links) : [];
  const data: Record<string, unknown> = JSON.parse(row.data);
  return {
    ...showDelivery(row),
    data,
    events: events.map(({ type, at, machine, link }) => ({
      type,
      at: iso(at),
      machine: machine === 1,
      url: link === null ? null : (links[link] ?? null),
    })),
    orders: orders.map(({ orderId, touch, touchedAt, total, currency }) => ({
      orderId,
      touch,
      touchedAt: iso(touchedAt),
      total: { amount: total, currency },
    })),
  };
}

/** What was sent, as long as it is kept. Throws 404 before it was rendered and after retention. */
export async function readBody(ctx: Ctx, row: Row) {
  const body = await sql(
    ctx.db,
    "select subject, html, text, links, headers from delivery_bodies where delivery = ? and shop = ?",
    row.key,
    ctx.shop.key,
  ).first<{ subject: string | null; html: string | null; text: string; links: string; headers: string }>();
  if (!body || body.text === "") throw new AppError("not_found", "Nothing is kept of what this message said");
  const links: string[] = JSON.parse(body.links);
  const headers: Record<string, string> = JSON.parse(body.headers);
  return {
    subject: body.subject,
    html: body.html === null ? null : await unpack(body.html),
    text: await unpack(body.text),
    links,
    headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
  };
}
