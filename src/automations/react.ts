import { sql } from "../db/client";
import type { Shop } from "../shops";
import { admit } from "./admit";
import { browseStatements } from "./browse";
import type { Automation } from "./definition";
import { type Entrance, type Entry, enterStatements } from "./enter";
import { type EventRow, readEvents, type Told, watchedAs } from "./happening";
import { flightStatements } from "./in-flight";
import { before } from "./length";
import { loadVersions, versionName } from "./load";
import { meets } from "./match";
import type { ProductTrigger } from "./elements";
import { isOfProducts, productStatements } from "./product-changes";
import type { RunData } from "./run";

/** An automation that people may enter. */
interface Open extends Entrance {
  id: string;
  activatedAt: number;
  automation: Automation;
}

/**
 * What domain events mean for a shop's automations: people enter, runs that wait for the event go on, goals pull and
 * exits end. The statements go into the batch that deletes the events' rows; a second run changes nothing. Those that
 * make or wake runs return their keys.
 */
export async function reactToEvents(
  env: Env,
  shop: Shop,
  rows: EventRow[],
  now: number,
): Promise<D1PreparedStatement[]> {
  const { DB } = env;
  // What triggers of the database tell has no time of its own: it is of now.
  const timed = rows.map((row) => ({ ...row, at: row.at || now, next_attempt_at: row.next_attempt_at || now }));
  const watched = await watchers(DB, shop.key, timed);
  if (watched.rows.length === 0) return [];
  const told = await readEvents(DB, shop.key, watched.rows);
  const versions = await loadVersions(
    DB,
    shop,
    watched.automations.map(({ key, version }) => ({ automation: key, version })),
  );
  const open = watched.automations.flatMap(({ key, id, version, state, activatedAt }): Open[] => {
    const loaded = versions.get(versionName(key, version));
    return state === "active" && activatedAt !== null && loaded && "automation" in loaded
      ? [{ key, id, version, activatedAt, automation: loaded.automation }]
      : [];
  });
  return [
    ...(await entryStatements(DB, shop, open, told, now)),
    ...browseStatements(DB, shop, open, told),
    ...(await productStatements(DB, shop, open, told, now)),
    ...(await flightStatements(DB, shop, told, now)),
  ];
}

/** The events that any automation of the shop acts on, and those automations. Nothing but one look for most shops. */
async function watchers(db: D1Database, shop: number, rows: EventRow[]) {
  const names = new Map(rows.map((row) => [row, watchedAs(row)]));
  const { results } = await sql(
    db,
    `select distinct w.what, a.key, a.id, a.version, a.state, a.activated_at as activatedAt
     from json_each(?2) j cross join automation_watches w on w.shop = ?1 and w.what = j.value
     join automations a on a.key = w.automation and a.deleted_at is null and a.state <> 'draft'`,
    shop,
    JSON.stringify([...new Set(names.values())]),
  ).all<{ what: string; key: number; id: string; version: number; state: string; activatedAt: number | null }>();
  const whats = new Set(results.map(({ what }) => what));
  return {
    rows: rows.filter((row) => whats.has(names.get(row) ?? "")),
    automations: [...new Map(results.map((row) => [row.key, row])).values()],
  };
}

/**
 * Lets people in whose event meets a trigger, in this order: the trigger's own filters, the filter on the person, how
 * often one may enter, and that no exit is met already. Segments are asked as they are now.
 */
async function entryStatements(
  db: D1Database,
  shop: Shop,
  open: Open[],
  told: Told[],
  now: number,
): Promise<D1PreparedStatement[]> {
  const candidates = open.flatMap((one) =>
    told.flatMap(({ row, who, event }) => {
      const isLate = row.next_attempt_at < one.activatedAt;
      const isMet = one.automation.triggers.some((trigger) => isEvent(trigger) && meets(trigger, event, shop));
      if (who === null || isLate || !isMet) return [];
      const entry: Entry = {
        kind: who.kind,
        subject: who.key,
        entryKey: `${row.type}:${row.natural_key}`,
        at: event.at,
        data: dataOf(row, event),
      };
      return [{ open: one, entry }];
    }),
  );
  const admitted = await admit(db, shop, candidates, now);
  return [...Map.groupBy(admitted, (one) => one.open).entries()].flatMap(([one, some]) => {
    const { reentry } = one.automation;
    const since = typeof reentry === "string" ? now : before(now, reentry.after, shop.timezone);
    return enterStatements(
      db,
      shop.key,
      one,
      some.map(({ entry }) => entry),
      since,
      now,
    );
  });
}

type Trigger = Automation["triggers"][number];
type EventTrigger = Exclude<Trigger, ProductTrigger | { type: "abandoned_browse" | "date" | "schedule" | "manual" }>;

/** True for triggers that an event of the person meets by itself. */
export function isEvent(trigger: Trigger): trigger is EventTrigger {
  return !isOfProducts(trigger) && !["abandoned_browse", "date", "schedule", "manual"].includes(trigger.type);
}

function dataOf(row: EventRow, event: Told["event"]): RunData {
  const { order, cart, data } = event;
  const product = typeof data["productId"] === "string" ? data["productId"] : undefined;
  const delivery = typeof data["deliveryId"] === "string" ? data["deliveryId"] : undefined;
  const token = cart?.token ?? order?.cartToken ?? undefined;
  return {
    event: event.type,
    eventKey: `${row.type}:${row.natural_key}`,
    ...(token === undefined ? {} : { cart: token }),
    ...(order === null || order.id === cart?.id ? {} : { order: order.id }),
    ...(event.isBrowser && product !== undefined ? { product } : {}),
    ...(event.url === null ? {} : { page: event.url }),
    ...(delivery === undefined ? {} : { delivery }),
  };
}
