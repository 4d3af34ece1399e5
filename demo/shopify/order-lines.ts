import { variantOf } from "../catalog.ts";
import { decimal, minus, moneySet, times } from "../money.ts";
import { marketOf, SHOP_CURRENCY } from "../shop.ts";
import { includedTax } from "../store/pricing.ts";
import type { Order, OrderLine } from "../store/state.ts";
import { gid } from "./customer-payload.ts";

/** One line of an order body. The order's discount code is its application number 0. */
export function orderLine(order: Order, line: OrderLine) {
  const { product, variant } = variantOf(line.variantId);
  const market = marketOf(order.country);
  const net = minus(times(line.price, line.quantity), line.discount);
  const tax = includedTax(net, market);
  return {
    id: line.id,
    admin_graphql_api_id: gid("LineItem", line.id),
    attributed_staffs: [],
    current_quantity: line.currentQuantity,
    fulfillable_quantity: line.currentQuantity,
    fulfillment_service: "manual",
    fulfillment_status: null,
    gift_card: false,
    grams: variant.grams,
    name: `${product.title} - ${variant.title}`,
    price: decimal(line.price.shop, SHOP_CURRENCY),
    price_set: moneySet(line.price, market.currency),
    product_exists: true,
    product_id: product.id,
    properties: Object.entries(line.properties).map(([name, value]) => ({ name, value })),
    quantity: line.quantity,
    requires_shipping: true,
    sales_line_item_group_id: null,
    sku: variant.sku,
    taxable: true,
    title: product.title,
    total_discount: decimal(0, SHOP_CURRENCY),
    total_discount_set: moneySet({ shop: 0, presentment: 0 }, market.currency),
    variant_id: variant.id,
    variant_inventory_management: "shopify",
    variant_title: variant.title,
    vendor: product.vendor,
    tax_lines:
      market.taxRate === 0
        ? []
        : [
            {
              channel_liable: false,
              price: decimal(tax.shop, SHOP_CURRENCY),
              price_set: moneySet(tax, market.currency),
              rate: market.taxRate,
              title: market.taxTitle,
            },
          ],
    duties: [],
    discount_allocations:
      line.discount.presentment === 0
        ? []
        : [
            {
              amount: decimal(line.discount.shop, SHOP_CURRENCY),
              amount_set: moneySet(line.discount, market.currency),
              discount_application_index: 0,
            },
          ],
  };
}

/** The shipping lines of an order body. */
export function orderShippingLines(order: Order) {
  const { shipping } = order;
  if (shipping === null) return [];
  const { currency } = marketOf(order.country);
  const discounted = minus(shipping.price, shipping.discount);
  const back = order.refunds.some((refund) => refund.shipping.presentment > 0);
  return [
    {
      id: shipping.id,
      carrier_identifier: null,
      code: shipping.code,
      current_discounted_price_set: moneySet(back ? { shop: 0, presentment: 0 } : discounted, currency),
      discounted_price: decimal(discounted.shop, SHOP_CURRENCY),
      discounted_price_set: moneySet(discounted, currency),
      is_removed: false,
      phone: null,
      price: decimal(shipping.price.shop, SHOP_CURRENCY),
      price_set: moneySet(shipping.price, currency),
      requested_fulfillment_service_id: null,
      source: "shopify",
      title: shipping.title,
      tax_lines: [],
      discount_allocations:
        shipping.discount.presentment === 0
          ? []
          : [
              {
                amount: decimal(shipping.discount.shop, SHOP_CURRENCY),
                amount_set: moneySet(shipping.discount, currency),
                discount_application_index: 0,
              },
            ],
    },
  ];
}
