import { type Chance, chanceFrom } from "../simulator/chance.ts";
import { generateCatalog } from "./generate-catalog.ts";
import { generateCheckout, generateOrder, type OrderDraft } from "./generate-orders.ts";
import { generateCustomer } from "./generate-customers.ts";
import type { CheckoutRecord, CustomerRecord, OrderRecord } from "./records.ts";
import type { Records } from "./store.ts";
import { type Computed, Table } from "./table.ts";
import { type GenerateOptions, type Profile, type World, worldOf } from "./world.ts";

const DAY = 86_400_000;

/** A generator for one record, the same whenever it is asked for. */
function chanceOf(world: World, kind: number, n: number): Chance {
  let mixed = Math.imul(world.seed + kind * 7919, 0x9e3779b1) ^ Math.imul(n + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return chanceFrom(mixed ^ (mixed >>> 13));
}

/** Ids of a kind: far from those of the others, and apart from one another as Shopify's are. */
function numbered(
  base: number,
  count: number,
): { id: (n: number) => number; number: (id: number) => number | undefined } {
  const step = 64;
  return {
    id: (n) => base + n * step + 21,
    number: (id) => {
      const n = (id - base - 21) / step;
      return Number.isInteger(n) && n >= 0 && n < count ? n : undefined;
    },
  };
}

const BASES = { customers: 7_100_000_000_000, orders: 5_600_000_000_000, checkouts: 33_000_000_000_000 };

/** Which customer placed which order: every customer in turn, in an order that looks like none, both ways without a table. */
export function assignment(customers: number): {
  customerOf: (order: number) => number;
  firstOf: (customer: number) => number;
} {
  let factor = Math.max(1, Math.floor(customers * 0.618));
  while (gcd(factor, customers) !== 1) factor += 1;
  let inverse = 1;
  for (let [r0, r1, s0, s1] = [customers, factor % customers, 0, 1]; r1 !== 0;) {
    const quotient = Math.floor(r0 / r1);
    [r0, r1, s0, s1] = [r1, r0 - quotient * r1, s1, s0 - quotient * s1];
    inverse = s0;
  }
  const unit = ((inverse % customers) + customers) % customers;
  return {
    customerOf: (order) => (order * factor) % customers,
    firstOf: (customer) => (customer * unit) % customers,
  };
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

type CustomerFields = ReturnType<typeof generateCustomer>;

/** The customer that was asked for last: an order asks for its buyer when it is made, and again for its node. */
const latest = new WeakMap<World, { n: number; fields: CustomerFields }>();

function customerFields(world: World, n: number): CustomerFields {
  const last = latest.get(world);
  if (last?.n === n) return last.fields;
  const fields = generateCustomer(world, chanceOf(world, 1, n), n);
  latest.set(world, { n, fields });
  return fields;
}

/** The drafts of a generated store's orders, each with what it came to: for the store's records and for its summary. */
export function ordersOfWorld(world: World): { draft: (n: number) => OrderDraft; createdAt: (n: number) => number } {
  const catalog = generateCatalog(world);
  const ids = numbered(BASES.orders, world.orders);
  const customerIds = numbered(BASES.customers, world.customers);
  const { customerOf } = assignment(Math.max(1, world.customers));
  const createdAt = (n: number): number =>
    world.from + Math.floor(((n + 1) * (world.until - world.from)) / (world.orders + 1));
  return {
    createdAt,
    draft: (n) => {
      const customer = world.customers === 0 ? undefined : customerOf(n);
      return generateOrder(world, catalog, chanceOf(world, 2, n), {
        n,
        id: ids.id(n),
        createdAt: createdAt(n),
        updatedAt: updatedAt(world, 2, n, createdAt(n)),
        customer: customer === undefined ? null : { id: customerIds.id(customer), ...customerFields(world, customer) },
      });
    },
  };
}

/** Most records are not touched again after their first hours, some are weeks later. */
function updatedAt(world: World, kind: number, n: number, createdAt: number): number {
  const chance = chanceOf(world, kind + 100, n);
  const later = chance.yes(0.3) ? chance.whole(1, 30) * DAY + chance.whole(0, DAY) : chance.whole(0, 7_200_000);
  return Math.min(world.until, createdAt + later);
}

/** The records of a generated store; none is kept, each is computed when it is asked for. */
export function generatedRecords(profile: Profile, options: GenerateOptions): Records {
  const world = worldOf(profile, options);
  const catalog = generateCatalog(world);
  const orders = ordersOfWorld(world);
  const orderIds = numbered(BASES.orders, world.orders);
  const customerIds = numbered(BASES.customers, world.customers);
  const checkoutIds = numbered(BASES.checkouts, world.checkouts);
  const { firstOf } = assignment(Math.max(1, world.customers));
  const joined = (n: number): number => world.from + Math.floor((n * (world.until - world.from)) / world.customers);
  const left = (n: number): number => world.until - Math.floor(((n + 1) * 60 * DAY) / (world.checkouts + 1));

  const customers: Computed<CustomerRecord> = {
    count: world.customers,
    ...customerIds,
    createdAt: joined,
    updatedAt: (n) => updatedAt(world, 1, n, joined(n)),
    record: (n) => ({
      id: customerIds.id(n),
      createdAt: joined(n),
      updatedAt: updatedAt(world, 1, n, joined(n)),
      ...customerFields(world, n),
    }),
  };
  const orderTable = new Table<OrderRecord>({
    count: world.orders,
    ...orderIds,
    createdAt: orders.createdAt,
    updatedAt: (n) => updatedAt(world, 2, n, orders.createdAt(n)),
    record: (n) => orders.draft(n).order,
  });
  const checkouts: Computed<CheckoutRecord> = {
    count: world.checkouts,
    ...checkoutIds,
    createdAt: left,
    updatedAt: (n) => left(n) + 600_000,
    record: (n) =>
      generateCheckout(world, catalog, chanceOf(world, 3, n), { n, id: checkoutIds.id(n), createdAt: left(n) }),
  };
  return {
    customers: new Table(customers),
    orders: orderTable,
    products: Table.of(catalog.products),
    collections: Table.of(catalog.collections),
    checkouts: new Table(checkouts),
    locations: Table.of(catalog.locations),
    staff: Table.of(catalog.staff),
    ordersOf: (customerId) => {
      const customer = customerIds.number(customerId);
      const found = [...orderTable.kept()].filter(
        (order) => order.customerId === customerId && orderIds.number(order.id) === undefined,
      );
      if (customer === undefined) return found;
      for (let n = firstOf(customer); n < world.orders; n += world.customers) {
        const order = orderTable.get(orderIds.id(n));
        if (order?.customerId === customerId) found.push(order);
      }
      return found;
    },
  };
}
