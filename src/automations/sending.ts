import { z } from "zod";

import { sql } from "../db/client";
import type { Shop } from "../shops";
import { Sending } from "./definition";
import type { EventElement } from "./elements";
import { answer, loadVersions, versionName } from "./load";
import { readEvents } from "./happening";
import { meets } from "./match";
import { readRun, RUN_COLUMNS, type StoredRun } from "./run";

/**
 * Why a run must not send any more, asked of what D1 holds now, just before a message goes out; null where it may. Facts
 * count, whether or not their domain events have been acted on: an order that was placed a moment ago stops it.
 */
export async function exitReached(env: Env, shop: Shop, run: number, now: number): Promise<string | null> {
  const { DB } = env;
  const row = await sql(
    DB,
    `select ${RUN_COLUMNS}, ended_at as endedAt, reason,
       (select a.deleted_at is not null from automations a where a.key = runs.automation) as isDeleted
     from runs where key = ? and shop = ?`,
    run,
    shop.key,
  ).first<
    Omit<StoredRun, "state"> & { state: string; endedAt: number | null; reason: string | null; isDeleted: number }
  >();
  if (!row) return "the run is gone";
  if (row.isDeleted === 1) return "the automation was deleted";
  // A run that has come to its end has said all that it had to say; one that was ended must say no more.
  if (row.endedAt !== null && row.state === "exited") return row.reason ?? "ended";
  const held = readRun({ ...row, state: "active" });
  const loaded = (await loadVersions(DB, shop, [held])).get(versionName(held.automation, held.version));
  if (!loaded || "problem" in loaded) return loaded?.problem ?? "the version is gone";
  const { exits } = loaded.automation;
  const isAboutCart = loaded.automation.triggers.some(
    ({ type }) => type === "abandoned_cart" || type === "abandoned_checkout",
  );
  if (isAboutCart && held.data.cart !== undefined) {
    const cart = await sql(DB, "select state from carts where shop = ? and token = ?", shop.key, held.data.cart).first<{
      state: string;
    }>();
    if (cart?.state === "purchased" || cart?.state === "recovered") return `the cart is ${cart.state}`;
  }
  const asked = exits.flatMap(({ asks }) => asks ?? []);
  const answers = await answer(
    DB,
    shop,
    asked.map((one) => ({ asked: one, kind: held.kind, subjects: [held.subject] })),
    now,
  );
  for (const one of answers) {
    if ("problem" in one) return one.problem;
    if (one.holds.has(held.subject)) return "an exit condition is met";
  }
  for (const { on } of exits) {
    const why = on && (await happened(DB, shop, on, held));
    if (why) return why;
  }
  return null;
}

/** Whether an exit's event has happened since the person entered, by what D1 holds of orders and carts. */
async function happened(
  db: D1Database,
  shop: Shop,
  element: EventElement,
  run: { kind: string; subject: number; enteredAt: number; data: { order?: string | undefined } },
): Promise<string | null> {
  if (element.type === "cart_recovered") {
    const cart = await sql(
      db,
      `select 1 from carts where +shop = ?1 and ${run.kind === "contact" ? "contact" : "visitor"} = ?2 and recovered_at >= ?3 limit 1`,
      shop.key,
      run.subject,
      run.enteredAt,
    ).first();
    return cart ? "a cart was recovered" : null;
  }
  if (element.type !== "made_purchase") return null;
  const { results } = await sql(
    db,
    `select id, placed_at as at from orders where +shop = ?1 and ${run.kind === "contact" ? "contact" : "visitor"} = ?2
       and placed_at >= ?3 and test = 0 and id <> ?4 order by placed_at desc limit 20`,
    shop.key,
    run.subject,
    run.enteredAt,
    run.data.order ?? "",
  ).all<{ id: string; at: number }>();
  if (results.length === 0) return null;
  const told = await readEvents(
    db,
    shop.key,
    results.map(({ id, at }, key) => ({
      key,
      type: "order_placed",
      subject: `${run.kind}:${run.subject}`,
      natural_key: id,
      data: JSON.stringify({ orderId: id }),
      at,
      next_attempt_at: at,
    })),
  );
  return told.some(({ event }) => meets(element, event, shop)) ? "an order was placed" : null;
}

const Stored = z.object({ sending: Sending.optional() });

/** How the messages of a run's version are sent; null for a run that is gone. */
export async function sendRules(db: D1Database, run: number): Promise<Sending | null> {
  const row = await sql(
    db,
    `select v.definition from runs r join automation_versions v on v.automation = r.automation and v.version = r.version
     where r.key = ?`,
    run,
  ).first<{ definition: string }>();
  return row ? (Stored.parse(JSON.parse(row.definition)).sending ?? Sending.parse({})) : null;
}
