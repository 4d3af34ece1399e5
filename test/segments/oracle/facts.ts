import type { Value } from "./operators";
import {
  type Cart,
  type Json,
  member,
  type Order,
  type OrderLine,
  type Subject,
  type Visitor,
  type World,
} from "./world";

/** What a line of an order, a cart or a browser's event says of each fact; without a member, it says nothing. */
export type Line = Record<string, Value[]>;

/** Values that are there. */
export function some(...values: (Value | null | undefined)[]): Value[] {
  return values.filter((value) => value !== null && value !== undefined);
}

/** Orders that belong to somebody: an anonymous visitor has those of no contact. */
function ownedBy<T extends { contact: number | null; visitor: number | null }>(rows: T[], subject: Subject): T[] {
  return rows.filter((row) =>
    subject.kind === "contact"
      ? row.contact === subject.contact.key
      : row.contact === null && row.visitor === subject.visitor.key,
  );
}

export function realOrders(world: World, subject: Subject): Order[] {
  return ownedBy(world.orders, subject).filter(({ test }) => !test);
}

/** Orders that count, the latest last. */
export function orders(world: World, subject: Subject): Order[] {
  return realOrders(world, subject)
    .filter(({ cancelledAt }) => cancelledAt === null)
    .sort((a, b) => a.placedAt - b.placedAt || a.key - b.key);
}

export function carts(world: World, subject: Subject): Cart[] {
  return ownedBy(world.carts, subject);
}

/** All personas whose events are this subject's. */
export function personas(world: World, subject: Subject): Visitor[] {
  return subject.kind === "visitor"
    ? [subject.visitor]
    : world.visitors.filter(({ contact }) => contact === subject.contact.key);
}

/** Lines of an order as it stands, or as it was placed. */
export function orderLines(world: World, order: Order, gone: boolean): Line[] {
  return order.lines
    .filter(({ currentQuantity }) => gone || currentQuantity > 0)
    .map((line) => ({
      ...fromProduct(world, line.productId, line),
      variant_id: some(line.variantId),
      sku: some(line.sku),
      title: some(line.title),
      price: order.currency === world.currency ? [line.price] : [],
      quantity: [gone ? line.quantity : line.currentQuantity],
      on_sale: [line.discountedPrice < line.price],
      discount: order.currency === world.currency ? [line.price - line.discountedPrice] : [],
    }));
}

/** What a line says itself goes before what its product does. */
function fromProduct(world: World, id: Value | null, own: Partial<Pick<OrderLine, "vendor" | "category">>): Line {
  const product = world.products.find((one) => one.id === id);
  return {
    product_id: some(id),
    vendor: some(own.vendor ?? product?.vendor),
    category: some(own.category ?? product?.category),
    tag: product?.tags ?? [],
    collection: product?.collections ?? [],
  };
}

export function amount(world: World, money: Json | undefined): number[] {
  const value = member(money, "amount");
  return member(money, "currency") === world.currency && typeof value === "number" ? [value] : [];
}

export const scalar = (value: Json | undefined): Value[] =>
  typeof value === "object" || value === undefined ? [] : [value];

/** A line of a cart or an event. */
export function jsonLine(world: World, line: Json): Line {
  const [id = null] = scalar(member(line, "productId"));
  const vendor = member(line, "vendor");
  const quantity = scalar(member(line, "quantity"));
  return {
    ...fromProduct(world, id, { vendor: typeof vendor === "string" ? vendor : null }),
    variant_id: scalar(member(line, "variantId")),
    sku: scalar(member(line, "sku")),
    title: scalar(member(line, "title")),
    price: amount(world, member(line, "price")),
    quantity: quantity.length > 0 ? quantity : [1],
  };
}

export function pieces(cart: Cart): number {
  return cart.items.reduce((sum, item) => sum + Number(member(item, "quantity") ?? 1), 0);
}

export const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
