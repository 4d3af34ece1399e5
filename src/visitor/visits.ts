import { z } from "zod";

import { decodeCursor, encodeCursor, type Page } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { iso } from "../lib/time";
import type { Persona } from "./paths";
import { personasOf, showTouch } from "./read";
import { type PageRequest, visitId } from "./timeline";

/** A visit and the way it took through the shop. */
export interface Visit {
  id: string;
  visitorId?: string;
  startedAt: string;
  endedAt: string;
  touch: ReturnType<typeof showTouch>;
  events: number;
  pages: { url: string | null; title: string | null; at: string }[];
}

/** The visits of these personas, the latest first, each with its pages in their order. */
export async function visitorVisits(ctx: Ctx, visitors: number[], page: PageRequest): Promise<Page<Visit>> {
  return visitsOf(ctx, await personasOf(ctx, { keys: visitors }), page);
}

/** The visits of all of a contact's personas. */
export async function contactVisits(ctx: Ctx, contact: number, page: PageRequest): Promise<Page<Visit>> {
  return visitsOf(ctx, await personasOf(ctx, { contact }), page);
}

/** Start, persona and number of the last visit shown. */
const Position = z.tuple([z.int(), z.int(), z.int()]);

const KEYS = "v.visitor in (select value from json_each(?1))";

async function visitsOf(ctx: Ctx, personas: Persona[], { limit, cursor }: PageRequest): Promise<Page<Visit>> {
  const browsers = personas.filter((persona) => persona.channel === "browser");
  const [at, visitor, no] =
    cursor === undefined ? [Number.MAX_SAFE_INTEGER, 0, 0] : decodeCursor("visits", cursor, Position);
  const { results: starts } = await sql(
    ctx.db,
    `select visitor, no, at from visits v where ${KEYS} and part = 0 and (at, visitor, no) < (?2, ?3, ?4)
     order by at desc, visitor desc, no desc limit ?5`,
    JSON.stringify(browsers.map((persona) => persona.key)),
    at,
    visitor,
    no,
    limit + 1,
  ).all<{ visitor: number; no: number; at: number }>();
  const shown = starts.slice(0, limit);
  const last = shown.at(-1);
  const trackers = new Map(browsers.map((persona) => [persona.key, persona.tracker]));
  const parts = await readParts(ctx, shown);
  return {
    items: shown.map((start) => ({
      id: visitId(start.visitor, start.no),
      visitorId: trackers.get(start.visitor) ?? "",
      ...assemble(parts.filter((part) => part.visitor === start.visitor && part.no === start.no)),
    })),
    nextCursor: starts.length > limit && last ? encodeCursor("visits", [last.at, last.visitor, last.no]) : null,
  };
}

interface PartRow {
  visitor: number;
  no: number;
  at: number;
  until: number;
  touch: string | null;
  events: number;
  /** JSON array of `{ url, title, at }`. */
  pages: string;
}

const StoredPages = z.array(z.object({ url: z.string().nullable(), title: z.string().nullable(), at: z.int() }));

async function readParts(ctx: Ctx, visits: { visitor: number; no: number }[]): Promise<PartRow[]> {
  const { results } = await sql(
    ctx.db,
    `select v.visitor, v.no, v.at, v.until, v.touch, json_array_length(v.path) as events, (
       select json_group_array(json_object('url', p.url, 'title', p.title, 'at', e.value ->> 1))
       from json_each(v.path) e left join pages p on p.key = e.value ->> 4 and p.shop = ?1
       where e.value ->> 2 = (select key from event_types where name = 'page_viewed')) as pages
     from json_each(?2) j join visits v on v.visitor = j.value ->> 0 and v.no = j.value ->> 1
     order by v.visitor, v.no, v.part`,
    ctx.shop.key,
    JSON.stringify(visits.map(({ visitor, no }) => [visitor, no])),
  ).all<PartRow>();
  return results;
}

function assemble(parts: PartRow[]) {
  const pages = parts.flatMap((part) => StoredPages.parse(JSON.parse(part.pages)));
  return {
    startedAt: iso(Math.min(...parts.map((part) => part.at))),
    endedAt: iso(Math.max(...parts.map((part) => part.until))),
    touch: showTouch(parts[0]?.touch ?? null),
    events: parts.reduce((sum, part) => sum + part.events, 0),
    pages: pages.toSorted((a, b) => a.at - b.at).map((page) => ({ ...page, at: iso(page.at) })),
  };
}
