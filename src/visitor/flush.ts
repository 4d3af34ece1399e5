import { abandonBefore, purchaseByBrowser, settleCartsByOrder } from "../carts";
import { sql } from "../db/client";
import { newId } from "../lib/ids";
import { MARK_BY_EVENTS } from "../segments/tables";
import { lengthOf } from "./session";
import type { CartEffect, PendingEvent, Person, VisitorState } from "./state";

/** Events per row of `visits`. */
const PART = 100;

/** A copy of what one D1 batch will carry: everything up to `cut`. */
export interface Cargo {
  cut: number;
  events: PendingEvent[];
  carts: CartEffect[];
  /** Persons that the events and carts belong to, with the hash under which an erasure would be listed. */
  persons: { person: Person; erasedHash: string }[];
}

/**
 * The batch that brings a cargo into D1: absolute values only, guarded by `seq`, so that it may run twice, and so that
 * a batch that timed out and commits late changes nothing. Nothing of an erased persona is written.
 *
 * @returns the statements, and where in the batch the answer to "is this persona erased?" stands
 */
export function flushStatements(
  db: D1Database,
  state: VisitorState,
  cargo: Cargo,
  now: number,
): { statements: D1PreparedStatement[]; parts: Record<string, number> } {
  const { shop, tracker, channel } = state;
  const statements: D1PreparedStatement[] = [];
  const parts = { ...state.parts };
  if (cargo.events.length > 0) statements.push(...dictionaries(db, shop.key, cargo.events));
  for (const { person, erasedHash } of cargo.persons) {
    const guard = [shop.key, erasedHash] as const;
    statements.push(
      sql(
        db,
        `insert into visitors (shop, tracker, person, channel, country, region, city, visits, page_views,
           first_seen_at, last_seen_at, first_touch, last_touch, device, flushed_seq, cell, timezone, language,
           visit_seconds)
         select ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20
         where not exists (select 1 from erased where shop = ?1 and hash = ?2)
         on conflict do update set country = excluded.country, region = excluded.region, city = excluded.city,
           visits = excluded.visits, page_views = excluded.page_views, first_seen_at = excluded.first_seen_at,
           last_seen_at = excluded.last_seen_at, first_touch = excluded.first_touch,
           last_touch = excluded.last_touch, device = excluded.device, flushed_seq = excluded.flushed_seq,
           cell = excluded.cell, timezone = excluded.timezone, language = excluded.language,
           visit_seconds = excluded.visit_seconds
         where excluded.flushed_seq > visitors.flushed_seq`,
        ...guard,
        tracker,
        person.n,
        channel,
        person.geo.country,
        person.geo.region,
        person.geo.city,
        person.visits,
        person.pageViews,
        person.firstSeenAt,
        person.lastSeenAt,
        json(person.firstTouch),
        json(person.lastTouch),
        json(person.device),
        cargo.cut,
        person.locale?.cell ?? null,
        person.locale?.timezone ?? null,
        person.locale?.language ?? null,
        Math.round(((person.pastMs ?? 0) + (person.visit ? lengthOf(person.visit) : 0)) / 1000),
      ),
    );
    const mine = cargo.events.filter((event) => event.person === person.n);
    if (mine.length > 0) {
      statements.push(...eventStatements(db, shop.key, tracker, person, mine, parts));
      const types = JSON.stringify([...new Set(mine.map(({ type }) => type))]);
      statements.push(sql(db, MARK_BY_EVENTS, shop.key, tracker, person.n, types));
      statements.push(tellAutomations(db, shop.key, tracker, person, mine, now));
    }
  }
  for (const effect of cargo.carts) {
    const owner = cargo.persons.find(({ person }) => person.n === effect.cart.person);
    if (owner) statements.push(...cartStatements(db, state, effect, owner.erasedHash, now));
  }
  return { statements, parts };
}

/** Names of types and pages get their integers before anything refers to them. */
function dictionaries(db: D1Database, shop: number, events: PendingEvent[]): D1PreparedStatement[] {
  const types = [...new Set(events.map((event) => event.type))];
  const pages = new Map<string, string | null>();
  for (const { url, title } of events) if (url !== null) pages.set(url, title ?? pages.get(url) ?? null);
  const statements = [
    sql(
      db,
      `insert into event_types (name) select value from json_each(?) where true on conflict do nothing`,
      JSON.stringify(types),
    ),
  ];
  if (pages.size > 0) {
    statements.push(
      sql(
        db,
        `insert into pages (shop, url, title) select ?1, value ->> 0, value ->> 1 from json_each(?2) where true
         on conflict do update set title = excluded.title where pages.title is null and excluded.title is not null`,
        shop,
        JSON.stringify([...pages]),
      ),
    );
  }
  return statements;
}

const VISITOR = "(select key from visitors where shop = ?1 and tracker = ?2 and person = ?3)";

/** Events, and the parts of the visits that list them. An erased or late persona has no row, so nothing is inserted. */
function eventStatements(
  db: D1Database,
  shop: number,
  tracker: string,
  person: Person,
  events: PendingEvent[],
  parts: Record<string, number>,
): D1PreparedStatement[] {
  const rows = events.map((e) => [e.seq, e.at, e.type, e.id, e.url, json(e.data)]);
  const statements = [
    sql(
      db,
      `insert into events (shop, type, at, visitor, seq, page, data)
       select ?1, t.key, e.value ->> 1, v.key, e.value ->> 0, p.key, e.value ->> 5
       from json_each(?4) e
       join visitors v on v.shop = ?1 and v.tracker = ?2 and v.person = ?3
       join event_types t on t.name = e.value ->> 2
       left join pages p on p.shop = ?1 and p.url = e.value ->> 4
       where true on conflict do nothing`,
      shop,
      tracker,
      person.n,
      JSON.stringify(rows),
    ),
  ];
  for (const [no, visit] of Map.groupBy(events, (event) => event.visit)) {
    const name = `${person.n}.${no}`;
    const first = parts[name] ?? 0;
    const isOpen = person.visit?.no === no;
    for (let from = 0; from < visit.length; from += PART) {
      const part = visit.slice(from, from + PART);
      const no_ = first + from / PART;
      statements.push(
        sql(
          db,
          `insert into visits (visitor, no, part, at, until, touch, path)
           select ${VISITOR}, ?4, ?5, ?6, ?7, ?8, (
             select json_group_array(json_array(e.value ->> 0, e.value ->> 1, t.key, e.value ->> 3, p.key)
               order by e.value ->> 0)
             from json_each(?9) e join event_types t on t.name = e.value ->> 2
             left join pages p on p.shop = ?1 and p.url = e.value ->> 4)
           where ${VISITOR} is not null
           on conflict do update set at = excluded.at, until = excluded.until, path = excluded.path
           where excluded.path -> '$[#-1]' ->> 0 > visits.path -> '$[#-1]' ->> 0`,
          shop,
          tracker,
          person.n,
          no,
          no_,
          Math.min(...part.map((e) => e.at)),
          Math.max(...part.map((e) => e.at)),
          no_ === 0 && isOpen ? json(person.visit?.touch ?? null) : null,
          JSON.stringify(part.map((e) => [e.seq, e.at, e.type, e.id, e.url])),
        ),
      );
    }
    parts[name] = first + Math.ceil(visit.length / PART);
  }
  return statements;
}

/** A domain event for each of these that an automation of the shop watches for; nothing where none does. */
function tellAutomations(
  db: D1Database,
  shop: number,
  tracker: string,
  person: Person,
  events: PendingEvent[],
  now: number,
): D1PreparedStatement {
  return sql(
    db,
    `insert into outbox (shop, type, subject, natural_key, data, at, next_attempt_at)
     select ?1, 'browser_event', coalesce('contact:' || v.contact, 'visitor:' || v.key),
       'event:' || v.key || ':' || (e.value ->> 0),
       json_object('type', e.value ->> 2, 'url', e.value ->> 3, 'data', json(e.value ->> 4)), e.value ->> 1, ?5
     from json_each(?4) e join visitors v on v.shop = ?1 and v.tracker = ?2 and v.person = ?3
     where exists (select 1 from automation_watches w where w.shop = ?1 and w.what = 'event:' || (e.value ->> 2)
       and (w.needle = '' or instr(lower(e.value ->> 3), w.needle) > 0))
     on conflict do nothing`,
    shop,
    tracker,
    person.n,
    JSON.stringify(events.map((e) => [e.seq, e.at, e.type, e.url, json(e.data)])),
    now,
  );
}

/** A cart as this browser knows it. A token belongs to the first visitor that showed it, so nobody else can change it. */
function cartStatements(
  db: D1Database,
  { shop, tracker }: VisitorState,
  { cart, replaces, purchasedAt }: CartEffect,
  erasedHash: string,
  now: number,
): D1PreparedStatement[] {
  const statements: D1PreparedStatement[] = [];
  if (replaces !== null) {
    statements.push(
      sql(
        db,
        `update carts set token = ?4 where shop = ?1 and token = ?5 and visitor = ${VISITOR}
           and not exists (select 1 from carts where shop = ?1 and token = ?4)`,
        shop.key,
        tracker,
        cart.person,
        cart.token,
        replaces,
      ),
    );
  }
  statements.push(
    ...abandonBefore(db, shop.key, cart.token, cart.activityAt, now),
    sql(
      db,
      `insert into carts (shop, id, token, checkout_token, visitor, contact, state, currency, value, items, reached,
         activity_at, created_at, updated_at)
       select ?1, ?4, ?5, case when exists (select 1 from carts where shop = ?1 and checkout_token = ?6) then null else ?6 end,
         v.key, v.contact, 'open', ?7, ?8, coalesce(?9, '[]'), ?10, ?11, ?11, ?12
       from visitors v where v.shop = ?1 and v.tracker = ?2 and v.person = ?3
         and not exists (select 1 from erased where shop = ?1 and hash = ?13)
       on conflict (shop, token) do update set
         checkout_token = coalesce(carts.checkout_token, excluded.checkout_token),
         visitor = excluded.visitor, contact = coalesce(carts.contact, excluded.contact),
         currency = coalesce(excluded.currency, carts.currency), value = coalesce(?8, carts.value),
         items = coalesce(?9, carts.items), reached = excluded.reached,
         activity_at = max(carts.activity_at, excluded.activity_at), updated_at = excluded.updated_at
       where (carts.visitor is null or carts.visitor = excluded.visitor) and carts.state in ('open', 'abandoned')
         and excluded.activity_at >= carts.activity_at`,
      shop.key,
      tracker,
      cart.person,
      newId("crt", now),
      cart.token,
      cart.checkoutToken,
      cart.currency,
      cart.value,
      cart.items,
      cart.reached,
      cart.activityAt,
      now,
      erasedHash,
    ),
    ...settleCartsByOrder(db, shop.key, { cartToken: cart.token, checkoutToken: cart.checkoutToken }, now),
  );
  if (purchasedAt !== null && !shop.connected) {
    statements.push(...purchaseByBrowser(db, shop.key, cart.token, purchasedAt, now));
  }
  return statements;
}

function json(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
