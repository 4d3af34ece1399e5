import { NOW } from "./deliver";

type Fields = Record<string, unknown>;

/** An instant with the offset of the shop, as Shopify writes it. */
export function iso(at: number): string {
  return new Date(at + 3_600_000).toISOString().replace(/\.\d{3}Z$/, "+01:00");
}

export const set = (shop: string, presentment: string, from = "EUR", to = from) => ({
  shop_money: { amount: shop, currency_code: from },
  presentment_money: { amount: presentment, currency_code: to },
});

/** The id of a body, as the tail of its global id. */
const idOf = (more: Fields, otherwise: number) => (typeof more["id"] === "number" ? more["id"] : otherwise);

export function address(more: Fields = {}): Fields {
  return {
    id: 51_001,
    first_name: "Mira",
    last_name: "Ödegård",
    company: "Nordlicht GmbH",
    address1: "Große Straße 5",
    address2: "2. Hof",
    city: "Köln",
    province: "Nordrhein-Westfalen",
    country: "Germany",
    zip: "50667",
    phone: "+49 221 1234567",
    province_code: "NW",
    country_code: "DE",
    country_name: "Germany",
    default: true,
    ...more,
  };
}

/** A customer's body of a current version. */
export function customer(more: Fields = {}): Fields {
  return {
    id: 7_101,
    admin_graphql_api_id: `gid://shopify/Customer/${idOf(more, 7_101)}`,
    created_at: iso(NOW - 86_400_000 * 30),
    updated_at: iso(NOW - 60_000),
    first_name: "Mira",
    last_name: "Ödegård",
    state: "disabled",
    note: null,
    verified_email: true,
    multipass_identifier: null,
    tax_exempt: false,
    email: "mira@nordlicht.example",
    phone: null,
    currency: "EUR",
    tax_exemptions: [],
    default_address: address(),
    addresses: [],
    ...more,
  };
}

export function line(more: Fields = {}): Fields {
  return {
    id: 9_001,
    product_id: 3_001,
    variant_id: 4_001,
    title: "Lamp",
    variant_title: "Brass",
    sku: "LAMP-B",
    vendor: "Glow",
    quantity: 2,
    current_quantity: 2,
    price: "50.00",
    price_set: set("50.00", "50.00"),
    discount_allocations: [],
    properties: [],
    ...more,
  };
}

/** An order's body of a current version: two lamps and a bulb, 115.00 with shipping. */
export function order(more: Fields = {}): Fields {
  return {
    id: 8_201,
    admin_graphql_api_id: `gid://shopify/Order/${idOf(more, 8_201)}`,
    name: "#1042",
    test: false,
    cart_token: "cart-a",
    checkout_token: "checkout-a",
    created_at: iso(NOW - 50_000),
    processed_at: iso(NOW - 50_000),
    updated_at: iso(NOW - 50_000),
    cancelled_at: null,
    cancel_reason: null,
    financial_status: "paid",
    fulfillment_status: null,
    currency: "EUR",
    presentment_currency: "EUR",
    total_price: "115.00",
    current_total_price: "115.00",
    subtotal_price: "110.00",
    current_subtotal_price: "110.00",
    total_discounts: "0.00",
    total_tax: "18.36",
    current_total_price_set: set("115.00", "115.00"),
    total_price_set: set("115.00", "115.00"),
    total_shipping_price_set: set("5.00", "5.00"),
    discount_codes: [],
    shipping_lines: [{ title: "DHL" }],
    source_name: "web",
    landing_site: "/products/lamp?utm_source=instagram&ff_id=secret&email=a%40b.example",
    referring_site: "https://instagram.example/p/1?who=x",
    email: "mira@nordlicht.example",
    contact_email: "mira@nordlicht.example",
    phone: null,
    buyer_accepts_marketing: false,
    note_attributes: [],
    line_items: [
      line(),
      line({
        id: 9_002,
        product_id: 3_002,
        variant_id: 4_002,
        title: "Bulb",
        sku: "BULB",
        quantity: 1,
        current_quantity: 1,
        price: "10.00",
      }),
    ],
    fulfillments: [],
    refunds: [],
    returns: [],
    customer: customer({ addresses: undefined }),
    shipping_address: address(),
    billing_address: address(),
    ...more,
  };
}

export function checkout(more: Fields = {}): Fields {
  return {
    token: "checkout-a",
    cart_token: "cart-a",
    email: "mira@nordlicht.example",
    phone: null,
    name: "#77",
    abandoned_checkout_url: "https://lamps.example/77/checkouts/ac/cart-a/recover?key=s3",
    created_at: iso(NOW - 120_000),
    updated_at: iso(NOW - 100_000),
    completed_at: null,
    closed_at: null,
    currency: "EUR",
    presentment_currency: "EUR",
    buyer_accepts_marketing: false,
    total_price: "115.00",
    subtotal_price: "110.00",
    line_items: [
      {
        product_id: 3_001,
        variant_id: 4_001,
        title: "Lamp",
        sku: "LAMP-B",
        quantity: 2,
        price: "50.00",
        properties: null,
      },
    ],
    note_attributes: [],
    shipping_address: [],
    ...more,
  };
}

export function cart(more: Fields = {}): Fields {
  return {
    id: "cart-a",
    token: "cart-a",
    created_at: new Date(NOW - 200_000).toISOString(),
    updated_at: new Date(NOW - 150_000).toISOString(),
    note: "",
    line_items: [
      {
        id: 4_001,
        product_id: 3_001,
        variant_id: 4_001,
        title: "Lamp - Brass",
        quantity: 1,
        price: "50.00",
        discounted_price: "50.00",
        discounted_price_set: set("50.00", "50.00"),
        sku: "LAMP-B",
        properties: null,
      },
    ],
    ...more,
  };
}

export function refund(more: Fields = {}): Fields {
  return {
    id: 6_301,
    admin_graphql_api_id: `gid://shopify/Refund/${idOf(more, 6_301)}`,
    order_id: 8_201,
    created_at: iso(NOW - 20_000),
    processed_at: iso(NOW - 20_000),
    note: null,
    restock: true,
    refund_line_items: [
      {
        id: 1,
        line_item_id: 9_001,
        quantity: 1,
        restock_type: "no_restock",
        subtotal: 50,
        total_tax: 0,
        subtotal_set: set("50.00", "50.00"),
      },
    ],
    order_adjustments: [],
    transactions: [],
    ...more,
  };
}
