import { variantOf } from "../catalog.ts";
import { decimal, inMarket, moneySet, times, ZERO } from "../money.ts";
import { marketOf, SHOP_CURRENCY } from "../shop.ts";
import type { Cart } from "../store/state.ts";
import type { Store } from "../store/store.ts";
import { utcTime } from "../time.ts";

/** Name-value pairs as orders, checkouts and real cart bodies carry attributes; private ones (`__`) too. */
export function noteAttributes(attributes: Record<string, string>): { name: string; value: string }[] {
  return Object.entries(attributes).map(([name, value]) => ({ name, value }));
}

/** Body of carts/create and carts/update: no customer, no currency, no address of the page. */
export function cartPayload(store: Store, cart: Cart) {
  const market = marketOf(cart.country);
  return {
    id: cart.token,
    token: cart.token,
    line_items: cart.lines.map((line) => {
      const { product, variant } = variantOf(line.variantId);
      const price = inMarket(variant.price, market);
      const total = times(price, line.quantity);
      return {
        id: variant.id,
        properties: Object.keys(line.properties).length === 0 ? null : line.properties,
        quantity: line.quantity,
        variant_id: variant.id,
        key: line.key,
        discounted_price: decimal(price.shop, SHOP_CURRENCY),
        discounts: [],
        gift_card: false,
        grams: variant.grams,
        line_price: decimal(total.shop, SHOP_CURRENCY),
        original_line_price: decimal(total.shop, SHOP_CURRENCY),
        original_price: decimal(price.shop, SHOP_CURRENCY),
        price: decimal(price.shop, SHOP_CURRENCY),
        product_id: product.id,
        sku: variant.sku,
        taxable: true,
        title: `${product.title} - ${variant.title}`,
        total_discount: decimal(0, SHOP_CURRENCY),
        vendor: product.vendor,
        discounted_price_set: moneySet(price, market.currency),
        line_price_set: moneySet(total, market.currency),
        original_line_price_set: moneySet(total, market.currency),
        price_set: moneySet(price, market.currency),
        total_discount_set: moneySet(ZERO, market.currency),
        ...(store.apiVersion === "2026-01" ? {} : { parent_relationship: null }),
      };
    }),
    note: cart.note,
    note_attributes: noteAttributes(cart.attributes),
    updated_at: utcTime(cart.updatedAt),
    created_at: utcTime(cart.createdAt),
  };
}
