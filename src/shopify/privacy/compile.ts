import type { Ctx } from "../../context";
import { exportContact } from "../../contacts/rest";
import { findCart } from "../../carts/rest";
import { sql } from "../../db/client";
import { contactById } from "../../identity";
import { iso } from "../../lib/time";
import { findOrder } from "../../orders/rest";
import { flushContact } from "../../visitor/rest";
import { unpackBody } from "../body";
import { jobOf } from "./accept";
import { FoundData } from "./data-request";
import type { PersonData } from "./schemas";

/** Characters of deliveries' bodies in one answer. */
const MOST_TEXT = 8_000_000;
const MOST_BODIES = 300;

/**
 * Everything about the person of a data request, as it is stored now: nothing is copied for it, so what was erased
 * since is gone from here too. Null when nothing is kept of what was found.
 */
export async function compileData(ctx: Ctx, request: string): Promise<PersonData | null> {
  const row = await sql(
    ctx.db,
    "select result from jobs where id = ? and shop = ? and state = 'done'",
    jobOf(request),
    ctx.shop.key,
  ).first<{ result: string | null }>();
  if (!row || row.result === null) return null;
  const found = FoundData.parse(JSON.parse(row.result));
  const contacts: PersonData["contacts"] = [];
  const keys = new Set<number>();
  for (const id of found.contacts) {
    const contact = await contactById(ctx.db, ctx.shop.key, id);
    if (!contact || keys.has(contact.key)) continue;
    keys.add(contact.key);
    await flushContact(ctx, contact.key);
    contacts.push(await exportContact(ctx, contact.key));
  }
  const shown = new Set(contacts.map(({ contactId }) => contactId));
  const orders: PersonData["orders"] = [];
  for (const id of found.orders) {
    const order = await findOrder(ctx, id);
    if (order && (order.contactId === null || !shown.has(order.contactId))) orders.push(order);
  }
  const carts: PersonData["carts"] = [];
  for (const id of found.carts) {
    const cart = await findCart(ctx, id);
    if (cart && (cart.contactId === null || !shown.has(cart.contactId))) carts.push(cart);
  }
  const webhooks = await readWebhooks(ctx, found.webhooks);
  const complete =
    found.complete && contacts.every((contact) => contact.complete) && webhooks.every((w) => w.body !== null);
  return { requestId: request, compiledAt: iso(ctx.now), contacts, orders, carts, webhooks, complete };
}

async function readWebhooks(ctx: Ctx, keys: number[]): Promise<PersonData["webhooks"]> {
  const { results } = await sql(
    ctx.db,
    `select key, id, topic, received_at as receivedAt from webhook_inbox
     where key in (select value from json_each(?2)) and +shop = ?1 and body is not null order by key`,
    ctx.shop.key,
    JSON.stringify(keys),
  ).all<{ key: number; id: string; topic: string; receivedAt: number }>();
  const webhooks: PersonData["webhooks"] = [];
  let left = MOST_TEXT;
  for (const [i, { key, id, topic, receivedAt }] of results.entries()) {
    const stored =
      left > 0 && i < MOST_BODIES
        ? await sql(ctx.db, "select body from webhook_inbox where key = ?", key).first<string | null>("body")
        : null;
    const body = stored === null ? null : await unpackBody(stored);
    left -= body?.length ?? 0;
    webhooks.push({ id, topic, receivedAt: iso(receivedAt), body: left < 0 ? null : body });
  }
  return webhooks;
}
