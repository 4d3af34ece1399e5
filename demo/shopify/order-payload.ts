import { decimal, moneySet, type Pair, ZERO } from "../money.ts";
import { BRAND, marketOf, SHOP_CURRENCY, SHOP_ID, SHOPKEEPER, WORKSHOP } from "../shop.ts";
import { variantOf } from "../catalog.ts";
import { findCustomer } from "../store/customers.ts";
import { orderMoney, outstanding } from "../store/order-money.ts";
import type { Order } from "../store/state.ts";
import type { Store } from "../store/store.ts";
import { shopTime } from "../time.ts";
import { noteAttributes } from "./cart-payload.ts";
import { addressPayload, embeddedCustomer, gid } from "./customer-payload.ts";
import { orderLine, orderShippingLines } from "./order-lines.ts";
import { refundPayload } from "./refund-payload.ts";

/**
 * Body of orders/create, updated, paid and cancelled. Top-level money is the shop's currency, the sets carry both.
 * 2026-04 took `checkout_id` and brought `line_item_groups`; 2026-10 brought the lines' `selling_plan_id`.
 */
export function orderPayload(store: Store, order: Order) {
  const { currency } = marketOf(order.country);
  const money = orderMoney(order);
  const customer = findCustomer(store, order.customerId);
  const amount = (pair: Pair): string => decimal(pair.shop, SHOP_CURRENCY);
  const set = (pair: Pair) => moneySet(pair, currency);
  return {
    id: order.id,
    admin_graphql_api_id: gid("Order", order.id),
    app_id: order.sourceName === "web" ? 580_111 : 129_785,
    browser_ip: null,
    buyer_accepts_marketing: order.acceptsMarketing,
    cancel_reason: order.cancelReason,
    cancelled_at: order.cancelledAt === null ? null : shopTime(order.cancelledAt),
    cart_token: order.cartToken,
    ...(store.apiVersion === "2026-01" ? { checkout_id: order.checkoutId } : { line_item_groups: [] }),
    checkout_token: order.checkoutToken,
    client_details: null,
    closed_at: null,
    confirmation_number: order.confirmationNumber,
    confirmed: true,
    contact_email: order.email,
    created_at: shopTime(order.createdAt),
    currency: SHOP_CURRENCY,
    current_shipping_price_set: set(money.currentShipping),
    current_subtotal_price: amount(money.currentSubtotal),
    current_subtotal_price_set: set(money.currentSubtotal),
    current_total_additional_fees_set: null,
    current_total_discounts: amount(money.currentDiscount),
    current_total_discounts_set: set(money.currentDiscount),
    current_total_duties_set: null,
    current_total_price: amount(money.currentTotal),
    current_total_price_set: set(money.currentTotal),
    current_total_tax: amount(money.currentTax),
    current_total_tax_set: set(money.currentTax),
    customer_locale: order.cartToken === null ? null : `en-${order.country}`,
    device_id: null,
    discount_codes:
      order.discount === null
        ? []
        : [{ code: order.discount.code, amount: amount(order.discount.amount), type: order.discount.type }],
    duties_included: false,
    email: order.email ?? "",
    estimated_taxes: false,
    financial_status: order.financialStatus,
    fulfillment_status: null,
    landing_site: order.landingSite,
    landing_site_ref: null,
    location_id: order.sourceName === "pos" ? WORKSHOP.id : null,
    merchant_business_entity_id: "MTYxMzg0MjIwNzEx",
    merchant_of_record_app_id: null,
    name: `#${order.number}`,
    note: order.note,
    note_attributes: noteAttributes(order.attributes),
    number: order.number - 1000,
    order_number: order.number,
    order_status_url: `${store.url}/${SHOP_ID}/orders/${order.token}/authenticate?key=${order.token.slice(0, 12)}`,
    original_total_additional_fees_set: null,
    original_total_duties_set: null,
    payment_gateway_names: [order.gateway],
    phone: order.phone,
    po_number: null,
    presentment_currency: currency,
    processed_at: shopTime(order.createdAt),
    reference: null,
    referring_site: order.referringSite,
    source_identifier: null,
    source_name: order.sourceName,
    source_url: null,
    subtotal_price: amount(money.subtotal),
    subtotal_price_set: set(money.subtotal),
    tags: "",
    tax_exempt: false,
    tax_lines: taxLines(order),
    taxes_included: true,
    test: order.test,
    token: order.token,
    total_cash_rounding_payment_adjustment_set: set(ZERO),
    total_cash_rounding_refund_adjustment_set: set(ZERO),
    total_discounts: amount(money.discount),
    total_discounts_set: set(money.discount),
    total_line_items_price: amount(money.itemsTotal),
    total_line_items_price_set: set(money.itemsTotal),
    total_outstanding: amount(outstanding(order)),
    total_price: amount(money.total),
    total_price_set: set(money.total),
    total_shipping_price_set: set(money.shipping),
    total_tax: amount(money.tax),
    total_tax_set: set(money.tax),
    total_tip_received: "0.00",
    total_weight: order.lines.reduce((sum, line) => sum + variantOf(line.variantId).variant.grams * line.quantity, 0),
    updated_at: shopTime(order.updatedAt),
    user_id: order.sourceName === "pos" ? SHOPKEEPER.id : null,
    billing_address: order.address === null ? null : addressPayload(order.address),
    customer: customer === undefined ? null : embeddedCustomer(customer),
    discount_applications: discountApplications(order),
    fulfillments: [],
    line_items: order.lines.map((line) => ({
      ...orderLine(order, line),
      ...(store.apiVersion === "2026-10" ? { selling_plan_id: null } : {}),
    })),
    payment_terms: null,
    refunds: order.refunds.map((refund) => refundPayload(order, refund)),
    shipping_address: order.address === null ? null : addressPayload(order.address),
    shipping_lines: orderShippingLines(order),
    returns: [],
  };
}

function taxLines(order: Order) {
  const market = marketOf(order.country);
  const { tax } = orderMoney(order);
  if (market.taxRate === 0) return [];
  return [
    {
      channel_liable: false,
      price: decimal(tax.shop, SHOP_CURRENCY),
      price_set: moneySet(tax, market.currency),
      rate: market.taxRate,
      title: market.taxTitle,
    },
  ];
}

function discountApplications(order: Order) {
  if (order.discount === null) return [];
  const shipping = order.discount.type === "shipping";
  return [
    {
      target_type: shipping ? "shipping_line" : "line_item",
      type: "discount_code",
      value: Number(order.discount.value).toFixed(1),
      value_type: order.discount.type === "fixed_amount" ? "fixed_amount" : "percentage",
      allocation_method: shipping ? "each" : "across",
      target_selection: "all",
      code: order.discount.code,
    },
  ];
}

/** Body of app/uninstalled: the shop. Its names are null, as in Shopify's own samples; the header names the shop. */
export function shopPayload() {
  return {
    id: SHOP_ID,
    name: BRAND,
    email: "hello@alder-and-oat.example",
    domain: null,
    province: "Berlin",
    country: "DE",
    address1: "Oderberger Straße 12",
    zip: "10435",
    city: "Berlin",
    source: null,
    phone: "+493012345678",
    latitude: null,
    longitude: null,
    primary_locale: "en",
    address2: null,
    created_at: null,
    updated_at: null,
    country_code: "DE",
    country_name: "Germany",
    currency: SHOP_CURRENCY,
    customer_email: "hello@alder-and-oat.example",
    timezone: "(GMT+01:00) Europe/Berlin",
    iana_timezone: "Europe/Berlin",
    shop_owner: "Ada Alder",
    money_format: "€{{amount}}",
    money_with_currency_format: "€{{amount}} EUR",
    weight_unit: "kg",
    province_code: "BE",
    taxes_included: true,
    auto_configure_tax_inclusivity: null,
    tax_shipping: null,
    county_taxes: null,
    plan_display_name: "Basic",
    plan_name: "basic",
    has_discounts: true,
    has_gift_cards: false,
    myshopify_domain: null,
    google_apps_domain: null,
    google_apps_login_enabled: null,
    money_in_emails_format: "€{{amount}}",
    money_with_currency_in_emails_format: "€{{amount}} EUR",
    eligible_for_payments: true,
    requires_extra_payments_agreement: false,
    password_enabled: false,
    has_storefront: true,
    finances: true,
    primary_location_id: WORKSHOP.id,
    checkout_api_supported: true,
    multi_location_enabled: false,
    setup_required: false,
    pre_launch_enabled: false,
    enabled_presentment_currencies: ["EUR", "USD", "GBP", "JPY"],
    marketing_sms_consent_enabled_at_checkout: false,
    transactional_sms_disabled: false,
  };
}
