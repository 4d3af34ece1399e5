import type { Product } from "../catalog.ts";
import { decimal } from "../money.ts";
import { SHOP_CURRENCY } from "../shop.ts";
import type { Store } from "../store/store.ts";
import { shopTime, utcTime } from "../time.ts";
import { gid } from "./customer-payload.ts";

/** Where the shop opened; products date from then. */
const OPENED = Date.UTC(2025, 2, 3, 9);

/** Body of products/create and products/update, the latter sent on each sale because the stock changes. */
export function productPayload(store: Store, product: Product, at: number) {
  const image = {
    id: product.id + 7,
    admin_graphql_api_id: gid("ProductImage", product.id + 7),
    alt: product.title,
    position: 1,
    product_id: product.id,
    created_at: shopTime(OPENED),
    updated_at: shopTime(OPENED),
    width: 1000,
    height: 1000,
    src: `${store.url}/cdn/shop/files/${product.handle}.svg`,
    variant_ids: [],
  };
  return {
    admin_graphql_api_id: gid("Product", product.id),
    body_html: `<p>${product.blurb}</p>`,
    created_at: shopTime(OPENED),
    handle: product.handle,
    id: product.id,
    product_type: product.type,
    published_at: shopTime(OPENED),
    template_suffix: null,
    title: product.title,
    updated_at: shopTime(at),
    vendor: product.vendor,
    status: "active",
    published_scope: "web",
    tags: product.tags.join(", "),
    variants: product.variants.map((variant, index) => ({
      admin_graphql_api_id: gid("ProductVariant", variant.id),
      barcode: null,
      compare_at_price: variant.compareAt === null ? null : decimal(variant.compareAt, SHOP_CURRENCY),
      created_at: shopTime(OPENED),
      id: variant.id,
      inventory_policy: "continue",
      position: index + 1,
      price: decimal(variant.price, SHOP_CURRENCY),
      product_id: product.id,
      sku: variant.sku,
      taxable: true,
      title: variant.title,
      updated_at: shopTime(at),
      option1: variant.title,
      option2: null,
      option3: null,
      image_id: null,
      inventory_item_id: variant.id + 11,
      inventory_quantity: store.state.inventory[String(variant.id)] ?? 250,
      old_inventory_quantity: store.state.inventory[String(variant.id)] ?? 250,
    })),
    options: [
      {
        id: product.id + 3,
        name: product.optionName,
        product_id: product.id,
        position: 1,
        values: product.variants.map((variant) => variant.title),
      },
    ],
    images: [image],
    image,
    media: [],
    variant_gids: product.variants.map((variant) => ({
      admin_graphql_api_id: gid("ProductVariant", variant.id),
      updated_at: utcTime(at),
    })),
    has_variants_that_requires_components: false,
    category: null,
  };
}
