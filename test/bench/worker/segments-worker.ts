/** Compiles segments for the bench, and evaluates one subject against many, where the product does: in the Worker. */
import { compile, type CustomField, parseDefinition } from "../../../src/segments";
import { evaluate } from "../../../src/segments/membership/evaluate";
import { readDefinitions } from "../../../src/segments/membership/load";
import { updateMembership } from "../../../src/segments/rest";
import { findShop } from "../../../src/shops";
import type { AskedSegment, Filled, SegmentOrder } from "./segment-order";

export * from "../../../src/index";

const SHOP = { key: 1, currency: "EUR", timezone: "Europe/Berlin" };

const FIELDS: CustomField[] = [
  { name: "plan", label: "Plan", type: "text", options: [] },
  { name: "birthday", label: "Birthday", type: "date", options: [] },
];

const parse = ({ audience, definition }: AskedSegment) =>
  parseDefinition(definition, { audience, stores: [], customFields: FIELDS });

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const order: SegmentOrder = await request.json();
    if (order.do === "compile") {
      return Response.json(compile(parse(order.asked), SHOP, order.now, { ask: "count" }));
    }
    if (order.do === "fill") return Response.json(await fill(env, order.asked, order.now));
    return Response.json({ members: await lookAt(env, order.asked, order.now, order.contacts) });
  },
} satisfies ExportedHandler<Env>;

/** What every change of a contact starts: stored definitions are read and their questions asked, one batch a contact. */
async function lookAt(env: Env, asked: AskedSegment[], now: number, contacts: number[]): Promise<number> {
  const shop = await findShop(env.DB, SHOP.key);
  if (!shop) throw new Error("there is no shop");
  const stored = asked.map(({ audience, definition }, i) => ({
    key: i + 1,
    id: `seg_${i}`,
    version: 1,
    state: "live" as const,
    audience,
    filledKind: null,
    filledTo: null,
    announces: 0,
    definition: JSON.stringify(definition),
  }));
  let members = 0;
  for (const key of contacts) {
    const { read, broken } = readDefinitions(shop, stored, FIELDS);
    const { verdicts, faults } = await evaluate(env.DB, shop, read, { contact: [key], visitor: [] }, now, NO_LIMITS);
    const [problem] = [...broken, ...faults];
    if (problem) throw new Error(problem.problem);
    members += verdicts.filter(({ member }) => member).length;
  }
  return members;
}

const NO_LIMITS = { rows: Number.MAX_SAFE_INTEGER, ms: Number.MAX_SAFE_INTEGER };
const DAY_MS = 86_400_000;

async function fill(env: Env, { audience, definition }: AskedSegment, now: number): Promise<Filled> {
  const db = env.DB;
  await db.batch([
    db
      .prepare(
        `insert into segments (key, id, shop, name, audience, definition, state, created_at, updated_at)
         values (1, 'seg_bench', 1, 'Bench', ?1, ?2, 'filling', ?3, ?3)`,
      )
      .bind(audience, JSON.stringify(definition), now),
    db
      .prepare(
        `insert into jobs (id, shop, kind, state, input, created_at, updated_at)
         values ('job_bench', 1, 'segments.fill', 'running', '{"segment":1,"version":1}', ?1, ?1)`,
      )
      .bind(now),
  ]);
  try {
    const started = Date.now();
    while ((await updateMembership(env, 1, now, NO_LIMITS)).more);
    const fillMs = Date.now() - started;
    const row = await db
      .prepare(
        `select s.size, (select count(*) from segment_rechecks) as waiting, s.state, s.problem from segments s where s.key = 1`,
      )
      .first<{ size: number; waiting: number; state: string; problem: string | null }>();
    if (row?.state !== "live") throw new Error(`not filled: ${row?.problem}`);
    const later = Date.now();
    let swept = 0;
    for (let more = true; more;) {
      const run = await updateMembership(env, 1, now + DAY_MS, NO_LIMITS);
      swept += run.looked;
      more = run.more;
    }
    return { fillMs, size: row.size, waiting: row.waiting, swept, sweepMs: Date.now() - later };
  } finally {
    const tables = [
      "segments",
      "segment_members",
      "segment_rechecks",
      "segment_history",
      "segment_sizes",
      "segment_turns",
    ];
    await db.batch([
      ...tables.map((table) => db.prepare(`delete from ${table}`)),
      db.prepare("delete from jobs where id = 'job_bench'"),
      db.prepare("delete from outbox"),
    ]);
  }
}
