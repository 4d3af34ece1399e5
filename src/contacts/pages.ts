import { z } from "@hono/zod-openapi";

import { decodeCursor, type Page, pageOf } from "../api/page";
import { MaybeText, TimeSchema } from "../api/schemas";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { iso } from "../lib/time";

export const ContactPageSchema = z
  .strictObject({
    url: z.string(),
    title: MaybeText,
    views: z.int(),
    firstVisitAt: TimeSchema,
    lastVisitAt: TimeSchema,
  })
  .openapi("ContactPage");

type ContactPage = z.infer<typeof ContactPageSchema>;

const Position = z.tuple([z.int().min(0), z.int().min(0)]);

/** The pages that a contact's browsers saw, each once, the one seen last first. */
export async function contactPages(
  ctx: Ctx,
  contact: number,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<ContactPage>> {
  const [at, page] = cursor === undefined ? [Number.MAX_SAFE_INTEGER, 0] : decodeCursor("pages", cursor, Position);
  const { results } = await sql(
    ctx.db,
    `with seen as (
       select e.value ->> 4 as page, count(*) as views, min(e.value ->> 1) as first, max(e.value ->> 1) as last
       from visitors v join visits s on s.visitor = v.key, json_each(s.path) e
       where v.contact = ?2 and v.shop = ?1 and e.value ->> 4 is not null
         and e.value ->> 2 = (select key from event_types where name = 'page_viewed')
       group by 1)
     select p.key, p.url, p.title, seen.views, seen.first, seen.last
     from seen join pages p on p.key = seen.page and p.shop = ?1
     where (seen.last, p.key) < (?3, ?4) order by seen.last desc, p.key desc limit ?5`,
    ctx.shop.key,
    contact,
    at,
    page,
    limit + 1,
  ).all<{ key: number; url: string; title: string | null; views: number; first: number; last: number }>();
  return pageOf(
    "pages",
    results,
    limit,
    (row) => [row.last, row.key],
    (row) => ({
      url: row.url,
      title: row.title,
      views: row.views,
      firstVisitAt: iso(row.first),
      lastVisitAt: iso(row.last),
    }),
  );
}
