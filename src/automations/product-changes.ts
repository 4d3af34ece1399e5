import { sql } from "../db/client";
import type { SubjectKind } from "../segments";
import type { Shop } from "../shops";
import { admit } from "./admit";
import type { Automation } from "./definition";
import type { ProductTrigger } from "./elements";
import { type Entrance, type Entry, enterStatements } from "./enter";
import type { Told } from "./happening";
import { before } from "./length";

/** People let in by one change of a product. */
const MOST_PEOPLE = 5_000;

interface Open extends Entrance {
  activatedAt: number;
  automation: Automation;
}

const TYPES = new Set(["price_drop", "back_in_stock", "low_stock"]);

/** True for triggers that a change of a product meets, for many people at once. */
export function isOfProducts(trigger: Automation["triggers"][number]): trigger is ProductTrigger {
  return TYPES.has(trigger.type);
}

/** Lets in those who looked at a product, or had it in a cart, when it changes as they wait for. Each statement returns keys. */
export async function productStatements(
  db: D1Database,
  shop: Shop,
  open: Open[],
  told: Told[],
  now: number,
): Promise<D1PreparedStatement[]> {
  const statements: D1PreparedStatement[] = [];
  for (const one of open) {
    for (const trigger of one.automation.triggers.filter(isOfProducts)) {
      for (const { row, event } of told) {
        const { productId } = event.data;
        if (event.type !== "product_changed" || typeof productId !== "string") continue;
        if (row.next_attempt_at < one.activatedAt || !isMeant(trigger, productId, event.data)) continue;
        const people = await audience(db, shop, trigger, productId, now);
        const candidates = people.map(({ kind, key }) => ({
          open: one,
          entry: {
            kind,
            subject: key,
            entryKey: `product:${row.natural_key}`,
            at: event.at,
            data: { event: trigger.type, eventKey: `product:${row.natural_key}`, product: productId },
          } satisfies Entry,
        }));
        const { reentry } = one.automation;
        const since = typeof reentry === "string" ? now : before(now, reentry.after, shop.timezone);
        const admitted = await admit(db, shop, candidates, now);
        const entries = admitted.map(({ entry }) => entry);
        if (entries.length > 0) statements.push(...enterStatements(db, shop.key, one, entries, since, now));
      }
    }
  }
  return statements;
}

function isMeant(trigger: ProductTrigger, productId: string, change: Record<string, unknown>): boolean {
  if (trigger.products !== undefined && !trigger.products.includes(productId)) return false;
  const from = Number(change["from"]);
  const to = Number(change["to"]);
  if (trigger.type === "price_drop") {
    return change["change"] === "price_drop" && from > 0 && to < from && ((from - to) / from) * 100 >= trigger.percent;
  }
  if (change["change"] !== "stock") return false;
  if (trigger.type === "back_in_stock") return from <= 0 && to > 0;
  return to > 0 && to <= trigger.pieces && from > trigger.pieces;
}

async function audience(
  db: D1Database,
  shop: Shop,
  { audience: of, days }: ProductTrigger,
  productId: string,
  now: number,
) {
  const since = before(now, { n: days, unit: "day" }, shop.timezone);
  const who = (contact: string, visitor: string) =>
    `select distinct iif(${contact} is null, 'visitor', 'contact') as kind, coalesce(${contact}, ${visitor}) as key`;
  const { results } = await sql(
    db,
    of === "viewed"
      ? `${who("v.contact", "v.key")} from events e join visitors v on v.key = e.visitor
         where e.shop = ?1 and e.type = (select key from event_types where name = 'product_viewed') and e.at >= ?2
           and e.data ->> '$.productId' = ?3 limit ?4`
      : `${who("c.contact", "c.visitor")} from carts c
         where c.shop = ?1 and c.state in ('open', 'abandoned') and c.activity_at >= ?2
           and coalesce(c.contact, c.visitor) is not null
           and exists (select 1 from json_each(c.items) i where i.value ->> 'productId' = ?3) limit ?4`,
    shop.key,
    since,
    productId,
    MOST_PEOPLE,
  ).all<{ kind: SubjectKind; key: number }>();
  return results;
}
