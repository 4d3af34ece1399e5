import type { Ctx } from "../context";
import { sql } from "../db/client";
import { iso } from "../lib/time";
import { publicIds } from "../segments/rest";
import { admitChecks } from "./admit";
import type { Automation } from "./definition";
import type { EventElement } from "./elements";
import { AGAIN } from "./enter";
import { type EventRow, readEvents, type Told } from "./happening";
import { before } from "./length";
import { checksOf, isOfKind } from "./match";
import { isEvent } from "./react";
import type { Preview } from "./schemas";

/** Events shown for all triggers together. */
const SHOWN = 10;

type Item = Preview["items"][number];

/**
 * The last ten events of the triggers' kinds and, for each, which filters its person passes and whether they would
 * enter now. For events that leave rows behind: pages and other browser events, orders, carts and segments.
 *
 * @param key of the automation, for its re-entry rule; null for a definition that is not stored
 */
export async function previewAutomation(ctx: Ctx, automation: Automation, key: number | null): Promise<Preview> {
  const found = await Promise.all(
    automation.triggers.map(async (trigger, i) => {
      if (!isEvent(trigger)) return [];
      const told = await readEvents(ctx.db, ctx.shop.key, await lastEvents(ctx, trigger));
      return told.filter(({ event }) => isOfKind(trigger, event)).map((one) => ({ told: one, trigger, place: i }));
    }),
  );
  const shown = found
    .flat()
    .sort((a, b) => b.told.event.at - a.told.event.at)
    .slice(0, SHOWN);
  const people = shown.flatMap(({ told }) => (told.who ? [told.who] : []));
  const ids = new Map<string, string>();
  for (const who of people) {
    const [named] = await publicIds(ctx.db, [who]);
    if (named) ids.set(`${who.kind}:${who.key}`, named.id);
  }
  const items = await Promise.all(
    shown.map(async ({ told, trigger, place }): Promise<Item> => {
      const own = checksOf(trigger, told.event, ctx.shop).map(({ filter, passed }) => ({
        stage: "trigger" as const,
        name: filter,
        passed,
      }));
      const checks = [...own, ...(await personChecks(ctx, automation, key, told))];
      const id = told.who && ids.get(`${told.who.kind}:${told.who.key}`);
      return {
        event: told.event.type,
        at: iso(told.event.at),
        trigger: place,
        subject: told.who && id !== undefined && id !== null ? { kind: told.who.kind, id } : null,
        checks,
        enters: told.who !== null && checks.every(({ passed }) => passed),
      };
    }),
  );
  return { items };
}

async function personChecks(
  ctx: Ctx,
  automation: Automation,
  key: number | null,
  { who, event }: Told,
): Promise<Item["checks"]> {
  if (who === null) return [{ stage: "filter", name: "somebody", passed: false }];
  const { db, shop, now } = ctx;
  const answers = await admitChecks(db, shop, automation, { kind: who.kind, subject: who.key }, now);
  const { reentry, parallel } = automation;
  const rule = AGAIN[typeof reentry === "string" ? reentry : "after"];
  const apart = parallel === null ? "" : ((parallel === "cart" ? event.cart?.token : event.order?.id) ?? "");
  const earlier = await sql(
    db,
    `select 1 from runs r where r.automation = ?1 and r.kind = ?2 and r.subject = ?3 and r.parallel = ?4
       and r.state <> 'pending' and ?5 is ?5 and ${rule} limit 1`,
    key ?? 0,
    who.kind,
    who.key,
    apart,
    null,
    ...(typeof reentry === "string" ? [] : [before(now, reentry.after, shop.timezone)]),
  ).first();
  const of = (stage: "filter" | "exit") => answers.filter((one) => one.stage === stage);
  return [
    ...of("filter"),
    { stage: "reentry", name: typeof reentry === "string" ? reentry : "after", passed: earlier === null },
    ...of("exit"),
  ];
}

/** The last rows that an element's events have left, as the events that they were. */
async function lastEvents(ctx: Ctx, element: EventElement): Promise<EventRow[]> {
  const source = sourceOf(element);
  if (source === null) return [];
  const { results } = await sql(ctx.db, source.text, ctx.shop.key, SHOWN, ...source.values).all<{
    type: string;
    subject: string;
    name: string;
    data: string;
    at: number;
  }>();
  return results.map(({ type, subject, name, data, at }, key) => ({
    key,
    type,
    subject,
    natural_key: name,
    data,
    at,
    next_attempt_at: at,
  }));
}

const OF = (row: string) => `coalesce('contact:' || ${row}.contact, 'visitor:' || ${row}.visitor, '')`;

function orders(type: string, at: string) {
  return {
    text: `select '${type}' as type, ${OF("o")} as subject, 'order:' || o.id as name, json_object('orderId', o.id) as data,
       o.${at} as at from orders o where o.shop = ?1 and o.test = 0 and o.${at} is not null order by o.key desc limit ?2`,
    values: [],
  };
}

function carts(type: string, at: string) {
  return {
    text: `select '${type}' as type, ${OF("c")} as subject, 'cart:' || c.token as name, json_object('cartId', c.id) as data,
       c.${at} as at from carts c where c.shop = ?1 and c.${at} is not null order by c.key desc limit ?2`,
    values: [],
  };
}

function browser(type: string) {
  return {
    text: `select 'browser_event' as type, coalesce('contact:' || v.contact, 'visitor:' || v.key) as subject,
       'event:' || e.visitor || ':' || e.seq as name,
       json_object('type', ?3, 'url', (select url from pages where key = e.page), 'data', json(e.data)) as data, e.at
       from events e join visitors v on v.key = e.visitor
       where e.shop = ?1 and e.type = (select key from event_types where name = ?3) order by e.at desc limit ?2`,
    values: [type],
  };
}

const ORDER_TIMES: Record<string, string> = {
  order_paid: "paid_at",
  order_fulfilled: "fulfilled_at",
  order_cancelled: "cancelled_at",
};

function sourceOf(element: EventElement): { text: string; values: string[] } | null {
  switch (element.type) {
    case "visited_url":
      return browser("page_viewed");
    case "form_submitted":
      return browser("form_submitted");
    case "made_purchase":
      return orders("order_placed", "placed_at");
    case "abandoned_cart":
    case "abandoned_checkout":
      return carts("cart_abandoned", "abandoned_at");
    case "cart_recovered":
      return carts("cart_recovered", "recovered_at");
    case "event": {
      const at = ORDER_TIMES[element.event];
      return at === undefined ? browser(element.event) : orders(element.event, at);
    }
    case "segment":
      return {
        text: `select iif(h.entered, 'segment_entered', 'segment_left') as type, h.kind || ':' || h.subject as subject,
           g.id || ':' || h.key as name, json_object('segmentId', g.id) as data, h.at
           from segments g join segment_history h on h.segment = g.key
           where g.shop = ?1 and g.id = ?3 and h.entered = ?4 order by h.key desc limit ?2`,
        values: [element.segment, element.change === "entered" ? "1" : "0"],
      };
    default:
      return null;
  }
}
