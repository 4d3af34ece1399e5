import { sql } from "../db/client";
import { asAppError } from "../errors";
import { compile, type SubjectKind } from "../segments";
import { customFieldsOf } from "../segments/rest";
import type { Shop } from "../shops";
import { type Asked, type Automation, parseAutomation } from "./definition";

/** A definition that was read, or why it cannot be any more. */
export type Loaded = { automation: Automation } | { problem: string };

const parsed = new Map<string, Automation>();
const MOST_KEPT = 500;

/** The name of a version in what `loadVersions` gives. */
export const versionName = (automation: number, version: number) => `${automation}:${version}`;

/**
 * Reads versions of a shop's automations, by `versionName`. A version never changes, so it is read once per isolate as
 * long as the shop's fields are the same.
 */
export async function loadVersions(
  db: D1Database,
  shop: Shop,
  wanted: { automation: number; version: number }[],
): Promise<Map<string, Loaded>> {
  const loaded = new Map<string, Loaded>();
  if (wanted.length === 0) return loaded;
  const customFields = await customFieldsOf(db, shop.key);
  const print = JSON.stringify([shop.key, shop.domain, customFields.map(({ name, type }) => [name, type])]);
  const left: [number, number][] = [];
  for (const { automation, version } of wanted) {
    const known = parsed.get(`${automation}:${version} ${print}`);
    if (known) loaded.set(versionName(automation, version), { automation: known });
    else left.push([automation, version]);
  }
  if (left.length === 0) return loaded;
  const { results } = await sql(
    db,
    `select v.automation, v.version, v.definition from json_each(?1) j cross join automation_versions v
       on v.automation = j.value ->> 0 and v.version = j.value ->> 1`,
    JSON.stringify(left),
  ).all<{ automation: number; version: number; definition: string }>();
  if (parsed.size > MOST_KEPT) parsed.clear();
  for (const { automation, version, definition } of results) {
    const read = readVersion(definition, shop, customFields);
    loaded.set(versionName(automation, version), read);
    if ("automation" in read) parsed.set(`${automation}:${version} ${print}`, read.automation);
  }
  return loaded;
}

function readVersion(definition: string, shop: Shop, customFields: Awaited<ReturnType<typeof customFieldsOf>>): Loaded {
  try {
    return {
      automation: parseAutomation(JSON.parse(definition), { stores: [shop.id, shop.domain], customFields }, null),
    };
  } catch (error) {
    const { errors, message } = asAppError(error);
    const [first] = errors ?? [];
    return { problem: first ? `${first.pointer} ${first.detail}` : message };
  }
}

/** One condition asked of several subjects of a kind. */
export interface Question {
  asked: Asked;
  kind: SubjectKind;
  subjects: number[];
}

/**
 * Answers questions with one batch: for each the subjects for whom the condition holds, or why it could not be asked.
 */
export async function answer(
  db: D1Database,
  shop: Shop,
  questions: Question[],
  now: number,
): Promise<({ holds: Set<number> } | { problem: string })[]> {
  const compiled = questions.map(
    ({ asked, kind, subjects }): { statement: D1PreparedStatement } | { problem: string } => {
      try {
        const { sql: text, values } = compile(asked.condition, shop, now, {
          ask: "among",
          kind,
          keys: subjects,
          also: () => [],
        });
        return { statement: db.prepare(text).bind(...values) };
      } catch (error) {
        return { problem: asAppError(error).message };
      }
    },
  );
  const statements = compiled.flatMap((one) => ("statement" in one ? [one.statement] : []));
  const results = statements.length === 0 ? [] : await db.batch<{ key: number; member: number }>(statements);
  let next = 0;
  return compiled.map((one) => {
    if ("problem" in one) return { problem: one.problem };
    const rows = results[next++]?.results ?? [];
    return { holds: new Set(rows.filter(({ member }) => member === 1).map(({ key }) => key)) };
  });
}
