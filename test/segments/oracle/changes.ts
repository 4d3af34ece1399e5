import { mergeContactsStatements } from "../../../src/contacts/merge";
import type { Shops } from "./store-world";
import {
  type Cart,
  type Consent,
  type Contact,
  CONTACT_TEXTS,
  type Group,
  type Json,
  type Member,
  type Order,
  type Product,
  type Refund,
  type Visitor,
  type World,
} from "./world";

interface Rows {
  contacts: Contact;
  visitors: Visitor;
  orders: Order;
  refunds: Refund;
  carts: Cart;
  groups: Group;
}

export type Collection = keyof Rows;

/** Something that happens: a row is there, as it is from now on, or gone. */
export type Change =
  | { [C in Collection]: { put: C; row: Rows[C] } }[Collection]
  | { drop: Collection; key: number }
  | { product: Product }
  /** The second contact becomes part of the first, by the product's own rules. */
  | { merge: [number, number] }
  | { shop: { zone: string } | { currency: string } };

/** What happens together, and what time it is when it is looked at. */
export interface Step {
  changes: Change[];
  now: number;
}

/** The world after a change of rows. */
function changed(world: World, change: Exclude<Change, { merge: unknown }>): World {
  if ("shop" in change) return { ...world, ...change.shop };
  if ("product" in change) {
    const others = world.products.filter(({ id }) => id !== change.product.id);
    return { ...world, products: [...others, change.product] };
  }
  if ("drop" in change) {
    const { drop, key } = change;
    const kind = drop === "contacts" ? "contact" : drop === "visitors" ? "visitor" : null;
    const isGone = (one: Member) => one.kind === kind && one.key === key;
    const groups = world.groups.map((one) => ({ ...one, members: one.members.filter((member) => !isGone(member)) }));
    return { ...world, groups, [drop]: world[drop].filter((row) => row.key !== key) };
  }
  const rows: { key: number }[] = world[change.put];
  const at = rows.findIndex(({ key }) => key === change.row.key);
  return { ...world, [change.put]: at < 0 ? [...rows, change.row] : rows.with(at, change.row) };
}

/** Lets it happen in the world and in the database. */
export async function happen(db: D1Database, shops: Shops, world: World, { changes, now }: Step): Promise<World> {
  const after = changes.reduce((one, change) => ("merge" in change ? one : changed(one, change)), world);
  await shops.change(world, after);
  const contactOf = new Map(world.visitors.map(({ key, contact }) => [key, contact]));
  // Who becomes a contact stays on lists.
  const isLinked = after.visitors.some(({ key, contact }) => contactOf.has(key) && contactOf.get(key) !== contact);
  let merged = isLinked ? await readBack(db, after) : after;
  for (const change of changes) {
    if (!("merge" in change)) continue;
    const [winner, loser] = change.merge;
    const isHere = (key: number) => merged.contacts.some((one) => one.key === key && one.deletedAt === null);
    if (winner === loser || !isHere(winner) || !isHere(loser)) continue;
    const ref = (key: number) => ({ key: after.base + key, id: `con_${after.base + key}` });
    await db.batch(mergeContactsStatements(db, after.shop, ref(winner), ref(loser), now));
    merged = await readBack(db, merged);
  }
  return merged;
}

type Cells = Record<string, string | number | null>;

/** What the product has made of the people and of whose things are, read again. */
async function readBack(db: D1Database, world: World): Promise<World> {
  const { shop, base } = world;
  const of = (table: string, tail = "") => db.prepare(`select * from ${table} where shop = ? ${tail}`).bind(shop);
  const members = (of: "segment" | "list", since: string) =>
    db
      .prepare(
        `select m.${of} as grp, m.kind, m.subject, m.${since} as at from ${of}_members m
         where m.${of} in (select key from ${of}s where shop = ?)`,
      )
      .bind(shop);
  const answers = await db.batch<Cells>([
    of("contacts", "order by key"),
    of("contact_tags"),
    of("consents"),
    of("lifecycle_history", "order by key"),
    of("orders"),
    of("carts"),
    of("visitors"),
    members("segment", "entered_at"),
    members("list", "added_at"),
  ]);
  const rows = (i: number) => answers[i]?.results ?? [];
  const local = (cell: Cells[string] | undefined) => (typeof cell === "number" ? cell - base : null);
  const owner = (i: number) => new Map(rows(i).map((row) => [local(row["key"]), local(row["contact"])]));
  const [ofOrders, ofCarts, ofVisitors] = [owner(4), owner(5), owner(6)];
  return {
    ...world,
    contacts: rows(0).map((row) => {
      const mine = (i: number) => rows(i).filter((one) => one["contact"] === row["key"]);
      return contactOf(row, base, { tags: mine(1), consents: mine(2), history: mine(3) });
    }),
    orders: world.orders.map((one) => ({ ...one, contact: ofOrders.get(one.key) ?? null })),
    carts: world.carts.map((one) => ({ ...one, contact: ofCarts.get(one.key) ?? null })),
    visitors: world.visitors.map((one) => ({ ...one, contact: ofVisitors.get(one.key) ?? null })),
    groups: world.groups.map((group) => ({
      ...group,
      members: rows(group.of === "segment" ? 7 : 8)
        .filter((row) => local(row["grp"]) === group.key)
        .map((row) => ({
          kind: row["kind"] === "contact" ? ("contact" as const) : ("visitor" as const),
          key: local(row["subject"]) ?? 0,
          at: Number(row["at"]),
        })),
    })),
  };
}

const text = (cell: Cells[string] | undefined) => (typeof cell === "string" ? cell : null);
const number = (cell: Cells[string] | undefined) => (typeof cell === "number" ? cell : null);

function contactOf(
  row: Cells,
  base: number,
  { tags, consents, history }: Record<"tags" | "consents" | "history", Cells[]>,
): Contact {
  const fields: Record<string, Json> = JSON.parse(text(row["fields"]) ?? "{}");
  return {
    key: Number(row["key"]) - base,
    deletedAt: number(row["deleted_at"]),
    texts: Object.fromEntries(
      CONTACT_TEXTS.flatMap((name) => {
        const value = text(row[name]);
        return value === null ? [] : [[name, value]];
      }),
    ),
    taxExempt: row["tax_exempt"] === null ? null : row["tax_exempt"] === 1,
    stage: text(row["stage"]) ?? "",
    status: text(row["status"]),
    score: Number(row["score"]),
    ordersCount: Number(row["orders_count"]),
    ordersTotal: Number(row["orders_total"]),
    createdAt: Number(row["created_at"]),
    updatedAt: Number(row["updated_at"]),
    shopifyCreatedAt: number(row["shopify_created_at"]),
    fields,
    tags: tags.map((one) => ({ label: text(one["label"]) ?? "", removed: one["removed"] === 1 })),
    consents: consents.map((one) => consentOf(one)),
    history: history.map((one) => ({
      key: Number(one["key"]) - base,
      stage: text(one["stage"]) ?? "",
      status: text(one["status"]),
      at: Number(one["at"]),
    })),
  };
}

function consentOf(row: Cells): Consent {
  const channel = (["email", "sms", "whatsapp"] as const).find((one) => one === row["channel"]) ?? "email";
  return {
    channel,
    state: text(row["state"]) ?? "",
    level: text(row["level"]),
    basis: text(row["basis"]) ?? "",
    source: text(row["source"]),
    decidedAt: number(row["decided_at"]),
    updatedAt: Number(row["updated_at"]),
  };
}
