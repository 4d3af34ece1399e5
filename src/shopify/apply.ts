import { deleteCheckout, planCart } from "../carts";
import { addSourceTags, type ContactSource, planContact, recountMany, removeSourceTags } from "../contacts";
import { planOrder } from "../orders";
import { deleteProduct, upsertProduct } from "../products";
import type { Shop } from "../shops";
import { visitorJoined } from "../identity";
import { applyCustomerDeleted, applyMerge, isDeletedCustomer, noneDeleted } from "./customers";
import type { Change } from "./map";
import { applyOrderDeleted, applyRefund } from "./orders";
import { acceptRequest } from "./privacy/accept";
import { applyScopesChanged } from "./scopes-changed";
import { operationEnded } from "./sync";
import { applyUninstalled } from "./uninstall";

/** The statements of one change, for one batch, and whether anything newer had been applied before. */
export interface Applied {
  outcome: "handled" | "stale";
  statements: D1PreparedStatement[];
  /** Contacts whose counts may have changed: `closing` has the statements, once for all changes of a batch. */
  recounts?: number[];
  /** Customers whom it takes for alive: `opening` fails the batch when one was deleted meanwhile. */
  customers?: string[];
}

/** What goes before the statements of all changes of a batch. */
export function opening(db: D1Database, shop: number, applied: Applied[]): D1PreparedStatement[] {
  const customers = [...new Set(applied.flatMap((one) => one.customers ?? []))];
  return customers.length === 0 ? [] : [noneDeleted(db, shop, customers)];
}

/** What goes after the statements of all changes of a batch. */
export function closing(db: D1Database, shop: number, applied: Applied[], now: number): D1PreparedStatement[] {
  const contacts = [...new Set(applied.flatMap((one) => one.recounts ?? []))];
  return contacts.length === 0 ? [] : recountMany(db, shop, contacts, now);
}

export interface ApplyContext {
  env: Env;
  db: D1Database;
  shop: Shop;
  triggeredAt: number;
  now: number;
  /** What happened before is history: no domain event tells of it. Absent for webhooks, which tell of the present. */
  quietBefore?: number;
  /** The delivery that a change came with; absent where no webhook told of it. */
  delivery?: { key: number; webhookId: string; eventId: string | null; receivedAt: number };
}

/** Reads what decides and plans one change, whole: its statements are all of its batch. */
export async function applyChange(context: ApplyContext, change: Change) {
  const { db, shop, now } = context;
  const applied = await planChange(context, change);
  const statements = [
    ...opening(db, shop.key, [applied]),
    ...applied.statements,
    ...closing(db, shop.key, [applied], now),
  ];
  return { outcome: applied.outcome, statements };
}

/** Reads what decides and plans one change. Running it again on the same body plans nothing new. */
export async function planChange(context: ApplyContext, change: Change): Promise<Applied> {
  const { db, shop, now } = context;
  switch (change.kind) {
    case "contact":
      return applyContact(context, change.contact);
    case "tags":
      return applyTags(context, change);
    case "customer_deleted":
      return applyCustomerDeleted(context, change);
    case "customers_merged":
      return applyMerge(context, change);
    case "order": {
      const person = await personOf(context, change.contact);
      const plan = await planOrder(db, shop.key, change.order, person.key, now, context.quietBefore);
      const { tracker, cartToken = null, checkoutToken = null } = change.order;
      return {
        outcome: plan.isStale ? "stale" : "handled",
        statements: [
          plan.guard,
          ...person.statements,
          ...plan.statements,
          ...visitorJoined(context, person, { tracker, cartToken, checkoutToken, at: change.order.version.updatedAt }),
        ],
        recounts: [...keysOf(person.key), ...plan.contacts],
        customers: person.customers,
      };
    }
    case "cart": {
      const person = await personOf(context, change.contact);
      const plan = await planCart(db, shop.key, change.cart, person.key, now, context.quietBefore);
      const { tracker, token: cartToken, checkoutToken } = change.cart;
      return {
        outcome: plan.isStale ? "stale" : "handled",
        statements: [
          ...plan.guards,
          ...person.statements,
          ...plan.statements,
          ...visitorJoined(context, person, { tracker, cartToken, checkoutToken, at: change.cart.version.updatedAt }),
        ],
        recounts: person.recounts,
        customers: person.customers,
      };
    }
    case "order_deleted":
      return applyOrderDeleted(context, change);
    case "refund":
      return applyRefund(context, change.refund);
    case "checkout_deleted":
      return { outcome: "handled", statements: deleteCheckout(db, shop.key, change.token, change.at, now) };
    case "product":
      return { outcome: "handled", statements: [upsertProduct(db, shop.key, change.product, now)] };
    case "product_deleted":
      return { outcome: "handled", statements: deleteProduct(db, shop.key, change.productId, change.at) };
    case "uninstalled":
      return applyUninstalled(context, change.domain);
    case "privacy_request":
      return acceptRequest(context, change.request);
    case "scopes_changed":
      return applyScopesChanged(context);
    case "operation_ended": {
      const isWaitedFor = await operationEnded(context.env, shop, change.operation);
      return { outcome: isWaitedFor ? "handled" : "stale", statements: [] };
    }
    case "nothing":
      return { outcome: "handled", statements: [] };
    default:
      return change satisfies never;
  }
}

async function applyContact(context: ApplyContext, source: ContactSource): Promise<Applied> {
  const person = await personOf(context, source);
  if (person.key === null) return { outcome: "stale", statements: [] };
  const { statements, recounts, customers } = person;
  return { outcome: person.changed ? "handled" : "stale", statements, recounts, customers };
}

async function applyTags(context: ApplyContext, change: Extract<Change, { kind: "tags" }>): Promise<Applied> {
  const { db, shop } = context;
  const person = await planned(context, change.contact);
  if (person === null) return { outcome: "stale", statements: [] };
  const whole = person.registers.tags?.[1];
  const isStale = whole !== undefined && change.at <= whole;
  const write = change.added ? addSourceTags : removeSourceTags;
  return {
    outcome: isStale ? "stale" : "handled",
    statements: [
      ...person.statements,
      ...(isStale || change.tags.length === 0 ? [] : [write(db, shop.key, person.key, change.tags, change.at)]),
    ],
    recounts: person.recounts,
    customers: person.customers,
  };
}

export interface Person {
  key: number | null;
  id: string | null;
  changed: boolean;
  statements: D1PreparedStatement[];
  recounts: number[];
  customers: string[];
}

const NOBODY: Person = { key: null, id: null, changed: false, statements: [], recounts: [], customers: [] };

async function personOf(context: ApplyContext, source: ContactSource | null): Promise<Person> {
  return (source && (await planned(context, source))) ?? NOBODY;
}

/** A customer whom Shopify deleted is nobody any more; what an order tells beside the customer id still counts. */
async function planned(context: ApplyContext, source: ContactSource) {
  const { db, shop, now, quietBefore } = context;
  const { customerId } = source;
  const [plan, isDeleted] = await Promise.all([
    planContact(db, shop, source, now, quietBefore),
    customerId !== null && isDeletedCustomer(db, shop.key, customerId),
  ]);
  if (plan === null || isDeleted) return null;
  return { ...plan, recounts: plan.counts ? [plan.key] : [], customers: customerId === null ? [] : [customerId] };
}

function keysOf(key: number | null): number[] {
  return key === null ? [] : [key];
}
