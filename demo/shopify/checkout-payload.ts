import { variantOf } from "../catalog.ts";
import { decimal, inMarket, type Pair } from "../money.ts";
import { type Market, SHOP_CURRENCY, SHOP_ID } from "../shop.ts";
import { findCustomer } from "../store/customers.ts";
import { findDiscount, findRate, includedTax, price, type PricedLine } from "../store/pricing.ts";
import type { Checkout } from "../store/state.ts";
import type { Store } from "../store/store.ts";
import { shopTime } from "../time.ts";
import { noteAttributes } from "./cart-payload.ts";
import { addressPayload, embeddedCustomer } from "./customer-payload.ts";

/**
 * Body of checkouts/create and checkouts/update. Amounts are in the shopper's currency although `currency` names
 * the shop's; `customer`, `billing_address` and `shipping_address` are absent until known; `id` is gone since 2026-04.
 */
export function checkoutPayload(store: Store, checkout: Checkout) {
  const priced = price(checkout.lines, checkout.country, checkout.shippingCode, checkout.discountCode);
  const { market } = priced;
  const money = (pair: Pair): string => decimal(pair.presentment, market.currency);
  const code = findDiscount(checkout.discountCode);
  const customer = findCustomer(store, checkout.customerId);
  const address = checkout.shippingAddress;
  return {
    ...(store.apiVersion === "2026-01" ? { id: checkout.id } : {}),
    token: checkout.token,
    cart_token: checkout.cartToken,
    email: checkout.email,
    gateway: checkout.completedAt === null ? null : "bogus",
    buyer_accepts_marketing: checkout.acceptsMarketing,
    created_at: shopTime(checkout.createdAt),
    updated_at: shopTime(checkout.updatedAt),
    landing_site: checkout.landingSite,
    note: checkout.note,
    note_attributes: noteAttributes(checkout.attributes),
    referring_site: checkout.referringSite,
    shipping_lines: shippingLines(checkout, money(priced.shippingPrice)),
    taxes_included: true,
    total_weight: priced.grams,
    currency: SHOP_CURRENCY,
    completed_at: checkout.completedAt === null ? null : shopTime(checkout.completedAt),
    closed_at: null,
    user_id: null,
    location_id: null,
    source_identifier: null,
    source_url: null,
    device_id: null,
    phone: checkout.phone,
    customer_locale: `en-${checkout.country}`,
    line_items: priced.lines.map((line) => checkoutLine(line, market)),
    name: `#${checkout.id}`,
    source: null,
    abandoned_checkout_url: `${store.url}/${SHOP_ID}/checkouts/ac/${checkout.cartToken}/en-${checkout.country.toLowerCase()}/recover?key=${checkout.token.slice(0, 20)}`,
    discount_codes: code === undefined ? [] : [{ code: code.code, amount: money(priced.discount), type: code.type }],
    tax_lines:
      market.taxRate === 0
        ? []
        : [{ price: money(priced.tax), rate: market.taxRate, title: market.taxTitle, channel_liable: false }],
    source_name: "web",
    presentment_currency: market.currency,
    buyer_accepts_sms_marketing: false,
    sms_marketing_phone: null,
    total_discounts: money(priced.discount),
    total_line_items_price: money(priced.itemsTotal),
    total_price: money(priced.total),
    total_tax: money(priced.tax),
    subtotal_price: money(priced.subtotal),
    total_duties: null,
    reservation_token: null,
    ...(address === null
      ? {}
      : { shipping_address: addressPayload(address), billing_address: addressPayload(address) }),
    ...(customer === undefined ? {} : { customer: embeddedCustomer(customer) }),
  };
}

function checkoutLine({ line, price, total, discount }: PricedLine, market: Market) {
  const { product, variant } = variantOf(line.variantId);
  const { currency } = market;
  const taxed = { shop: total.shop - discount.shop, presentment: total.presentment - discount.presentment };
  return {
    applied_discounts: [],
    discount_allocations:
      discount.presentment === 0
        ? []
        : [
            {
              id: null,
              amount: decimal(discount.presentment, currency),
              description: "Discount code",
              created_at: null,
              application_type: "discount_code",
              discount_class: "order",
            },
          ],
    key: line.key,
    destination_location_id: null,
    fulfillment_service: "manual",
    gift_card: false,
    grams: variant.grams,
    origin_location_id: null,
    presentment_title: product.title,
    presentment_variant_title: variant.title,
    product_id: product.id,
    properties: Object.keys(line.properties).length === 0 ? null : line.properties,
    quantity: line.quantity,
    requires_shipping: true,
    sku: variant.sku,
    tax_lines:
      market.taxRate === 0 ? [] : [checkoutTax(decimal(includedTax(taxed, market).presentment, currency), market)],
    taxable: true,
    title: product.title,
    variant_id: variant.id,
    variant_title: variant.title,
    variant_price: decimal(price.presentment, currency),
    vendor: product.vendor,
    user_id: null,
    unit_price_measurement: {
      measured_type: null,
      quantity_value: null,
      quantity_unit: null,
      reference_value: null,
      reference_unit: null,
    },
    rank: null,
    compare_at_price: comparePrice(variant.compareAt, market),
    line_price: decimal(total.presentment, currency),
    price: decimal(price.presentment, currency),
  };
}

function comparePrice(cents: number | null, market: Market): string | null {
  return cents === null ? null : decimal(inMarket(cents, market).presentment, market.currency);
}

function checkoutTax(amount: string, market: Market) {
  return {
    price: amount,
    position: 1,
    rate: market.taxRate,
    title: market.taxTitle,
    source: "Shopify",
    zone: "country",
    jurisdiction_id: null,
    jurisdiction_type: null,
    jurisdiction_source: null,
    reporting_taxable_amount: null,
    reporting_non_taxable_amount: null,
    reporting_exempt_amount: null,
    reporting_jurisdiction_name: null,
    reporting_jurisdiction_type: null,
    reporting_jurisdiction_code: null,
    tax_api_client_id: null,
    tax_calculation_price: amount,
    tax_registration_id: null,
    compare_at: market.taxRate,
    channel_liable: false,
  };
}

function shippingLines(checkout: Checkout, amount: string) {
  const rate = findRate(checkout.shippingCode);
  if (rate === undefined) return [];
  return [
    {
      api_client_id: null,
      applied_discounts: [],
      carrier_identifier: null,
      carrier_service_id: null,
      code: rate.title,
      custom_tax_lines: null,
      delivery_category: null,
      delivery_expectation_range: null,
      delivery_expectation_type: null,
      delivery_option_group: { token: checkout.token, type: "one_time_purchase" },
      id: null,
      markup: "0.00",
      original_shop_markup: null,
      original_shop_price: null,
      phone: null,
      presentment_title: rate.title,
      price: amount,
      requested_fulfillment_service_id: null,
      source: "shopify",
      tax_lines: [],
      title: rate.title,
      validation_context: null,
    },
  ];
}
