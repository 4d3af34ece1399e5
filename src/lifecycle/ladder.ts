import { sql } from "../db/client";
import { AppError } from "../errors";

/** The stage of customers: where a store's customers and whoever ordered stand, with one of five statuses. */
export const CUSTOMER = "customer";

/** The first stage of everybody who is no customer. */
export const LEAD = "lead";

/** What a new shop begins with; the stage of customers joins it when a store is connected. */
const FIRST_LADDER = [
  ["subscriber", "Subscriber"],
  [LEAD, "Lead"],
  ["qualified", "Sales qualified lead"],
  ["opportunity", "Opportunity"],
];

/** The first ladder of the shop with this id, for the batch that makes it. */
export function firstLadder(db: D1Database, shopId: string, now: number): D1PreparedStatement {
  return sql(
    db,
    `insert into lifecycle_stages (shop, name, label, position, system, created_at, updated_at)
     select s.key, j.value ->> 0, j.value ->> 1, j.key + 1, j.value ->> 0 = ?2, ?3, ?3
     from shops s, json_each(?4) j where s.id = ?1 on conflict do nothing`,
    shopId,
    LEAD,
    now,
    JSON.stringify(FIRST_LADDER),
  );
}

/**
 * The statement that adds the stage of customers at the ladder's end, for the batch of a connection; the same stage of
 * an earlier connection, or of the merchant's own making, stays where it is.
 */
export function addCustomerStage(db: D1Database, shop: number, now: number): D1PreparedStatement[] {
  return [
    sql(
      db,
      `insert into lifecycle_stages (shop, name, label, position, system, created_at, updated_at)
       select ?1, ?2, 'Customer', coalesce(max(position), 0) + 1, 1, ?3, ?3 from lifecycle_stages where shop = ?1
       on conflict (shop, name) do update set system = 1, updated_at = excluded.updated_at where lifecycle_stages.system = 0`,
      shop,
      CUSTOMER,
      now,
    ),
  ];
}

/**
 * Throws `validation_failed` unless the shop has this stage. Everybody may become a customer, whether the ladder shows
 * the stage already or not.
 *
 * @param pointer JSON pointer to the stage in the body
 */
export async function checkStage(db: D1Database, shop: number, stage: string, pointer: string): Promise<void> {
  if (stage === CUSTOMER) return;
  const known = await sql(db, "select 1 from lifecycle_stages where shop = ? and name = ?", shop, stage).first();
  if (known) return;
  throw new AppError("validation_failed", undefined, {
    errors: [{ pointer, detail: `is not a stage of this shop (GET /v1/lifecycle-stages has them)` }],
  });
}
