import { type Product, variantOf } from "../catalog.ts";
import { hundredths, inMarket, major, type Pair, plus, times, ZERO } from "../money.ts";
import type { Market } from "../shop.ts";
import type { Cart, Line } from "../store/state.ts";

/** What a cart's lines cost. */
export function cartTotals(cart: Cart, market: Market): Pair {
  return plus(
    ZERO,
    ...cart.lines.map((line) => times(inMarket(variantOf(line.variantId).variant.price, market), line.quantity)),
  );
}

export const pictureUrl = (product: Product, variantId: number): string =>
  `/cdn/shop/files/${product.handle}.svg?variant=${variantId}`;

/** `/cart.js`: whole numbers in hundredths of the shopper's currency; attributes beginning with `__` stay private. */
export function cartJson(cart: Cart, market: Market, origin: string) {
  const total = hundredths(cartTotals(cart, market).presentment, market.currency);
  return {
    token: `${cart.token}?key=${cart.key}`,
    note: cart.note,
    attributes: Object.fromEntries(Object.entries(cart.attributes).filter(([name]) => !name.startsWith("__"))),
    original_total_price: total,
    total_price: total,
    total_discount: 0,
    total_weight: cart.lines.reduce((sum, line) => sum + variantOf(line.variantId).variant.grams * line.quantity, 0),
    item_count: cart.lines.reduce((sum, line) => sum + line.quantity, 0),
    items: cart.lines.map((line) => lineJson(line, market, origin)),
    requires_shipping: cart.lines.length > 0,
    currency: market.currency,
    items_subtotal_price: total,
    cart_level_discount_applications: [],
    discount_codes: [],
  };
}

/** One line of `/cart.js`, and the answer of `/cart/add.js`. */
export function lineJson(line: Line, market: Market, origin: string) {
  const { product, variant } = variantOf(line.variantId);
  const pair = inMarket(variant.price, market);
  const price = hundredths(pair.presentment, market.currency);
  const image = `${origin}${pictureUrl(product, variant.id)}`;
  return {
    id: variant.id,
    properties: line.properties,
    quantity: line.quantity,
    variant_id: variant.id,
    key: line.key,
    title: `${product.title} - ${variant.title}`,
    price,
    original_price: price,
    presentment_price: major(pair.presentment, market.currency),
    discounted_price: price,
    line_price: price * line.quantity,
    original_line_price: price * line.quantity,
    total_discount: 0,
    discounts: [],
    sku: variant.sku,
    grams: variant.grams,
    vendor: product.vendor,
    taxable: true,
    product_id: product.id,
    product_has_only_default_variant: false,
    gift_card: false,
    final_price: price,
    final_line_price: price * line.quantity,
    url: `/products/${product.handle}?variant=${variant.id}`,
    featured_image: { aspect_ratio: 1, alt: product.title, height: 1000, url: image, width: 1000 },
    image,
    handle: product.handle,
    requires_shipping: true,
    product_type: product.type,
    product_title: product.title,
    product_description: product.blurb,
    variant_title: variant.title,
    variant_options: [variant.title],
    options_with_values: [{ name: product.optionName, value: variant.title }],
    line_level_discount_allocations: [],
    line_level_total_discount: 0,
    has_components: false,
  };
}

/** The product of `ShopifyAnalytics.meta`. */
export function productMeta(product: Product, market: Market) {
  return {
    id: product.id,
    gid: `gid://shopify/Product/${product.id}`,
    vendor: product.vendor,
    type: product.type,
    handle: product.handle,
    variants: product.variants.map((variant) => ({
      id: variant.id,
      price: hundredths(inMarket(variant.price, market).presentment, market.currency),
      name: `${product.title} - ${variant.title}`,
      public_title: variant.title,
      sku: variant.sku,
    })),
    remote: false,
  };
}

/** `/products/{handle}.js`. */
export function productJson(product: Product, market: Market) {
  const prices = product.variants.map((variant) =>
    hundredths(inMarket(variant.price, market).presentment, market.currency),
  );
  return {
    id: product.id,
    title: product.title,
    handle: product.handle,
    description: product.blurb,
    vendor: product.vendor,
    type: product.type,
    tags: product.tags,
    price: Math.min(...prices),
    price_min: Math.min(...prices),
    price_max: Math.max(...prices),
    available: true,
    price_varies: new Set(prices).size > 1,
    variants: product.variants.map((variant, index) => ({
      id: variant.id,
      title: variant.title,
      option1: variant.title,
      option2: null,
      option3: null,
      sku: variant.sku,
      requires_shipping: true,
      taxable: true,
      available: true,
      name: `${product.title} - ${variant.title}`,
      public_title: variant.title,
      options: [variant.title],
      price: prices[index],
      weight: variant.grams,
      compare_at_price:
        variant.compareAt === null
          ? null
          : hundredths(inMarket(variant.compareAt, market).presentment, market.currency),
    })),
    images: product.variants.map((variant) => pictureUrl(product, variant.id)),
    featured_image: pictureUrl(product, product.variants[0].id),
    options: [{ name: product.optionName, position: 1, values: product.variants.map((variant) => variant.title) }],
    url: `/products/${product.handle}`,
  };
}
