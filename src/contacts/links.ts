import { z } from "@hono/zod-openapi";

import { audit } from "../api/audit";
import { keyFrom, type Page, pageOf } from "../api/page";
import { MaybeTime, TimeSchema } from "../api/schemas";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { iso } from "../lib/time";
import { undoLink } from "../visitor";

export const ContactLinkSchema = z
  .strictObject({
    id: z.string(),
    visitorId: z.string().openapi({ description: "The tracker's id of the browser" }),
    person: z.int(),
    kind: z.string().openapi({ description: "What the browser claimed: email, phone or customer" }),
    at: TimeSchema,
    undoneAt: MaybeTime,
  })
  .openapi("ContactLink");

type ContactLink = z.infer<typeof ContactLinkSchema>;

interface LinkRow {
  key: number;
  id: string;
  tracker: string;
  person: number;
  kind: string;
  at: number;
  undoneAt: number | null;
}

/** Links to browsers that rest on nothing but what a browser claimed, the newest first. */
export async function contactLinks(
  ctx: Ctx,
  contact: number,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<ContactLink>> {
  const { results } = await sql(
    ctx.db,
    `select m.key, m.id, v.tracker, v.person, m.kind, m.at, m.undone_at as undoneAt
     from claims m join visitors v on v.key = m.visitor
     where m.shop = ?1 and m.contact = ?2 and m.key < ?3 order by m.key desc limit ?4`,
    ctx.shop.key,
    contact,
    keyFrom("links", cursor) ?? Number.MAX_SAFE_INTEGER,
    limit + 1,
  ).all<LinkRow>();
  return pageOf(
    "links",
    results,
    limit,
    (row) => [row.key],
    (row) => ({
      id: row.id,
      visitorId: row.tracker,
      person: row.person,
      kind: row.kind,
      at: iso(row.at),
      undoneAt: iso(row.undoneAt),
    }),
  );
}

/**
 * Takes a claimed link back: the browser's history is anonymous again and its carts are nobody's. Throws 404 for
 * another contact's link or one taken back before, 409 when the link was verified meanwhile.
 */
export async function undoContactLink(ctx: Ctx, contact: { key: number; id: string }, claim: string): Promise<void> {
  const { db, shop, now } = ctx;
  const row = await sql(
    db,
    `select v.key as visitor, v.tracker, v.person, v.contact, v.evidence from claims m join visitors v on v.key = m.visitor
     where m.id = ?3 and m.shop = ?1 and m.contact = ?2 and m.undone_at is null`,
    shop.key,
    contact.key,
    claim,
  ).first<{ visitor: number; tracker: string; person: number; contact: number | null; evidence: string | null }>();
  if (!row) throw new AppError("not_found");
  if (row.contact === contact.key && row.evidence === "verified") {
    throw new AppError("conflict", "This link was verified in the meantime");
  }
  await undoLink(ctx.env, shop, row.tracker, row.person);
  const values = [shop.key, contact.key, row.visitor] as const;
  await db.batch([
    sql(
      db,
      `update carts set contact = null where +shop = ?1 and contact = ?2 and visitor = ?3 and exists (
         select 1 from visitors where key = ?3 and contact = ?2 and evidence = 'claimed')`,
      ...values,
    ),
    sql(
      db,
      `update visitors set contact = null, evidence = null, linked_at = null
       where shop = ?1 and contact = ?2 and key = ?3 and evidence = 'claimed'`,
      ...values,
    ),
    sql(
      db,
      `update claims set undone_at = ?4 where shop = ?1 and contact = ?2 and visitor = ?3 and undone_at is null`,
      ...values,
      now,
    ),
    audit(ctx, "contact.link_undone", contact.id, [claim]),
  ]);
}
