import { readTogether } from "../db/together";
import { logFailure } from "../lib/log";
import { findShop, type Shop } from "../shops";
import { unpackBody } from "./body";
import { handleInboxRow, type InboxRow, mapContext, planRow, readInboxRows, statementsOf } from "./inbox";
import { type Change, mapBody } from "./map";
import { recordOf, supersedes } from "./supersede";

/** Topics that come in storms and whose newest body says all that those before it said. */
const STORM_TOPICS = new Set(["customers/update", "products/update"]);

/** Bodies that are read together, characters: a Worker has 128 MB. */
const MOST_TEXT = 8_000_000;

/** Deliveries that end in one batch: few enough that a delivery that is being received does not wait long behind them. */
const PER_BATCH = 24;

/** What may share a batch with others: it changes records of its own, and nothing that decides how others are handled. */
const SHARING = new Set<Change["kind"]>(["contact", "tags", "order", "cart", "refund", "product", "nothing"]);

interface Mapped {
  row: InboxRow;
  change: Change;
  superseded: number[];
}

/**
 * Handles stored deliveries that came up together. Of a storm about one record only the newest is applied: those that
 * it supersedes end with it. Those that remain are decided and written a few at a time.
 */
export async function handleInboxRows(env: Env, shopKey: number, keys: number[], now: () => number): Promise<void> {
  const ready = keys.length > 1 ? await readReady(env.DB, shopKey, keys).catch(noneOnFailure) : null;
  const left = new Set(keys);
  for (const key of ready?.done ?? []) left.delete(key);
  for (const group of ready?.groups ?? []) {
    if (ready) await handleGroup(env, ready.shop, group, now);
    for (const { row, superseded } of group) for (const key of [row.key, ...superseded]) left.delete(key);
  }
  for (const key of left) await handleInboxRow(env, key, now());
}

/** Handles a group, or its halves when it failed: so one that is at fault holds up few, and in the end itself. */
async function handleGroup(env: Env, shop: Shop, group: Mapped[], now: () => number): Promise<void> {
  try {
    return await handleTogether(env, shop, group, now());
  } catch {
    const [first] = group;
    if (group.length > 1) {
      await handleGroup(env, shop, group.slice(0, group.length >> 1), now);
      await handleGroup(env, shop, group.slice(group.length >> 1), now);
    } else if (first) {
      // Alone it remembers its own failure.
      await handleInboxRow(env, first.row.key, now(), first.superseded);
    }
  }
}

/** Decides on each as if it came alone, and commits all in one batch: what does not fit together fails its guards. */
async function handleTogether(env: Env, shop: Shop, group: Mapped[], now: number): Promise<void> {
  const planned = await readTogether(
    env.DB,
    group.map(
      ({ row, change, superseded }) =>
        (db) =>
          planRow(env, db, row, shop, now, superseded, change),
    ),
  );
  await env.DB.batch(statementsOf(env.DB, shop.key, planned, now));
}

/** It is only a short cut: without it every delivery is handled by itself. */
function noneOnFailure(error: unknown): null {
  logFailure("inbox", error, { doing: "together" });
  return null;
}

interface Ready {
  shop: Shop;
  /** Deliveries that may be handled together, in groups that concern different records. */
  groups: Mapped[][];
  /** Those that were handled before. */
  done: number[];
}

async function readReady(db: D1Database, shopKey: number, keys: number[]): Promise<Ready | null> {
  const rows = await readInboxRows(db, keys, MOST_TEXT);
  const shop = rows.length > 1 ? await findShop(db, shopKey) : null;
  if (!shop) return null;
  const mapped: Mapped[] = [];
  const done: number[] = [];
  for (const row of rows) {
    if (row.state !== "pending") done.push(row.key);
    if (row.shop !== shopKey || row.state !== "pending" || row.body === null) continue;
    const change = await mapOrNull(row, row.body, shop);
    // What ends or changes the shop is not to be overtaken by what was read before it.
    if (change && (change.kind === "uninstalled" || change.kind === "scopes_changed")) return null;
    if (change && SHARING.has(change.kind)) mapped.push({ row, change, superseded: [] });
  }
  return { shop, groups: grouped(withoutSuperseded(mapped)), done };
}

/** Those that remain when the newest of each record takes along what it makes needless. */
function withoutSuperseded(mapped: Mapped[]): Mapped[] {
  const needless = new Set<Mapped>();
  const storms = mapped.filter(({ row }) => STORM_TOPICS.has(row.topic));
  for (const [name, ofRecord] of Map.groupBy(storms, ({ change }) => recordOf(change)?.name ?? "")) {
    if (name === "") continue;
    const newest = ofRecord.reduce((a, b) => (isLater(b.change, a.change) ? b : a));
    for (const older of ofRecord) {
      if (!supersedes(newest.change, older.change)) continue;
      needless.add(older);
      newest.superseded.push(older.row.key);
    }
  }
  return mapped.filter((one) => !needless.has(one));
}

/** Groups in the order of arrival, in each of which no two concern the same person, order, cart or product. */
function grouped(mapped: Mapped[]): Mapped[][] {
  const groups: { about: Set<string>; rows: Mapped[] }[] = [];
  for (const one of mapped) {
    const about = concerns(one.change);
    // Not before another delivery about the same, so that those of one record keep their order.
    const last = groups.findLastIndex((group) => about.some((name) => group.about.has(name)));
    let group = groups.slice(last + 1).find(({ rows }) => rows.length < PER_BATCH);
    if (!group) groups.push((group = { about: new Set(), rows: [] }));
    group.rows.push(one);
    for (const name of about) group.about.add(name);
  }
  return groups.map(({ rows }) => rows);
}

/** Names of what a change is about; two that share one would fail each other's guards. */
function concerns(change: Change): string[] {
  switch (change.kind) {
    case "contact":
    case "tags":
      return people(change.contact);
    case "order":
      return [
        `order ${change.order.externalId}`,
        ...people(change.contact),
        ...tokens(change.order.cartToken, change.order.checkoutToken),
      ];
    case "cart":
      return [...people(change.contact), ...tokens(change.cart.token, change.cart.checkoutToken)];
    case "refund":
      return [`order ${change.refund.orderExternalId}`];
    case "product":
      return [`product ${change.product.externalId}`];
    default:
      return [];
  }
}

function people(contact: Extract<Change, { kind: "order" }>["contact"]): string[] {
  if (!contact) return [];
  const { email, phone } = contact.values;
  return [
    ...(contact.customerId === null ? [] : [`customer ${contact.customerId}`]),
    ...(typeof email === "string" ? [`email ${email}`] : []),
    ...(typeof phone === "string" ? [`phone ${phone}`] : []),
  ];
}

function tokens(cart: string | null | undefined, checkout: string | null | undefined): string[] {
  return [...(cart ? [`cart ${cart}`] : []), ...(checkout ? [`checkout ${checkout}`] : [])];
}

/** A body that does not fit is left to be handled, and refused, by itself. */
async function mapOrNull(row: InboxRow, body: string, shop: Shop): Promise<Change | null> {
  try {
    return mapBody(row.topic, await unpackBody(body), mapContext(shop, row));
  } catch {
    return null;
  }
}

function isLater(a: Change, b: Change): boolean {
  const [x, y] = [recordOf(a)?.version, recordOf(b)?.version];
  if (!x || !y) return false;
  return x.updatedAt === y.updatedAt ? x.triggeredAt > y.triggeredAt : x.updatedAt > y.updatedAt;
}
