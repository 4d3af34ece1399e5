import { env } from "cloudflare:workers";

import { newId } from "../../src/lib/ids";

/** Rows written straight into D1, for tests that are not about how they get there. */

type Value = string | number | null;

async function insert(table: string, row: Record<string, Value>): Promise<void> {
  const names = Object.keys(row);
  const columns = names.map((name) => `"${name}"`).join(", ");
  const places = names.map(() => "?").join(", ");
  await env.DB.prepare(`insert into ${table} (${columns}) values (${places})`)
    .bind(...Object.values(row))
    .run();
}

async function keyOf(table: string, id: string): Promise<number> {
  const row = await env.DB.prepare(`select key from ${table} where id = ?`).bind(id).first<{ key: number }>();
  if (!row) throw new Error(`no ${table} ${id}`);
  return row.key;
}

export interface Seeded {
  id: string;
  key: number;
}

export async function seedContact(shop: number, row: Record<string, Value> = {}): Promise<Seeded> {
  const now = Date.now();
  const id = newId("con", now);
  await insert("contacts", {
    shop,
    id,
    source: "API",
    verified: 1,
    stage: "lead",
    created_at: now,
    updated_at: now,
    ...row,
  });
  const key = await keyOf("contacts", id);
  if (typeof row["email"] === "string") {
    await insert("identities", {
      shop,
      kind: "email",
      value: row["email"],
      contact: key,
      evidence: row["verified"] === 0 ? "claimed" : "verified",
      created_at: now,
    });
  }
  return { id, key };
}

export interface SeededVisitor {
  tracker: string;
  key: number;
}

export async function seedVisitor(shop: number, row: Record<string, Value> = {}): Promise<SeededVisitor> {
  const now = Date.now();
  const tracker = typeof row["tracker"] === "string" ? row["tracker"] : crypto.randomUUID();
  const person = typeof row["person"] === "number" ? row["person"] : 1;
  await insert("visitors", {
    shop,
    tracker,
    person,
    channel: "browser",
    visits: 1,
    page_views: 0,
    first_seen_at: now,
    last_seen_at: now,
    flushed_seq: 1,
    ...row,
  });
  const found = await env.DB.prepare("select key from visitors where shop = ? and tracker = ? and person = ?")
    .bind(shop, tracker, person)
    .first<{ key: number }>();
  if (!found) throw new Error("no visitor");
  return { tracker, key: found.key };
}

export async function seedOrder(shop: number, row: Record<string, Value> = {}): Promise<Seeded> {
  const now = Date.now();
  const id = newId("ord", now);
  const total = typeof row["total"] === "number" ? row["total"] : 1999;
  await insert("orders", {
    shop,
    id,
    origin: "shopify",
    external_id: String(Math.floor(Math.random() * 1e15)),
    name: "#1001",
    state: "completed",
    currency: "EUR",
    total,
    original_total: total,
    placed_at: now,
    created_at: now,
    updated_at: now,
    ...row,
  });
  return { id, key: await keyOf("orders", id) };
}

export async function seedItem(order: number, line: number, row: Record<string, Value> = {}): Promise<void> {
  const quantity = typeof row["quantity"] === "number" ? row["quantity"] : 1;
  await insert("order_items", {
    order,
    line,
    title: "Mug",
    quantity,
    current_quantity: quantity,
    price: 1999,
    discounted_price: 1999,
    ...row,
  });
}

export async function seedCart(shop: number, row: Record<string, Value> = {}): Promise<Seeded> {
  const now = Date.now();
  const id = newId("crt", now);
  await insert("carts", {
    shop,
    id,
    token: crypto.randomUUID(),
    state: "open",
    currency: "EUR",
    value: 1999,
    reached: 1,
    activity_at: now,
    created_at: now,
    updated_at: now,
    ...row,
  });
  return { id, key: await keyOf("carts", id) };
}

export async function seedProduct(shop: number, externalId: string, row: Record<string, Value> = {}): Promise<void> {
  await insert("products", { shop, external_id: externalId, title: "Mug", updated_at: Date.now(), ...row });
}

export interface SeededEvent {
  seq: number;
  at: number;
  type: string;
  id: string;
  url: string | null;
  data: Record<string, unknown> | null;
}

/** Events of a persona and the parts of its visits, as a flush leaves them. */
export async function seedVisit(
  shop: number,
  visitor: number,
  no: number,
  part: number,
  events: SeededEvent[],
): Promise<void> {
  const rows = JSON.stringify(events.map((e) => [e.seq, e.at, e.type, e.id, e.url, e.data && JSON.stringify(e.data)]));
  await env.DB.batch([
    env.DB.prepare(
      "insert into event_types (name) select distinct value ->> 2 from json_each(?) where true on conflict do nothing",
    ).bind(rows),
    env.DB.prepare(
      `insert into pages (shop, url, title) select distinct ?1, value ->> 4, 'Title of ' || (value ->> 4)
       from json_each(?2) where value ->> 4 is not null on conflict do nothing`,
    ).bind(shop, rows),
    env.DB.prepare(
      `insert into events (shop, type, at, visitor, seq, page, data)
       select ?1, t.key, e.value ->> 1, ?2, e.value ->> 0, p.key, e.value ->> 5 from json_each(?3) e
       join event_types t on t.name = e.value ->> 2 left join pages p on p.shop = ?1 and p.url = e.value ->> 4`,
    ).bind(shop, visitor, rows),
    env.DB.prepare(
      `insert into visits (visitor, no, part, at, until, path)
       select ?2, ?4, ?5, ?6, ?7, (
         select json_group_array(json_array(e.value ->> 0, e.value ->> 1, t.key, e.value ->> 3, p.key))
         from json_each(?3) e join event_types t on t.name = e.value ->> 2
         left join pages p on p.shop = ?1 and p.url = e.value ->> 4)`,
    ).bind(shop, visitor, rows, no, part, Math.min(...events.map((e) => e.at)), Math.max(...events.map((e) => e.at))),
  ]);
}

export { insert };
