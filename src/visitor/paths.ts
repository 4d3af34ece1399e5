import { z } from "zod";

import { sql } from "../db/client";

/** One browser, or one contact's server-side events, as the readers of paths need it. */
export interface Persona {
  key: number;
  tracker: string;
  channel: "browser" | "api";
  lastSeenAt: number;
}

/** One event as a visit's path names it. */
export interface PathEntry {
  visitor: number;
  no: number;
  seq: number;
  at: number;
  type: number;
  id: string;
  page: number | null;
}

/** A place in a timeline: newest first by time, then by `tie`, which no two items share. */
export interface Place {
  at: number;
  tie: string;
}

/** Per persona, by its key: the highest visit that may still hold something older than the place. */
export type From = Record<number, number>;

const StoredPath = z.array(z.tuple([z.number(), z.number(), z.number(), z.string(), z.number().nullable()]));

/** Parts read at once per persona. */
const CHUNK = 20;
/** Personas read in one batch. */
const BATCH = 20;

/**
 * An event is refused when it is older than this on arrival. So everything in an earlier part of a visitor's path
 * happened before the first event of a later part plus this.
 */
const LATEST_ARRIVAL_MS = 7 * 86_400_000;

const pad = (n: number) => String(n).padStart(16, "0");

export function entryPlace(entry: PathEntry): Place {
  return { at: entry.at, tie: `e${pad(entry.visitor)}${pad(entry.seq)}` };
}

/** Negative when `a` comes before `b` in a timeline, which is when it is newer. */
export function comparePlaces(a: Place, b: Place): number {
  if (a.at !== b.at) return b.at - a.at;
  return a.tie === b.tie ? 0 : a.tie > b.tie ? -1 : 1;
}

interface PartRow {
  no: number;
  part: number;
  at: number;
  path: string | null;
}

interface Source {
  visitor: number;
  /** Read parts come before this one. */
  no: number;
  part: number;
  /** Nothing unread is newer. */
  newest: number;
  done: boolean;
  /** What was read, and the oldest place in it; null where the path was left out as too old to matter. */
  parts: { no: number; oldest: Place | null }[];
}

export interface PathPage {
  entries: PathEntry[];
  /** Where the page after the given last place starts. */
  after: (last: Place) => From;
}

/**
 * The `need` newest events of these personas that are older than `before`, newest first. Reads parts from each
 * persona's newest one (or `from`) downwards, only as many as the answer can depend on.
 */
export async function readPaths(
  db: D1Database,
  personas: Persona[],
  { before, from, need }: { before: Place | null; from: From; need: number },
): Promise<PathPage> {
  const sources: Source[] = personas.map((persona) => ({
    visitor: persona.key,
    no: (from[persona.key] ?? Number.MAX_SAFE_INTEGER - 1) + 1,
    part: 0,
    newest: persona.lastSeenAt + LATEST_ARRIVAL_MS,
    done: false,
    parts: [],
  }));
  const entries: PathEntry[] = [];
  let threshold = 0;
  for (;;) {
    const open = sources
      .filter((source) => !source.done && source.newest >= threshold)
      .sort((a, b) => b.newest - a.newest)
      .slice(0, BATCH);
    if (open.length === 0) break;
    const chunks = await db.batch<PartRow>(open.map((source) => readChunk(db, source, threshold)));
    chunks.forEach(({ results }, i) => {
      const source = open[i];
      if (!source) return;
      for (const row of results) entries.push(...takePart(source, row, before));
      const last = results.at(-1);
      source.done = results.length < CHUNK;
      if (last) Object.assign(source, { no: last.no, part: last.part, newest: last.at + LATEST_ARRIVAL_MS });
    });
    entries.sort((a, b) => comparePlaces(entryPlace(a), entryPlace(b)));
    entries.length = Math.min(entries.length, need);
    if (entries.length === need) threshold = entries.at(-1)?.at ?? 0;
  }
  return { entries, after: (last) => startAfter(sources, from, last) };
}

function readChunk(db: D1Database, source: Source, threshold: number): D1PreparedStatement {
  return sql(
    db,
    `select no, part, at, iif(until >= ?4, path, null) as path from visits
     where visitor = ?1 and no <= ?2 and (no < ?2 or part < ?3) order by no desc, part desc limit ${CHUNK}`,
    source.visitor,
    source.no,
    source.part,
    threshold,
  );
}

function takePart(source: Source, row: PartRow, before: Place | null): PathEntry[] {
  if (row.path === null) {
    source.parts.push({ no: row.no, oldest: null });
    return [];
  }
  const all = StoredPath.parse(JSON.parse(row.path)).map(([seq, at, type, id, page]): PathEntry => ({
    visitor: source.visitor,
    no: row.no,
    seq,
    at,
    type,
    id,
    page,
  }));
  const places = all.map(entryPlace).sort(comparePlaces);
  const oldest = places.at(-1);
  if (oldest) source.parts.push({ no: row.no, oldest });
  return before === null ? all : all.filter((entry) => comparePlaces(entryPlace(entry), before) > 0);
}

function startAfter(sources: Source[], before: From, last: Place): From {
  const from: From = {};
  for (const source of sources) {
    const left = source.parts.find((part) => part.oldest === null || comparePlaces(part.oldest, last) > 0);
    if (left) from[source.visitor] = left.no;
    else if (source.done) from[source.visitor] = 0;
    else if (source.parts.length > 0) from[source.visitor] = source.no;
    else if (before[source.visitor] !== undefined) from[source.visitor] = before[source.visitor] ?? 0;
  }
  return from;
}
