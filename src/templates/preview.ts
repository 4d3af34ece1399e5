import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import type { Compiled } from "./compile";
import { missingValues, renderContent } from "./render";
import { type About, scopeOf } from "./scope";
import type { Preview, PreviewRequest, TemplateContent } from "./schemas";

/** Stands where a message has a code of its own: a preview uses none up. */
const PREVIEW_CODE = "YOUR-CODE";

/** A message as somebody would get it now, with everything that is missing. Sends nothing and uses nothing up. */
export async function previewTemplate(
  ctx: Ctx,
  version: { content: TemplateContent; compiled: Compiled },
  request: PreviewRequest,
): Promise<Preview> {
  const { env, db, shop, now } = ctx;
  const contact = request.contactId === undefined ? null : await contactKey(ctx, request.contactId);
  const about: About = request.about ?? (contact === null ? {} : await newestOf(db, shop.key, contact));
  const here = `https://${shop.domain}/#`;
  const scope = await scopeOf(
    env,
    shop,
    {
      contact,
      about,
      sender: { from: { name: shop.name, address: `hello@${shop.domain}` }, postalAddress: null },
      urls: { unsubscribeUrl: `${here}unsubscribe`, preferencesUrl: `${here}preferences`, viewUrl: `${here}view` },
      language: request.language ?? shop.settings.messageLanguage,
    },
    rootsOf(version.compiled),
    now,
  );
  const missing = await missingValues(shop, version, scope);
  const rendered = await renderContent(shop, version, scope, () => Promise.resolve(PREVIEW_CODE));
  if (!rendered.ok) {
    return { sends: false, reason: rendered.reason, missing, subject: null, html: null, text: null, links: [] };
  }
  const { subject, html, text, links } = rendered;
  return { sends: true, reason: null, missing, subject, html, text, links };
}

/** First names of the values that a version uses. */
export function rootsOf(compiled: Compiled): Set<string> {
  return new Set(compiled.variables.map((name) => name.split(/[.[]/)[0] ?? name));
}

async function contactKey(ctx: Ctx, id: string): Promise<number> {
  const row = await sql(
    ctx.db,
    "select key from contacts where id = ? and shop = ? and deleted_at is null",
    id,
    ctx.shop.key,
  ).first<{ key: number }>();
  if (!row) {
    throw new AppError("unprocessable", "There is no such contact", {
      errors: [{ pointer: "/contactId", detail: "is no contact of this shop" }],
    });
  }
  return row.key;
}

/** The contact's newest cart and order, and the products in them. */
async function newestOf(db: D1Database, shop: number, contact: number): Promise<About> {
  const [carts, orders, products] = await db.batch<{ value: string }>([
    sql(
      db,
      "select token as value from carts where contact = ? and +shop = ? order by activity_at desc limit 1",
      contact,
      shop,
    ),
    sql(
      db,
      "select id as value from orders where contact = ? and +shop = ? order by placed_at desc limit 1",
      contact,
      shop,
    ),
    sql(
      db,
      `select distinct i.product_id as value from orders o join order_items i on i."order" = o.key
       where o.contact = ? and +o.shop = ? and i.product_id is not null limit 4`,
      contact,
      shop,
    ),
  ]);
  const cart = carts?.results[0]?.value;
  const order = orders?.results[0]?.value;
  return {
    ...(cart === undefined ? {} : { cart }),
    ...(order === undefined ? {} : { order }),
    products: products?.results.map(({ value }) => value) ?? [],
  };
}
