import { z } from "@hono/zod-openapi";

import { MaybeText, MaybeTime, TimeSchema } from "../api/schemas";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { iso } from "../lib/time";
import { unpack } from "./body";

/** A message in the export of everything that is stored about a person. */
export const ExportedMessageSchema = z.strictObject({
  id: z.string(),
  channel: z.string(),
  class: z.string(),
  state: z.string(),
  createdAt: TimeSchema,
  sentAt: MaybeTime,
  openedAt: MaybeTime,
  clickedAt: MaybeTime,
  subject: MaybeText,
  text: MaybeText.openapi({ description: "As long as it is kept" }),
});

/** Messages of one export. */
const MOST = 1_000;

interface Row {
  id: string;
  channel: string;
  class: string;
  state: string;
  createdAt: number;
  sentAt: number | null;
  openedAt: number | null;
  clickedAt: number | null;
  subject: string | null;
  text: string | null;
}

/** What was sent to a contact, newest first. */
export async function exportMessages(ctx: Ctx, contact: number): Promise<z.infer<typeof ExportedMessageSchema>[]> {
  const { results } = await sql(
    ctx.db,
    `select d.id, d.channel, d.class, d.state, d.created_at as createdAt, d.sent_at as sentAt, d.opened_at as openedAt,
       d.clicked_at as clickedAt, b.subject, b.text
     from deliveries d indexed by deliveries_contact left join delivery_bodies b on b.delivery = d.key
     where d.contact = ?2 and d.shop = ?1 order by d.key desc limit ?3`,
    ctx.shop.key,
    contact,
    MOST,
  ).all<Row>();
  return Promise.all(
    results.map(async (row) => ({
      ...row,
      createdAt: iso(row.createdAt),
      sentAt: iso(row.sentAt),
      openedAt: iso(row.openedAt),
      clickedAt: iso(row.clickedAt),
      text: row.text ? await unpack(row.text) : null,
    })),
  );
}
