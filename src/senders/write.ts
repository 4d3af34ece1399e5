import { z } from "zod";

import { audit } from "../api/audit";
import { config } from "../config";
import type { Ctx } from "../context";
import { onConflictRetry, sql } from "../db/client";
import { AppError } from "../errors";
import { seal } from "../lib/crypto";
import { newId } from "../lib/ids";
import { factsOf, isProvider, type ProviderName } from "../messages/providers";
import { type Credentials, credentialProblems, type NewSender, senderProblems, type SenderPatch } from "./schemas";
import { classesOf, findSender, type SenderRow } from "./sender";

/** Senders of one shop: all of them are read whenever one is chosen. */
const MOST_SENDERS = 50;

/** Makes a sender. Throws 400 for what does not fit together and 422 above fifty. */
export async function createSender(ctx: Ctx, input: NewSender): Promise<SenderRow> {
  const { provider, credentials, from } = input;
  const classes = input.classes ?? [...(factsOf(provider).marketing ? ["marketing" as const] : []), "transactional"];
  refuse([...senderProblems({ ...input, classes }), ...credentialProblems(provider, credentials)]);
  const id = newId("snd", ctx.now);
  const sealed = await sealedOf(ctx, credentials);
  await onConflictRetry(async () => {
    const [, inserted] = await ctx.db.batch([
      ...yieldDefault(ctx, input.channel, input.default === true),
      sql(
        ctx.db,
        `insert into senders (id, shop, channel, provider, name, from_address, from_name, reply_to, postal_address,
           classes, base_url, dkim_selectors, credentials, credential_names, per_minute, is_default, created_at, updated_at)
         select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
           coalesce(?16, not exists (select 1 from senders where shop = ?2 and channel = ?3 and is_default = 1)), ?17, ?17
         where (select count(*) from senders where shop = ?2) < ?18`,
        id,
        ctx.shop.key,
        input.channel,
        provider,
        input.name ?? from.name ?? from.address,
        from.address,
        from.name,
        input.replyTo,
        input.postalAddress,
        JSON.stringify([...new Set(classes)].sort()),
        input.baseUrl,
        JSON.stringify(input.dkimSelectors),
        sealed,
        JSON.stringify(Object.keys(credentials).sort()),
        input.perMinute,
        input.default ?? null,
        ctx.now,
        MOST_SENDERS,
      ),
      audit(ctx, "sender.created", id, ["channel", "provider", "from"]),
    ]);
    if (inserted?.meta.changes === 0) throw new AppError("unprocessable", `A shop has at most ${MOST_SENDERS} senders`);
  });
  return readRow(ctx, id);
}

/** Absent keys stay as they are; credentials are replaced as a whole. */
export async function updateSender(ctx: Ctx, row: SenderRow, patch: SenderPatch): Promise<SenderRow> {
  const provider = providerOf(row);
  const whole = {
    channel: row.channel,
    provider,
    from: patch.from ?? { address: row.fromAddress, name: row.fromName },
    replyTo: patch.replyTo === undefined ? row.replyTo : patch.replyTo,
    postalAddress: patch.postalAddress === undefined ? row.postalAddress : patch.postalAddress,
    classes: patch.classes ?? classesOf(row),
  };
  const { credentials } = patch;
  refuse([...senderProblems(whole), ...(credentials ? credentialProblems(provider, credentials) : [])]);
  await onConflictRetry(async () => {
    await ctx.db.batch([
      ...yieldDefault(ctx, row.channel, patch.default === true),
      sql(
        ctx.db,
        `update senders set name = ?3, from_address = ?4, from_name = ?5, reply_to = ?6, postal_address = ?7, classes = ?8,
           base_url = ?9, dkim_selectors = ?10, credentials = ?11, credential_names = ?12, per_minute = ?13,
           is_default = ?14, updated_at = ?15 where key = ?1 and shop = ?2`,
        row.key,
        ctx.shop.key,
        patch.name ?? row.name,
        whole.from.address,
        whole.from.name,
        whole.replyTo,
        whole.postalAddress,
        JSON.stringify([...new Set(whole.classes)].sort()),
        patch.baseUrl === undefined ? row.baseUrl : patch.baseUrl,
        patch.dkimSelectors ? JSON.stringify(patch.dkimSelectors) : row.dkimSelectors,
        credentials ? await sealedOf(ctx, credentials) : row.credentials,
        credentials ? JSON.stringify(Object.keys(credentials).sort()) : row.credentialNames,
        patch.perMinute === undefined ? row.perMinute : patch.perMinute,
        patch.default ?? row.isDefault,
        ctx.now,
      ),
      audit(ctx, "sender.updated", row.id, Object.keys(patch)),
    ]);
  });
  return readRow(ctx, row.id);
}

/** Its credentials go with it. What waits to be sent goes by another sender, or fails for want of one. */
export async function deleteSender(ctx: Ctx, row: SenderRow): Promise<void> {
  await ctx.db.batch([
    sql(ctx.db, "delete from senders where key = ? and shop = ?", row.key, ctx.shop.key),
    audit(ctx, "sender.deleted", row.id),
  ]);
}

export function providerOf(row: SenderRow): ProviderName {
  if (!isProvider(row.provider))
    throw new AppError("unprocessable", `The provider ${row.provider} is not known any more`);
  return row.provider;
}

/** Makes room for another default of the channel, in the batch that sets it. */
function yieldDefault(ctx: Ctx, channel: string, wanted: boolean): D1PreparedStatement[] {
  const text = "update senders set is_default = 0 where shop = ? and channel = ? and is_default = 1 and ?";
  return [sql(ctx.db, text, ctx.shop.key, channel, wanted)];
}

async function sealedOf(ctx: Ctx, credentials: Credentials): Promise<string | null> {
  const given = z.record(z.string(), z.string()).parse(credentials);
  if (Object.keys(given).length === 0) return null;
  return seal(config(ctx.env).sealingKeys, JSON.stringify(given));
}

function refuse(errors: { pointer: string; detail: string }[]): void {
  if (errors.length === 0) return;
  const detail = errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join("; ");
  throw new AppError("validation_failed", `The sender does not fit together: ${detail}`, { errors });
}

async function readRow(ctx: Ctx, id: string): Promise<SenderRow> {
  const row = await findSender(ctx.db, id);
  if (row?.shop !== ctx.shop.key) throw new AppError("not_found");
  return row;
}
