import { and, desc, eq, lt } from "drizzle-orm";
import { z } from "zod";

import { keyFrom, type Page, pageOf } from "../api/page";
import { config } from "../config";
import type { Ctx } from "../context";
import { orm } from "../db/client";
import { iso } from "../lib/time";
import type { SenderAnswer } from "./schemas";
import { classesOf, feedbackUrl, type SenderRow } from "./sender";
import { senders } from "./tables";
import { providerOf } from "./write";

const Names = z.array(z.string());

/**
 * A sender as the API shows it; its credentials stay sealed.
 *
 * @param address of the request, whose origin the provider can reach too unless `PUBLIC_ORIGIN` is set
 */
export function showSender(ctx: Ctx, row: SenderRow, address: string): SenderAnswer {
  const provider = providerOf(row);
  return {
    id: row.id,
    shopId: ctx.shop.id,
    channel: row.channel,
    provider,
    name: row.name,
    from: { address: row.fromAddress, name: row.fromName },
    replyTo: row.replyTo,
    postalAddress: row.postalAddress,
    classes: classesOf(row),
    default: row.isDefault,
    credentialNames: Names.parse(JSON.parse(row.credentialNames)),
    baseUrl: row.baseUrl,
    dkimSelectors: Names.parse(JSON.parse(row.dkimSelectors)),
    perMinute: row.perMinute,
    feedbackUrl: feedbackUrl(config(ctx.env).publicOrigin ?? new URL(address).origin, row),
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}

/** The shop's senders, newest first. */
export async function listSenders(
  ctx: Ctx,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  address: string,
): Promise<Page<SenderAnswer>> {
  const before = keyFrom("senders", cursor);
  const rows = await orm(ctx.db)
    .select()
    .from(senders)
    .where(and(eq(senders.shop, ctx.shop.key), before === null ? undefined : lt(senders.key, before)))
    .orderBy(desc(senders.key))
    .limit(limit + 1);
  return pageOf(
    "senders",
    rows,
    limit,
    (row) => [row.key],
    (row) => showSender(ctx, row, address),
  );
}
