import { sql } from "../db/client";
import { newId } from "../lib/ids";
import type { Shop } from "../shops";
import { admit } from "./admit";
import type { Automation } from "./definition";
import type { BrowseTrigger } from "./elements";
import { AGAIN } from "./enter";
import type { Told } from "./happening";
import { after, before } from "./length";
import type { Run } from "./run";

interface Open {
  key: number;
  version: number;
  activatedAt: number;
  automation: Automation;
}

const isBrowse = (trigger: Automation["triggers"][number]): trigger is BrowseTrigger =>
  trigger.type === "abandoned_browse";

/**
 * Somebody who looks at a product may go on to a cart or not: a run that is `pending` until the trigger's time has
 * passed. Every further look begins the time anew. Each statement returns the keys of its runs.
 */
export function browseStatements(db: D1Database, shop: Shop, open: Open[], told: Told[]): D1PreparedStatement[] {
  return open.flatMap(({ key, version, activatedAt, automation }) =>
    automation.triggers.filter(isBrowse).flatMap((trigger) =>
      told.flatMap(({ row, who, event }) => {
        const named = event.data["productId"];
        const product = typeof named === "string" ? named : "";
        const isMeant = trigger.products === undefined || trigger.products.includes(product);
        if (who === null || row.next_attempt_at < activatedAt || event.type !== "product_viewed" || !isMeant) return [];
        const data = {
          event: "abandoned_browse",
          eventKey: `browse:${event.at}`,
          product,
          page: event.url ?? undefined,
        };
        return [
          sql(
            db,
            `insert into runs (shop, id, automation, version, kind, subject, entry_key, state, step, due_at, data, entered_at)
             select ?1, ?2, ?3, ?4, ?5, ?6, 'browse', 'pending', '', ?7, ?8, ?9
             where exists (select 1 from automations where key = ?3 and state = 'active')
             on conflict do update set due_at = excluded.due_at, data = excluded.data, entered_at = excluded.entered_at,
               version = excluded.version
             where runs.state = 'pending' and excluded.entered_at >= runs.entered_at returning key`,
            shop.key,
            newId("run", event.at),
            key,
            version,
            who.kind,
            who.key,
            after(event.at, trigger.after, shop.timezone),
            JSON.stringify(data),
            event.at,
          ),
        ];
      }),
    ),
  );
}

/**
 * Decides about pending runs whose time has passed: who has touched a cart, begun a checkout or bought since the look
 * never abandoned anything and is forgotten; everybody else enters as by any trigger.
 *
 * @returns keys of the runs that begin
 */
export async function settlePending(
  db: D1Database,
  shop: Shop,
  pending: { run: Run; automation: Automation }[],
  now: number,
): Promise<number[]> {
  const lists = JSON.stringify(pending.map(({ run }) => [run.key, run.kind, run.subject, run.enteredAt]));
  const { results } = await sql(
    db,
    `select j.value ->> 0 as key from json_each(?2) j where
       exists (select 1 from carts c where +c.shop = ?1 and c.activity_at >= j.value ->> 3
         and iif(j.value ->> 1 = 'contact', c.contact = j.value ->> 2, c.visitor = j.value ->> 2))
       or exists (select 1 from orders o where +o.shop = ?1 and o.placed_at >= j.value ->> 3 and o.test = 0
         and iif(j.value ->> 1 = 'contact', o.contact = j.value ->> 2, o.visitor = j.value ->> 2))`,
    shop.key,
    lists,
  ).all<{ key: number }>();
  const busy = new Set(results.map(({ key }) => key));
  const idle = pending
    .filter(({ run }) => !busy.has(run.key))
    .map((one) => ({ ...one, open: one, entry: { kind: one.run.kind, subject: one.run.subject } }));
  const admitted = new Map((await admit(db, shop, idle, now)).map((one) => [one.run.key, one]));
  const mine = (run: Run) => [run.key, run.leaseUntil] as const;
  await db.batch(
    pending.flatMap(({ run }) => {
      const one = admitted.get(run.key);
      const forget = sql(db, "delete from runs where key = ? and lease_until = ? and state = 'pending'", ...mine(run));
      if (!one) return [forget];
      const { reentry, start } = one.automation;
      const rule = AGAIN[typeof reentry === "string" ? reentry : "after"];
      const since = typeof reentry === "string" ? [] : [before(now, reentry.after, shop.timezone)];
      return [
        sql(
          db,
          `update runs set state = 'active', step = ?3, entry_key = ?4, entered_at = ?5, lease_until = null
           where key = ?1 and lease_until = ?2 and state = 'pending'
             and not exists (select 1 from runs r where r.automation = runs.automation and r.kind = runs.kind
               and r.subject = runs.subject and r.state <> 'pending' and ${rule})`,
          ...mine(run),
          start,
          `browse:${run.enteredAt}`,
          now,
          ...since,
        ),
        forget,
      ];
    }),
  );
  return [...admitted.keys()];
}
