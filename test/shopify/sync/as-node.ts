import type { Node } from "../../../src/shopify/sync/nodes";

/** Webhook bodies of the tests, as the Admin API tells the same thing. */

// oxlint-disable-next-line typescript/no-explicit-any -- bodies of the tests, whose shape their maker knows
type Body = Record<string, any>;

const gid = (kind: string, id: string | number | null | undefined) =>
  id === null || id === undefined ? null : `gid://shopify/${kind}/${String(id)}`;
const ref = (kind: string, id: string | number | null | undefined) =>
  id === null || id === undefined ? null : { id: gid(kind, id) };
const utc = (time: string | null | undefined) => (time ? new Date(time).toISOString().replace(".000Z", "Z") : null);
const upper = (value: string | null | undefined) => value?.toUpperCase() ?? null;

const money = (amount: { amount: string; currency_code: string }) => ({
  amount: amount.amount,
  currencyCode: amount.currency_code,
});

const bag = (set: Body | null | undefined, amount?: string | number | null, currency?: string) => {
  if (set) return { shopMoney: money(set["shop_money"]), presentmentMoney: money(set["presentment_money"]) };
  if (amount === undefined || amount === null) return null;
  const one = { amount: String(amount), currencyCode: currency };
  return { shopMoney: one, presentmentMoney: one };
};

function addressNode(address: Body | null | undefined) {
  if (!address || Array.isArray(address)) return null;
  return {
    firstName: address["first_name"],
    lastName: address["last_name"],
    company: address["company"],
    address1: address["address1"],
    address2: address["address2"],
    city: address["city"],
    province: address["province"],
    country: address["country"],
    countryCodeV2: address["country_code"],
    zip: address["zip"],
    phone: address["phone"],
  };
}

function consentNode(consent: Body | null | undefined) {
  if (!consent) return null;
  const state = upper(consent["state"]);
  return {
    state: state === "NOT_SUBSCRIBED" ? "NEVER_SUBSCRIBED" : state,
    optInLevel: upper(consent["opt_in_level"]),
    updatedAt: utc(consent["consent_updated_at"]),
    collectedFrom: consent["consent_collected_from"] ?? null,
  };
}

function customerFields(body: Body): Body {
  const email = body["email_marketing_consent"];
  return {
    id: gid("Customer", body["id"]),
    firstName: body["first_name"],
    lastName: body["last_name"],
    state: upper(body["state"]),
    taxExempt: body["tax_exempt"],
    createdAt: utc(body["created_at"]),
    updatedAt: utc(body["updated_at"]),
    tags: String(body["tags"] ?? "")
      .split(", ")
      .filter((tag) => tag !== ""),
    numberOfOrders: body["orders_count"] === undefined ? null : String(body["orders_count"]),
    amountSpent: body["total_spent"] === undefined ? null : { amount: body["total_spent"], currencyCode: "EUR" },
    defaultEmailAddress: body["email"]
      ? {
          emailAddress: body["email"],
          marketingState: upper(email?.state),
          marketingOptInLevel: upper(email?.opt_in_level),
          marketingUpdatedAt: utc(email?.consent_updated_at),
        }
      : null,
    defaultPhoneNumber: body["phone"]
      ? {
          phoneNumber: body["phone"],
          smsMarketingConsent: consentNode(body["sms_marketing_consent"]),
          whatsAppMarketingConsent: null,
        }
      : null,
    defaultAddress: addressNode(body["default_address"]),
  };
}

export function customerNode(body: Body): Node {
  const fields = customerFields(body);
  return { id: fields["id"], fields, children: [] };
}

const FULFILLMENT: Record<string, string> = {
  fulfilled: "FULFILLED",
  partial: "PARTIALLY_FULFILLED",
  restocked: "RESTOCKED",
};

export function orderNode(body: Body): Node {
  const currency = body["currency"];
  const id = gid("Order", body["id"]) ?? "";
  const fields: Body = {
    id,
    name: body["name"],
    test: body["test"],
    cartToken: body["cart_token"],
    checkoutToken: body["checkout_token"],
    customerJourneySummary: {
      lastVisit: { landingPage: body["landing_site"], referrerUrl: body["referring_site"] },
    },
    email: body["email"] ?? body["contact_email"],
    phone: body["phone"],
    customerAcceptsMarketing: body["buyer_accepts_marketing"],
    createdAt: utc(body["created_at"]),
    processedAt: utc(body["processed_at"]),
    updatedAt: utc(body["updated_at"]),
    cancelledAt: utc(body["cancelled_at"]),
    cancelReason: upper(body["cancel_reason"]),
    displayFinancialStatus: upper(body["financial_status"]),
    displayFulfillmentStatus: FULFILLMENT[body["fulfillment_status"]] ?? "UNFULFILLED",
    currencyCode: currency,
    presentmentCurrencyCode: body["presentment_currency"],
    discountCodes: body["discount_codes"].map((discount: Body) => discount["code"]),
    sourceName: body["source_name"],
    tags: (body["tags"] ?? "").split(/,\s*/).filter((tag: string) => tag !== ""),
    totalPriceSet: bag(body["total_price_set"]),
    currentTotalPriceSet: bag(body["current_total_price_set"]),
    subtotalPriceSet: bag(null, body["subtotal_price"], currency),
    currentSubtotalPriceSet: bag(null, body["current_subtotal_price"], currency),
    totalDiscountsSet: bag(null, body["total_discounts"], currency),
    totalTaxSet: bag(null, body["total_tax"], currency),
    totalShippingPriceSet: bag(body["total_shipping_price_set"]),
    shippingLine: body["shipping_lines"][0] ? { title: body["shipping_lines"][0].title } : null,
    customAttributes: body["note_attributes"].map((note: Body) => ({ key: note["name"], value: note["value"] })),
    customer: body["customer"] ? customerFields(body["customer"]) : null,
    shippingAddress: addressNode(body["shipping_address"]),
    billingAddress: addressNode(body["billing_address"]),
    fulfillments: body["fulfillments"].map((fulfillment: Body) => ({
      createdAt: utc(fulfillment["created_at"]),
      updatedAt: utc(fulfillment["updated_at"]),
      status: upper(fulfillment["status"]),
      displayStatus: upper(fulfillment["shipment_status"]),
    })),
    refunds: body["refunds"].map((refund: Body) => ({
      id: gid("Refund", refund["id"]),
      createdAt: utc(refund["created_at"]),
      processedAt: utc(refund["processed_at"]),
      totalRefundedSet: bag(null, "50.0", currency),
      lines: refund["refund_line_items"].map((line: Body) => ({
        lineId: gid("LineItem", line["line_item_id"]),
        quantity: line["quantity"],
        restockType: upper(line["restock_type"]),
        subtotal: String(line["subtotal"]),
        tax: String(line["total_tax"]),
      })),
      adjustments: [],
    })),
  };
  if ("location_id" in body) fields["retailLocation"] = ref("Location", body["location_id"]);
  if ("user_id" in body) fields["staffMember"] = ref("StaffMember", body["user_id"]);
  const children = body["line_items"].map((line: Body) => ({
    id: gid("LineItem", line["id"]),
    __parentId: id,
    sku: line["sku"],
    title: line["title"],
    variantTitle: line["variant_title"],
    vendor: line["vendor"],
    quantity: line["quantity"],
    currentQuantity: line["current_quantity"],
    product: ref("Product", line["product_id"]),
    variant: ref("ProductVariant", line["variant_id"]),
    originalUnitPriceSet: bag(null, line["price"], currency),
    discountAllocations: line["discount_allocations"].map((part: Body) => ({
      allocatedAmountSet: bag(null, part["amount"], currency),
    })),
  }));
  return { id, fields, children };
}
