import type { OrderItem, OrderItemSource } from "./source";

/**
 * The lines of an order after a body told them: in its order, and without those that it does not name. A member that it
 * leaves out keeps the value of the same line, which its id tells, and its variant where the id is left out too.
 */
export function mergeItems(told: OrderItemSource[], stored: OrderItem[]): OrderItem[] {
  const left = [...stored];
  const take = (isSame: (line: OrderItem) => boolean) => {
    const at = left.findIndex(isSame);
    return at < 0 ? undefined : left.splice(at, 1)[0];
  };
  const byId = told.map(({ externalId: id }) => (id == null ? undefined : take((line) => line.externalId === id)));
  return told.map((item, i) => {
    const { externalId, variantId } = item;
    const byVariant = () =>
      externalId == null && variantId != null ? take((line) => line.variantId === variantId) : undefined;
    return wholeItem(item, byId[i] ?? byVariant());
  });
}

/** A line with every member: what was told, else what is stored of it, else what a new line starts with. */
export function wholeItem(told: OrderItemSource, stored?: OrderItem): OrderItem {
  const { quantity, price } = told;
  return {
    externalId: null,
    productId: null,
    variantId: null,
    sku: null,
    title: "",
    variantTitle: null,
    vendor: null,
    category: null,
    image: null,
    ...stored,
    currentQuantity: Math.min(stored?.currentQuantity ?? quantity, quantity),
    discountedPrice: Math.min(stored?.discountedPrice ?? price, price),
    ...told,
  };
}

/** True when the stored lines are these already, in this order. */
export function areSameItems(items: OrderItem[], stored: OrderItem[]): boolean {
  if (items.length !== stored.length) return false;
  return items.every((item, i) => {
    const other = Object.entries(stored[i] ?? {});
    const mine = new Map<string, unknown>(Object.entries(item));
    return other.length === mine.size && other.every(([name, value]) => mine.get(name) === value);
  });
}
