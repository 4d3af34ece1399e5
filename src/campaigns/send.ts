import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { isConflict, sql } from "../db/client";
import { mustHold } from "../db/guard";
import { AppError } from "../errors";
import { armClock } from "../jobs";
import { newId } from "../lib/ids";
import { findAudience } from "../segments/rest";
import { beginsAt } from "./assign";
import { checked } from "./change";
import { Definition, type Pins } from "./definition";
import { type CampaignRow, readCampaign, stateOf } from "./read";
import type { CampaignShown } from "./schemas";
import { continueCampaign } from "./work";

/**
 * Sends a draft, or puts it on the clock: from here on the templates and the sender are those of now. Throws 409 for
 * what is not a draft, 422 where something it names is gone or a segment does not keep its members.
 */
export async function sendCampaign(ctx: Ctx, row: CampaignRow): Promise<CampaignShown> {
  const { env, db, shop, now } = ctx;
  if (row.state !== "draft") throw new AppError("conflict", `It is ${stateOf(row)}: only a draft can be sent`);
  const definition = await checked(ctx, row.channel, Definition.parse(JSON.parse(row.definition)));
  const { notLive } = await findAudience(db, shop.key, definition);
  const stuck = notLive.filter(({ state }) => state !== "filling").map(({ id }) => id);
  if (stuck.length > 0) {
    throw new AppError("unprocessable", `Segments that do not keep their members: ${stuck.join(", ")}`);
  }
  const pins = await pinsOf(ctx, definition);
  const at = beginsAt(definition.schedule, now);
  await armClock(env, shop.key, now);
  const begins = at <= now;
  const job = newId("job", now);
  try {
    await db.batch([
      mustHold(
        db,
        "exists (select 1 from campaigns where key = ?1 and state = 'draft' and definition = ?2 and deleted_at is null)",
        row.key,
        row.definition,
      ),
      sql(
        db,
        "update campaigns set state = 'scheduled', pins = ?2, due_at = ?3, error = null, updated_at = ?4 where key = ?1",
        row.key,
        JSON.stringify(pins),
        at,
        now,
      ),
      ...(begins ? beginStatements(db, { key: row.key, shop: shop.key }, job, now) : []),
      audit(ctx, "campaign.sent", row.id),
    ]);
  } catch (error) {
    if (isConflict(error)) throw new AppError("conflict", "It was changed meanwhile");
    throw error;
  }
  if (begins) await continueCampaign(env, { id: job, shop: shop.key }, now);
  return readCampaign(ctx, row.id);
}

/** A scheduled campaign begins: the job takes down whom it goes to. Nothing for one that is not scheduled any more. */
export function beginStatements(
  db: D1Database,
  campaign: { key: number; shop: number },
  job: string,
  now: number,
): D1PreparedStatement[] {
  return [
    sql(
      db,
      `insert into jobs (id, shop, kind, state, input, created_at, updated_at)
       select ?2, ?3, 'campaigns.work', 'running', ?4, ?5, ?5 from campaigns where key = ?1 and state = 'scheduled'`,
      campaign.key,
      job,
      campaign.shop,
      JSON.stringify({ campaign: campaign.key, work: "audience" }),
      now,
    ),
    sql(
      db,
      `update campaigns set state = 'preparing', started_at = ?3, due_at = null, job = ?2, updated_at = ?3
       where key = ?1 and state = 'scheduled'`,
      campaign.key,
      job,
      now,
    ),
  ];
}

async function pinsOf({ db, shop }: Ctx, { variants, senderId }: Definition): Promise<Pins> {
  const { results } = await sql(
    db,
    "select id, key, version from templates where id in (select value from json_each(?2)) and +shop = ?1",
    shop.key,
    JSON.stringify(variants.map(({ templateId }) => templateId)),
  ).all<{ id: string; key: number; version: number }>();
  const sender =
    senderId === null ? null : await sql(db, "select key from senders where id = ?", senderId).first<{ key: number }>();
  const templates = variants.flatMap(({ name, templateId }): [string, [number, number]][] => {
    const found = results.find(({ id }) => id === templateId);
    return found ? [[name, [found.key, found.version]]] : [];
  });
  return { templates: Object.fromEntries(templates), sender: sender?.key ?? null };
}
