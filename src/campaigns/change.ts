import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { onConflictRetry, sql } from "../db/client";
import { mustHold } from "../db/guard";
import { AppError, type FieldError } from "../errors";
import { newId } from "../lib/ids";
import { findAudience } from "../segments/rest";
import { contradictions, DEFAULTS, Definition } from "./definition";
import { type CampaignRow, findCampaign, readCampaign, stateOf } from "./read";
import type { CampaignPatch, CampaignShown, NewCampaign } from "./schemas";

const MOST_CAMPAIGNS = 10_000;

/** Adds a campaign as a draft: nothing is sent before `/send`. */
export async function createCampaign(ctx: Ctx, input: NewCampaign): Promise<CampaignShown> {
  const { db, shop, now } = ctx;
  const { shop: _, name, channel, ...given } = input;
  const definition = await checked(ctx, channel, defined(given, null));
  const id = newId("cmp", now);
  const [made] = await db.batch([
    sql(
      db,
      `insert into campaigns (shop, id, name, channel, state, definition, created_at, updated_at)
       select ?1, ?2, ?3, ?4, 'draft', ?5, ?6, ?6
       where (select count(*) from campaigns where shop = ?1 and deleted_at is null) < ?7 returning key`,
      shop.key,
      id,
      name,
      channel,
      JSON.stringify(definition),
      now,
      MOST_CAMPAIGNS,
    ),
    audit(ctx, "campaign.created", id),
  ]);
  if (made?.results.length === 0) {
    throw new AppError("unprocessable", `A shop has at most ${MOST_CAMPAIGNS} campaigns`);
  }
  return readCampaign(ctx, id);
}

/** Changes a draft; a name at any time. Throws 409 for anything else. */
export async function updateCampaign(ctx: Ctx, row: CampaignRow, patch: CampaignPatch): Promise<CampaignShown> {
  const { db, now } = ctx;
  const { name, ...given } = patch;
  await onConflictRetry(async () => {
    const before = (await findCampaign(db, row.id)) ?? row;
    const changes = Object.keys(given).length > 0;
    if (changes && before.state !== "draft") {
      throw new AppError("conflict", `It is ${stateOf(before)}: only a draft can be changed`);
    }
    const stored = Definition.parse(JSON.parse(before.definition));
    const definition = changes ? await checked(ctx, before.channel, defined(given, stored)) : stored;
    await db.batch([
      mustHold(
        db,
        "exists (select 1 from campaigns where key = ?1 and state = ?2 and definition = ?3)",
        before.key,
        before.state,
        before.definition,
      ),
      sql(
        db,
        "update campaigns set name = ?2, definition = ?3, updated_at = ?4 where key = ?1",
        before.key,
        name ?? before.name,
        JSON.stringify(definition),
        now,
      ),
      audit(ctx, "campaign.updated", row.id, Object.keys(patch)),
    ]);
  });
  return readCampaign(ctx, row.id);
}

/** Hides a campaign that is a draft or over; its deliveries stay. Throws 409 for one that is on its way. */
export async function deleteCampaign(ctx: Ctx, row: CampaignRow): Promise<void> {
  if (["scheduled", "preparing", "sending", "paused"].includes(stateOf(row))) {
    throw new AppError("conflict", `It is ${stateOf(row)}: cancel it first`);
  }
  await ctx.db.batch([
    sql(ctx.db, "update campaigns set deleted_at = ?2, due_at = null where key = ?1", row.key, ctx.now),
    audit(ctx, "campaign.deleted", row.id),
  ]);
}

type Given = Omit<CampaignPatch, "name">;

/** The whole definition, with the defaults for what is new. Throws `validation_failed` for contradictions. */
function defined(given: Given, stored: Definition | null): Definition {
  const { templateId, ...rest } = given;
  const single = templateId === undefined ? {} : { variants: [{ name: "A", templateId, weight: 1 }] };
  const definition = Definition.parse({ ...DEFAULTS, ...stored, ...rest, ...single });
  const errors = contradictions(definition);
  if (errors.length > 0) throw new AppError("validation_failed", undefined, { errors });
  return definition;
}

/** The same, if all that it names is there. Throws `unprocessable` with pointers. */
export async function checked(ctx: Ctx, channel: CampaignRow["channel"], definition: Definition): Promise<Definition> {
  const { db, shop } = ctx;
  await findAudience(db, shop.key, definition);
  const named = definition.variants.map(({ templateId }) => templateId);
  const [templates, senders] = await db.batch<{ id: string }>([
    sql(
      db,
      `select id from templates where id in (select value from json_each(?2)) and +shop = ?1 and channel = ?3 and deleted_at is null`,
      shop.key,
      JSON.stringify(named),
      channel,
    ),
    sql(
      db,
      `select id from senders where id = ?2 and +shop = ?1 and channel = ?3
         and exists (select 1 from json_each(classes) where value = 'marketing')`,
      shop.key,
      definition.senderId,
      channel,
    ),
  ]);
  const known = new Set(templates?.results.map(({ id }) => id));
  const errors: FieldError[] = named.flatMap((id, i) =>
    known.has(id) ? [] : [{ pointer: `/variants/${i}/templateId`, detail: "is no template of this channel" }],
  );
  if (definition.senderId !== null && senders?.results.length === 0) {
    errors.push({ pointer: "/senderId", detail: "is no sender of this channel that carries marketing" });
  }
  if (errors.length > 0) throw new AppError("unprocessable", "The campaign names what is not there", { errors });
  return definition;
}
