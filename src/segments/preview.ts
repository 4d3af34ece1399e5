import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { compile, type Compiled } from "./compile";
import type { SubjectKind } from "./compile/frame";
import { parseDefinition } from "./definition";
import { explain } from "./explain";
import { customFieldsOf, vocabulary } from "./membership/load";
import { readKnown } from "./change";
import { checkReferences, mentionsOf } from "./references";
import { asksForRfm, freshBounds } from "./rfm";
import type { Preview, PreviewRequest } from "./schemas";
import type { Definition, Node } from "./tree";

/** Members shown of an audience. */
const SAMPLE = 10;

interface Sets {
  segments: string[];
  lists: string[];
}

/** Everybody in any of these segments and lists, as conditions. */
function inAny({ segments, lists }: Sets, pointer: string): Node[] {
  const leaf = (of: "segment" | "list", ids: string[]) =>
    ids.map((id, i): Node => ({
      kind: "membership",
      pointer: `${pointer}/${of}s/${i}`,
      of,
      id,
      is: true,
      window: null,
    }));
  return [...leaf("segment", segments), ...leaf("list", lists)];
}

/**
 * An audience as one definition: a definition, or who is in any of the included segments and lists, without whoever is
 * in any of the excluded ones. Throws `validation_failed` or `unprocessable` where a part of it is wrong.
 */
export async function readAudience(ctx: Ctx, request: Omit<PreviewRequest, "shop">): Promise<Definition> {
  const { audience, definition, include, exclude } = request;
  if ((definition === undefined) === (include === undefined)) {
    throw new AppError("validation_failed", undefined, {
      errors: [{ pointer: "/definition", detail: "needs either a definition or what to include" }],
    });
  }
  const root: Node = include
    ? { kind: "any", nodes: inAny(include, "/include") }
    : parseDefinition(definition, vocabulary(ctx.shop, audience, await customFieldsOf(ctx.db, ctx.shop.key))).root;
  if ("nodes" in root && root.kind === "any" && root.nodes.length === 0) {
    throw new AppError("validation_failed", undefined, { errors: [{ pointer: "/include", detail: "names nothing" }] });
  }
  const without = exclude ? inAny(exclude, "/exclude") : [];
  const whole: Definition = {
    audience,
    root: without.length === 0 ? root : { kind: "all", nodes: [root, { kind: "none", nodes: without }] },
  };
  checkReferences(whole, null, await readKnown(ctx));
  if (asksForRfm(mentionsOf(whole).fields)) await freshBounds(ctx.db, ctx.shop.key, ctx.now);
  return whole;
}

/** How many an audience has now, and some of them. */
export async function previewAudience(
  ctx: Ctx,
  request: Omit<PreviewRequest, "shop">,
  wanted: { explain: boolean },
): Promise<Preview> {
  const { db, shop, now } = ctx;
  const definition = await readAudience(ctx, request);
  const question = compile(definition, shop, now, { ask: "count" });
  const page = compile(definition, shop, now, { ask: "page", after: null, limit: SAMPLE });
  const started = performance.now();
  const [counted, sampled] = await Promise.all([
    wanted.explain ? explain<{ count: number }>(db, question) : plain(db, question),
    db
      .prepare(page.sql)
      .bind(...page.values)
      .all<{ kind: SubjectKind; key: number }>(),
  ]);
  const count = counted.rows[0]?.count ?? 0;
  const sample = await publicIds(db, sampled.results);
  if (!wanted.explain) return { count, sample };
  return {
    count,
    sample,
    explanation: {
      rowsRead: counted.rowsRead,
      steps: counted.plan,
      sqlBytes: new TextEncoder().encode(question.sql).length,
      ms: Math.round(performance.now() - started),
    },
  };
}

async function plain(db: D1Database, { sql: text, values }: Compiled) {
  const { results, meta } = await db
    .prepare(text)
    .bind(...values)
    .all<{ count: number }>();
  return { rows: results, rowsRead: meta.rows_read, plan: [] };
}

/** What callers see of subjects: a contact's id, a visitor's. */
export async function publicIds(
  db: D1Database,
  rows: { kind: SubjectKind; key: number }[],
): Promise<{ kind: SubjectKind; id: string }[]> {
  const { results } = await sql(
    db,
    `select j.value ->> 0 as kind, iif(j.value ->> 0 = 'contact', (select id from contacts where key = j.value ->> 1),
       (select tracker from visitors where key = j.value ->> 1)) as id from json_each(?) j order by j.key`,
    JSON.stringify(rows.map(({ kind, key }) => [kind, key])),
  ).all<{ kind: SubjectKind; id: string | null }>();
  return results.flatMap(({ kind, id }) => (id === null ? [] : [{ kind, id }]));
}
