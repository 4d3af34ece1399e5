import { findDiscount, type Priced } from "../store/pricing.ts";
import { priceCheckout } from "../store/checkouts.ts";
import { type Product, type Variant, variantOf } from "../catalog.ts";
import { inMarket, major, type Pair } from "../money.ts";
import { BRAND, type Market } from "../shop.ts";
import { cartTotals } from "./ajax-shapes.ts";
import type { Address, Cart, Checkout, Order } from "../store/state.ts";

/* The `data` of pixel events, in the shapes of Shopify's Web Pixels API: numbers for money, strings for ids. */

const money = (pair: Pair, market: Market) => ({
  amount: major(pair.presentment, market.currency),
  currencyCode: market.currency,
});

export function variantData(product: Product, variant: Variant, market: Market) {
  return {
    id: String(variant.id),
    title: variant.title,
    untranslatedTitle: variant.title,
    sku: variant.sku,
    price: money(inMarket(variant.price, market), market),
    image: { src: `/cdn/shop/files/${product.handle}.svg?variant=${variant.id}` },
    product: {
      id: String(product.id),
      title: product.title,
      untranslatedTitle: product.title,
      vendor: product.vendor,
      type: product.type,
      url: `/products/${product.handle}?variant=${variant.id}`,
    },
  };
}

export function cartData(cart: Cart, market: Market) {
  return {
    id: cart.token,
    totalQuantity: cart.lines.reduce((sum, line) => sum + line.quantity, 0),
    cost: { totalAmount: money(cartTotals(cart, market), market) },
    attributes: Object.entries(cart.attributes)
      .filter(([key]) => !key.startsWith("__"))
      .map(([key, value]) => ({ key, value })),
    lines: cart.lines.map((line) => {
      const { product, variant } = variantOf(line.variantId);
      const price = inMarket(variant.price, market);
      return {
        quantity: line.quantity,
        cost: {
          totalAmount: money(
            { shop: price.shop * line.quantity, presentment: price.presentment * line.quantity },
            market,
          ),
        },
        merchandise: variantData(product, variant, market),
      };
    }),
  };
}

function address(from: Address | null) {
  if (from === null) return null;
  return {
    firstName: from.firstName,
    lastName: from.lastName,
    address1: from.address1,
    address2: from.address2,
    city: from.city,
    country: from.country,
    countryCode: from.countryCode,
    phone: from.phone,
    province: from.province,
    provinceCode: from.provinceCode,
    zip: from.zip,
  };
}

/** `data` of the checkout events and of payment_info_submitted; `order` only when it is complete. */
export function checkoutData(checkout: Checkout, order: Order | undefined) {
  const priced: Priced = priceCheckout(checkout);
  const { market } = priced;
  const code = findDiscount(checkout.discountCode);
  return {
    checkout: {
      token: checkout.token,
      email: checkout.email ?? "",
      phone: checkout.phone ?? "",
      smsMarketingPhone: null,
      buyerAcceptsEmailMarketing: checkout.acceptsMarketing,
      buyerAcceptsSmsMarketing: false,
      currencyCode: market.currency,
      attributes: Object.entries(checkout.attributes).map(([key, value]) => ({ key, value })),
      billingAddress: address(checkout.shippingAddress),
      shippingAddress: address(checkout.shippingAddress),
      discountApplications:
        code === undefined
          ? []
          : [
              {
                type: "DISCOUNT_CODE",
                title: code.code,
                allocationMethod: "ACROSS",
                targetSelection: "ALL",
                targetType: code.type === "shipping" ? "SHIPPING_LINE" : "LINE_ITEM",
                value: code.type === "fixed_amount" ? money(priced.discount, market) : { percentage: code.value },
              },
            ],
      discountsAmount: money(priced.discount, market),
      lineItems: priced.lines.map(({ line, total, discount }) => {
        const { product, variant } = variantOf(line.variantId);
        return {
          id: line.key,
          title: product.title,
          quantity: line.quantity,
          properties: Object.entries(line.properties).map(([key, value]) => ({ key, value })),
          finalLinePrice: money(
            { shop: total.shop - discount.shop, presentment: total.presentment - discount.presentment },
            market,
          ),
          discountAllocations: [],
          sellingPlanAllocation: null,
          variant: variantData(product, variant, market),
        };
      }),
      localization: {
        country: { isoCode: market.country },
        language: { isoCode: "en" },
        market: { id: `gid://shopify/Market/${market.country}`, handle: market.country.toLowerCase() },
      },
      shippingLine: checkout.shippingCode === null ? null : { price: money(priced.shippingPrice, market) },
      subtotalPrice: money(priced.subtotal, market),
      totalPrice: money(priced.total, market),
      totalTax: money(priced.tax, market),
      delivery: { selectedDeliveryOptions: [] },
      transactions:
        order === undefined
          ? []
          : [
              {
                amount: money(priced.total, market),
                gateway: order.gateway,
                paymentMethod: { name: BRAND, type: "creditCard" },
              },
            ],
      order:
        order === undefined
          ? null
          : { id: String(order.id), customer: { id: String(order.customerId), isFirstOrder: order.firstOrder } },
    },
  };
}
