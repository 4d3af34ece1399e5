import { z } from "zod";

import { decodeCursor, encodeCursor, type Page } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { iso } from "../lib/time";
import { messageItems } from "../messages";
import { type CommerceScope, readDerived } from "./commerce-items";
import { comparePlaces, entryPlace, type From, type PathEntry, type Persona, type Place, readPaths } from "./paths";
import { personasOf } from "./read";

/** One entry of a timeline, as the API answers it. */
export interface TimelineItem {
  id: string;
  type: string;
  at: string;
  visitId?: string;
  visitorId?: string;
  data: Record<string, unknown>;
}

export interface PageRequest {
  limit: number;
  cursor?: string | undefined;
}

/** Time and tie of the last item, then pairs of a persona's key and the visit to go on from. */
const Position = z.tuple([z.int(), z.string().max(300)]).rest(z.int().min(0));

/** What personas did and bought, newest first. For one browser's persona, or several. */
export async function visitorTimeline(ctx: Ctx, visitors: number[], page: PageRequest): Promise<Page<TimelineItem>> {
  const personas = await personasOf(ctx, { keys: visitors });
  return timeline(ctx, personas, { shop: ctx.shop.key, contact: null, personas: personas.map((p) => p.key) }, page);
}

/**
 * Everything of a contact, newest first: the events of all its personas with their own times, its orders and carts,
 * and what became of the contact itself.
 */
export async function contactTimeline(ctx: Ctx, contact: number, page: PageRequest): Promise<Page<TimelineItem>> {
  const personas = await personasOf(ctx, { contact });
  return timeline(ctx, personas, { shop: ctx.shop.key, contact, personas: personas.map((p) => p.key) }, page);
}

type Entry = Place & ({ path: PathEntry } | { item: TimelineItem });

async function timeline(
  ctx: Ctx,
  personas: Persona[],
  scope: CommerceScope,
  page: PageRequest,
): Promise<Page<TimelineItem>> {
  const position = page.cursor === undefined ? null : parsePosition(page.cursor);
  const need = page.limit + 1;
  const [paths, derived, messages] = await Promise.all([
    readPaths(ctx.db, personas, { before: position, from: position?.from ?? {}, need }),
    readDerived(ctx.db, scope, position, need),
    scope.contact === null ? [] : messageItems(ctx.db, scope.shop, scope.contact, position, need),
  ]);
  const personaOf = new Map(personas.map((persona) => [persona.key, persona]));
  const merged: Entry[] = [
    ...paths.entries.map((path) => ({ ...entryPlace(path), path })),
    ...[...derived, ...messages].map((row) => ({
      at: row.at,
      tie: row.tie,
      item: {
        id: row.id,
        type: row.type,
        at: iso(row.at),
        ...visitorId(row.visitor === null ? undefined : personaOf.get(row.visitor)),
        data: JSON.parse(row.data),
      },
    })),
  ].sort(comparePlaces);
  const shown = merged.slice(0, page.limit);
  const last = shown.at(-1);
  const more = merged.length > page.limit && last !== undefined;
  const facts = await readFacts(
    ctx,
    shown.flatMap((entry) => ("path" in entry ? [entry.path] : [])),
  );
  return {
    items: shown.map((entry) =>
      "item" in entry ? entry.item : browserItem(entry.path, facts.get(entry.tie), personaOf.get(entry.path.visitor)),
    ),
    nextCursor: more ? nextCursor(last, paths.after(last)) : null,
  };
}

function parsePosition(cursor: string): Place & { from: From } {
  const [at, tie, ...pairs] = decodeCursor("timeline", cursor, Position);
  const from: From = {};
  for (let i = 0; i + 1 < pairs.length; i += 2) from[pairs[i] ?? 0] = pairs[i + 1] ?? 0;
  return { at, tie, from };
}

function nextCursor(last: Place, from: From): string {
  return encodeCursor("timeline", [
    last.at,
    last.tie,
    ...Object.entries(from).flatMap(([visitor, no]) => [Number(visitor), no]),
  ]);
}

/** Server-side events have no browser to name. */
function visitorId(persona: Persona | undefined): { visitorId?: string } {
  return persona?.channel === "browser" ? { visitorId: persona.tracker } : {};
}

interface FactRow {
  visitor: number;
  seq: number;
  at: number;
  type: string | null;
  data: string | null;
  url: string | null;
  title: string | null;
}

/** What the events of a page carry, by their exact keys, by the tie of their place. */
async function readFacts(ctx: Ctx, entries: PathEntry[]): Promise<Map<string, FactRow>> {
  if (entries.length === 0) return new Map();
  const { results } = await sql(
    ctx.db,
    `select j.value ->> 0 as visitor, j.value ->> 1 as seq, j.value ->> 2 as at, t.name as type, e.data, p.url, p.title
     from json_each(?2) j
     left join events e on e.shop = ?1 and e.type = j.value ->> 3 and e.at = j.value ->> 2
       and e.visitor = j.value ->> 0 and e.seq = j.value ->> 1
     left join event_types t on t.key = j.value ->> 3
     left join pages p on p.key = j.value ->> 4 and p.shop = ?1`,
    ctx.shop.key,
    JSON.stringify(entries.map((e) => [e.visitor, e.seq, e.at, e.type, e.page])),
  ).all<FactRow>();
  return new Map(results.map((row) => [entryPlace({ ...row, no: 0, type: 0, id: "", page: null }).tie, row]));
}

function browserItem(path: PathEntry, facts: FactRow | undefined, persona: Persona | undefined): TimelineItem {
  return {
    id: path.id,
    type: facts?.type ?? "unknown",
    at: iso(path.at),
    visitId: visitId(path.visitor, path.no),
    ...visitorId(persona),
    data: {
      ...(facts?.url ? { url: facts.url } : {}),
      ...(facts?.title ? { title: facts.title } : {}),
      ...(facts?.data ? JSON.parse(facts.data) : {}),
    },
  };
}

/** A visit's public name. */
export function visitId(visitor: number, no: number): string {
  return `vis_${visitor}-${no}`;
}
