import { sql } from "../db/client";
import { AppError, type FieldError } from "../errors";
import type { SubjectKind } from "./compile";

/** Segments and lists by id: everybody in any of `include`, but nobody who is in any of `exclude`. */
export interface AudienceIds {
  include: string[];
  exclude: string[];
}

/** The same by key. */
export interface AudienceSets {
  include: Sets;
  exclude: Sets;
  /** Segments whose stored members are not, or not yet, those of their definition. */
  notLive: { id: string; state: "filling" | "paused" | "slow" }[];
}

interface Sets {
  segments: number[];
  lists: number[];
}

interface Found {
  of: "segments" | "lists";
  key: number;
  id: string;
  state: "live" | "filling" | "paused" | "slow";
}

/**
 * Finds the segments and lists of an audience. Throws `unprocessable`, pointing into `include` or `exclude`, for ids
 * that are none of this shop's, and where nothing is included.
 */
export async function findAudience(
  db: D1Database,
  shop: number,
  { include, exclude }: AudienceIds,
): Promise<AudienceSets> {
  const { results } = await sql(
    db,
    `select 'segments' as "of", key, id, state from segments
       where id in (select value from json_each(?2)) and +shop = ?1 and deleted_at is null
     union all select 'lists', key, id, 'live' from lists
       where id in (select value from json_each(?2)) and +shop = ?1 and deleted_at is null`,
    shop,
    JSON.stringify([...include, ...exclude]),
  ).all<Found>();
  const known = new Map(results.map((found) => [found.id, found]));
  const missing = (name: string, ids: string[]): FieldError[] =>
    ids.flatMap((id, i) =>
      known.has(id) ? [] : [{ pointer: `/${name}/${i}`, detail: "is no segment or list of this shop" }],
    );
  const errors = [...missing("include", include), ...missing("exclude", exclude)];
  if (include.length === 0) errors.push({ pointer: "/include", detail: "names nothing" });
  if (errors.length > 0) throw new AppError("unprocessable", "The audience names what is not there", { errors });
  const keys = (ids: string[], of: Found["of"]) => [
    ...new Set(results.filter((found) => found.of === of && ids.includes(found.id)).map(({ key }) => key)),
  ];
  const sets = (ids: string[]): Sets => ({ segments: keys(ids, "segments"), lists: keys(ids, "lists") });
  return {
    include: sets(include),
    exclude: sets(exclude),
    notLive: results.flatMap(({ id, state }) => (state === "live" ? [] : [{ id, state }])),
  };
}

/**
 * The next members of an audience of one kind, by ascending key, each once: contacts who are not in the trash, or
 * visitors who are nobody's contact. As stored now, so whoever wants them to be of one moment takes them down in one go
 * or keeps them.
 *
 * @param page after which key, 0 for the first, and how many
 * @returns fewer than `limit` only for the last
 */
export async function audienceMembers(
  db: D1Database,
  { include, exclude }: AudienceSets,
  kind: SubjectKind,
  page: { after: number; limit: number },
): Promise<number[]> {
  const isThere =
    kind === "contact"
      ? "exists (select 1 from contacts s where s.key = m.subject and s.deleted_at is null)"
      : "exists (select 1 from visitors s where s.key = m.subject and s.contact is null)";
  const isIn = (of: "segment" | "list", parameter: string) => `exists (select 1 from json_each(${parameter}) x
    cross join ${of}_members e on e.${of} = x.value and e.kind = ?2 and e.subject = m.subject)`;
  const statements = (["segment", "list"] as const).flatMap((of) =>
    include[`${of}s`].map((key) =>
      sql(
        db,
        `select m.subject from ${of}_members m where m.${of} = ?1 and m.kind = ?2 and m.subject > ?3 and ${isThere}
           and not ${isIn("segment", "?5")} and not ${isIn("list", "?6")} order by m.subject limit ?4`,
        key,
        kind,
        page.after,
        page.limit,
        JSON.stringify(exclude.segments),
        JSON.stringify(exclude.lists),
      ),
    ),
  );
  // Each gives its first ones, so the first ones of all are among them.
  const results = statements.length === 0 ? [] : await db.batch<{ subject: number }>(statements);
  const found = new Set(results.flatMap((one) => one.results.map(({ subject }) => subject)));
  return [...found].sort((a, b) => a - b).slice(0, page.limit);
}

/** How many contacts an audience has now, each once. */
export async function audienceSize(db: D1Database, { include, exclude }: AudienceSets): Promise<number> {
  const of = (table: "segment" | "list", parameter: string) =>
    `select m.subject from json_each(${parameter}) x cross join ${table}_members m on m.${table} = x.value and m.kind = 'contact'`;
  const row = await sql(
    db,
    `select count(*) as size from (${of("segment", "?1")} union ${of("list", "?2")}) m
     where exists (select 1 from contacts s where s.key = m.subject and s.deleted_at is null)
       and not exists (select 1 from json_each(?3) x cross join segment_members e
         on e.segment = x.value and e.kind = 'contact' and e.subject = m.subject)
       and not exists (select 1 from json_each(?4) x cross join list_members e
         on e.list = x.value and e.kind = 'contact' and e.subject = m.subject)`,
    JSON.stringify(include.segments),
    JSON.stringify(include.lists),
    JSON.stringify(exclude.segments),
    JSON.stringify(exclude.lists),
  ).first<{ size: number }>();
  return row?.size ?? 0;
}
