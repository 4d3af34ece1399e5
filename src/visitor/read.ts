import { z } from "zod";

import { keyFrom, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { middleOf } from "../lib/grid";
import { iso } from "../lib/time";
import { cartsOfPersonas } from "../carts/rest";
import type { Cart } from "../carts";
import type { Persona } from "./paths";
import type { Visitor } from "./schemas";

interface VisitorRow {
  key: number;
  tracker: string;
  person: number;
  contactId: string | null;
  country: string | null;
  region: string | null;
  city: string | null;
  cell: number | null;
  timezone: string | null;
  language: string | null;
  visits: number;
  visitSeconds: number;
  pageViews: number;
  firstSeenAt: number;
  lastSeenAt: number;
  firstTouch: string | null;
  lastTouch: string | null;
  device: string | null;
}

const SELECT = `select v.key, v.tracker, v.person, x.id as "contactId", v.country, v.region, v.city, v.cell, v.timezone,
  v.language, v.visits, v.visit_seconds as "visitSeconds",
  v.page_views as "pageViews", v.first_seen_at as "firstSeenAt", v.last_seen_at as "lastSeenAt",
  v.first_touch as "firstTouch", v.last_touch as "lastTouch", v.device
  from visitors v left join contacts x on x.key = v.contact`;

const maybe = z.string().nullable().default(null);

const StoredTouch = z.object({
  source: maybe,
  medium: maybe,
  campaign: maybe,
  term: maybe,
  content: maybe,
  clickId: maybe,
  channel: maybe,
  referrer: maybe,
  landingUrl: maybe,
});

const StoredDevice = z.object({ type: maybe, browser: maybe, os: maybe });

/** A touch as it is stored, as the API shows it. */
export function showTouch(stored: string | null): z.infer<typeof StoredTouch> | null {
  return stored === null ? null : StoredTouch.parse(JSON.parse(stored));
}

export interface VisitorOptions {
  /** Adds the field that is hidden from view. */
  hidden: boolean;
}

/**
 * Personas of browsers, the newest first: those that are nobody's contact, or those of one contact. An unknown contact
 * has none.
 */
export async function listVisitors(
  ctx: Ctx,
  filter: { contactId?: string | undefined },
  page: { limit: number; cursor?: string | undefined },
  options: VisitorOptions,
): Promise<Page<Visitor>> {
  const before = keyFrom("visitors", page.cursor) ?? Number.MAX_SAFE_INTEGER;
  const whose =
    filter.contactId === undefined
      ? "v.contact is null"
      : "v.contact = (select key from contacts where id = ?4 and shop = ?1)";
  const { results } = await sql(
    ctx.db,
    `${SELECT} where v.shop = ?1 and ${whose} and v.channel = 'browser' and v.key < ?2 order by v.key desc limit ?3`,
    ctx.shop.key,
    before,
    page.limit + 1,
    ...(filter.contactId === undefined ? [] : [filter.contactId]),
  ).all<VisitorRow>();
  const carts = await cartsOfPersonas(
    ctx,
    results.slice(0, page.limit).map((row) => row.key),
  );
  return pageOf(
    "visitors",
    results,
    page.limit,
    (row) => [row.key],
    (row) => show(row, carts.get(row.key), options),
  );
}

/**
 * One person of a browser: the current one, or the given number. Null when there is none, also when it was erased.
 *
 * @param tracker the browser's id
 */
export async function findVisitor(
  ctx: Ctx,
  tracker: string,
  person: number | undefined,
): Promise<{ key: number; show: (options: VisitorOptions) => Promise<Visitor> } | null> {
  const row = await sql(
    ctx.db,
    `${SELECT} where v.shop = ?1 and v.tracker = ?2 and v.channel = 'browser' and (?3 is null or v.person = ?3)
     order by v.person desc limit 1`,
    ctx.shop.key,
    tracker,
    person ?? null,
  ).first<VisitorRow>();
  if (!row) return null;
  return {
    key: row.key,
    show: async (options) => show(row, (await cartsOfPersonas(ctx, [row.key])).get(row.key), options),
  };
}

/** The middle of the cell. */
function placeOf(cell: number | null): { latitude: number | null; longitude: number | null } {
  if (cell === null) return { latitude: null, longitude: null };
  const { latitude, longitude } = middleOf(cell);
  return { latitude: Number(latitude.toFixed(2)), longitude: Number(longitude.toFixed(2)) };
}

function show(row: VisitorRow, cart: Cart | undefined, { hidden }: VisitorOptions): Visitor {
  return {
    id: row.tracker,
    label: `Anonymous visitor #${row.key}`,
    person: row.person,
    geo: { country: row.country, region: row.region, city: row.city },
    locale: { ...placeOf(row.cell), timezone: row.timezone, language: row.language },
    visits: row.visits,
    visitSeconds: row.visitSeconds,
    pageViews: row.pageViews,
    returning: row.visits > 1,
    firstSeenAt: iso(row.firstSeenAt),
    lastSeenAt: iso(row.lastSeenAt),
    firstTouch: showTouch(row.firstTouch),
    lastTouch: showTouch(row.lastTouch),
    device: row.device === null ? null : StoredDevice.parse(JSON.parse(row.device)),
    cart: cart ?? null,
    contactId: row.contactId,
    ...(hidden ? { source: "anonymous_website_visitors" as const } : {}),
  };
}

const PERSONA = `v.key, v.tracker, v.channel, v.last_seen_at as "lastSeenAt"`;

/** Personas of the caller's shop: those of a contact, or those of the given keys that exist. */
export async function personasOf(ctx: Ctx, of: { contact: number } | { keys: number[] }): Promise<Persona[]> {
  const statement =
    "contact" in of
      ? sql(ctx.db, `select ${PERSONA} from visitors v where v.contact = ?2 and v.shop = ?1`, ctx.shop.key, of.contact)
      : sql(
          ctx.db,
          `select ${PERSONA} from json_each(?2) j cross join visitors v on v.key = j.value and +v.shop = ?1`,
          ctx.shop.key,
          JSON.stringify(of.keys),
        );
  const { results } = await statement.all<Persona>();
  return results;
}
