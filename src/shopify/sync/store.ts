import { identitiesOf, planContacts, recountMany } from "../../contacts";
import type { ContactSource } from "../../contacts";
import { onConflictRetry, sql } from "../../db/client";
import { mustHold } from "../../db/guard";
import { peopleWithCarts, planOrders, readOrders } from "../../orders";
import { applyChange, type ApplyContext } from "../apply";
import type { Change } from "../map";

export type SyncContext = Omit<ApplyContext, "triggeredAt"> & { triggeredAt: number; quietBefore: number };

type Kind<K extends Change["kind"]> = Extract<Change, { kind: K }>;
type ContactChange = Kind<"contact">;
type OrderChange = Kind<"order">;

/** Statements of one batch: far fewer than D1 takes, so that a batch never runs into a time limit. */
const STATEMENTS_A_BATCH = 200;

/**
 * Writes what records of a store say, many at a time. Every record ends in the rows that its webhook would have left:
 * the decisions are the same functions; what is new is that rows of a kind go in with one statement. What those
 * statements cannot do (merge people, settle carts, change what is stored) goes through `applyChange`, one by one.
 *
 * Two records about one person or one order are never written in the same batch, and keep their order. Repeating it
 * changes nothing.
 */
export async function storeChanges(context: SyncContext, changes: Change[]): Promise<void> {
  for (const wave of waves(changes)) {
    const contacts = wave.filter((change) => change.kind === "contact");
    const orders = wave.filter((change) => change.kind === "order");
    const single = wave.filter((change) => change.kind !== "contact" && change.kind !== "order");
    const left = [
      ...(contacts.length > 0 ? await onConflictRetry(() => storeContacts(context, contacts)) : []),
      ...(orders.length > 0 ? await onConflictRetry(() => storeOrders(context, orders)) : []),
    ];
    await storeSimply(context, single);
    for (const change of left) await storeOne(context, change);
  }
}

/** Puts records into as few groups as it takes for no two of a group to be about the same person or record. */
function waves(changes: Change[]): Change[][] {
  const groups: Change[][] = [];
  const latest = new Map<string, number>();
  for (const change of changes) {
    const names = namesOf(change);
    const group = Math.max(-1, ...names.map((name) => latest.get(name) ?? -1)) + 1;
    for (const name of names) latest.set(name, group);
    (groups[group] ??= []).push(change);
  }
  return groups;
}

function namesOf(change: Change): string[] {
  const names = (source: ContactSource | null) =>
    source ? identitiesOf(source).map(({ kind, value }) => `${kind}:${value}`) : [];
  switch (change.kind) {
    case "contact":
      return names(change.contact);
    case "order":
      return [`order:${change.order.externalId}`, ...tokensOf(change.order), ...names(change.contact)];
    case "cart": {
      const { token, checkoutToken } = change.cart;
      return [...tokensOf({ cartToken: token, checkoutToken }), ...names(change.contact)];
    }
    default:
      return [];
  }
}

function tokensOf(from: { cartToken?: string | null; checkoutToken?: string | null }): string[] {
  return [from.cartToken && `cart:${from.cartToken}`, from.checkoutToken && `checkout:${from.checkoutToken}`].filter(
    (name) => typeof name === "string",
  );
}

async function storeContacts(context: SyncContext, changes: ContactChange[]): Promise<Change[]> {
  const { db, shop, now, quietBefore } = context;
  const deleted = await deletedCustomers(context, changes);
  const alive = changes.filter(({ contact }) => !deleted.has(contact.customerId ?? ""));
  const { plans, statements } = await planContacts(
    db,
    shop,
    alive.map(({ contact }) => contact),
    now,
    quietBefore,
  );
  const keys = plans.flatMap((plan) => (plan && plan !== "one_by_one" && plan.changed ? [plan.key] : []));
  await db.batch([noneDeleted(context, alive), ...statements, ...recountMany(db, shop.key, keys, now)]);
  return alive.filter((_, n) => plans[n] === "one_by_one");
}

async function storeOrders(context: SyncContext, changes: OrderChange[]): Promise<Change[]> {
  const { db, shop, now, quietBefore } = context;
  const [known, deleted] = await Promise.all([
    readOrders(
      db,
      shop.key,
      changes.map(({ order }) => order),
    ),
    deletedCustomers(context, changes),
  ]);
  const isCurrent = ({ order, contact }: OrderChange) => {
    const state = known.states.get(order.externalId);
    return state === "current" || (state === "unowned" && (contact === null || identitiesOf(contact).length === 0));
  };
  const isUnknown = ({ order }: OrderChange) => !known.states.has(order.externalId) && order.tracker === null;
  const isPlain = (change: OrderChange) =>
    (isCurrent(change) || (isUnknown(change) && newestOf(change.order) < quietBefore)) &&
    !deleted.has(change.contact?.customerId ?? "");
  const history = changes.filter(isPlain);
  const left = changes.filter((change) => !isPlain(change));
  const contacts = await planContacts(
    db,
    shop,
    history.map(({ contact }) => contact),
    now,
    quietBefore,
  );
  const plans = contacts.plans.map((plan) => (plan === "one_by_one" ? plan : (plan?.key ?? null)));
  const keys = plans.filter((plan) => typeof plan === "number");
  const busy = await peopleWithCarts(db, shop.key, keys);
  const plain: Parameters<typeof planOrders>[2] = [];
  for (const [n, change] of history.entries()) {
    const contact = plans[n] ?? null;
    if (contact === "one_by_one" || (contact !== null && busy.has(contact))) left.push(change);
    else if (!isCurrent(change)) plain.push({ order: change.order, contact });
  }
  await db.batch([
    noneDeleted(context, history),
    ...contacts.statements,
    ...planOrders(db, shop.key, plain, known.last, now),
    ...recountMany(db, shop.key, keys, now),
  ]);
  return changes.filter((change) => left.includes(change));
}

/** The last moment that an order tells of. */
function newestOf({ placedAt, version, cancelledAt, fulfilledAt, refunds }: OrderChange["order"]): number {
  return Math.max(placedAt, version.updatedAt, cancelledAt ?? 0, fulfilledAt ?? 0, ...refunds.map(({ at }) => at));
}

/** Records whose statements need no answer of one another, as many of them in a batch as it takes. */
async function storeSimply(context: SyncContext, changes: Change[]): Promise<void> {
  let batch: D1PreparedStatement[] = [];
  for (const change of changes) {
    if (change.kind !== "product") {
      await storeOne(context, change);
      continue;
    }
    const { statements } = await applyChange(context, change);
    batch.push(...statements);
    if (batch.length >= STATEMENTS_A_BATCH) {
      await context.db.batch(batch);
      batch = [];
    }
  }
  if (batch.length > 0) await context.db.batch(batch);
}

async function storeOne(context: SyncContext, change: Change): Promise<void> {
  await onConflictRetry(async () => {
    const { statements } = await applyChange(context, change);
    if (statements.length > 0) await context.db.batch(statements);
  });
}

function customersOf(changes: (ContactChange | OrderChange)[]): string {
  return JSON.stringify(changes.flatMap(({ contact }) => contact?.customerId ?? []));
}

async function deletedCustomers(
  { db, shop }: SyncContext,
  changes: (ContactChange | OrderChange)[],
): Promise<Set<string>> {
  const { results } = await sql(
    db,
    `select t.external_id as id from json_each(?2) j
     cross join tombstones t on t.shop = ?1 and t.kind = 'customer' and t.external_id = j.value`,
    shop.key,
    customersOf(changes),
  ).all<{ id: string }>();
  return new Set(results.map(({ id }) => id));
}

function noneDeleted({ db, shop }: SyncContext, changes: (ContactChange | OrderChange)[]): D1PreparedStatement {
  return mustHold(
    db,
    `not exists (select 1 from json_each(?2) j cross join tombstones t
       on t.shop = ?1 and t.kind = 'customer' and t.external_id = j.value)`,
    shop.key,
    customersOf(changes),
  );
}
