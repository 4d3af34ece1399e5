import { env } from "cloudflare:workers";

import { emit } from "../../src/jobs";
import { react } from "../../src/jobs/reactions";
import { newId } from "../../src/lib/ids";
import { getShopOrThrow } from "../../src/shops";
import { type MintedShop } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { deliverWebhook } from "../helpers/webhook";
import * as bodies from "../shopify/bodies";
import { one, receive } from "../shopify/deliver";

/** One person's data, each word of it like nobody else's. */
export interface Planted {
  email: string;
  orderEmail: string;
  phone: string;
  phoneDigits: string;
  firstName: string;
  lastName: string;
  company: string;
  street: string;
  field: string;
  tag: string;
  customerId: string;
  orderId: string;
  cartToken: string;
  checkoutToken: string;
  discountCode: string;
  browser: string;
  linkedBrowser: string;
}

export function somebody(word: string, number: number): Planted {
  return {
    email: `${word}first@${word}mail.example`,
    orderEmail: `${word}order@${word}mail.example`,
    phone: `+49309${number}`,
    phoneDigits: `309${number}`,
    firstName: `${word}anna`,
    lastName: `${word}muster`,
    company: `${word}firma`,
    street: `${word}gasse 77`,
    field: `${word}field`,
    tag: `${word}tag`,
    customerId: `70000${number}`,
    orderId: `80000${number}`,
    cartToken: `c1-${word}cart`,
    checkoutToken: `${word}checkout`,
    discountCode: `${word.toUpperCase()}CODE`,
    browser: newVisitor(),
    linkedBrowser: newVisitor(),
  };
}

const customerOf = (p: Planted, more: Record<string, unknown> = {}) =>
  bodies.customer({
    id: Number(p.customerId),
    email: p.email,
    phone: p.phone,
    first_name: p.firstName,
    last_name: p.lastName,
    default_address: addressOf(p),
    ...more,
  });

const addressOf = (p: Planted) =>
  bodies.address({
    first_name: p.firstName,
    last_name: p.lastName,
    company: p.company,
    address1: p.street,
    phone: null,
  });

const orderOf = (p: Planted, more: Record<string, unknown> = {}) =>
  bodies.order({
    id: Number(p.orderId),
    name: "#900",
    cart_token: p.cartToken,
    checkout_token: p.checkoutToken,
    email: p.orderEmail,
    contact_email: p.orderEmail,
    customer: customerOf(p),
    shipping_address: addressOf(p),
    billing_address: addressOf(p),
    discount_codes: [{ code: p.discountCode, amount: "1.00", type: "fixed_amount" }],
    landing_site: `/?utm_source=${p.discountCode}&email=${encodeURIComponent(p.email)}`,
    note_attributes: [{ name: "__ff_visitor", value: p.browser }],
    ...more,
  });

/** Puts a person wherever the product takes anything in, by its public ways. Returns the contact's id. */
export async function plant(shop: MintedShop, p: Planted): Promise<string> {
  const { domain } = shop;
  // The endpoint's deliveries are kept, as nobody answers there.
  await shop.full.post("/v1/webhook-endpoints", { url: "https://hooks.merchant.example/in" });

  await send(domain, p.browser, [
    { type: "page_viewed", url: `https://shop.example/account/${p.firstName}-${p.lastName}`, title: "Account" },
    { type: "page_viewed", url: "https://shop.example/thanks", title: `Thank you, ${p.firstName} ${p.lastName}!` },
    { type: "page_viewed", url: `https://shop.example/checkouts/cn/${p.cartToken}`, title: "Checkout" },
    { type: "custom:greeted", url: "https://shop.example/", data: { greeting: `Hello ${p.firstName} ${p.lastName}` } },
    {
      type: "cart_updated",
      url: "https://shop.example/cart",
      data: { token: p.cartToken, value: { amount: 11500, currency: "EUR" }, lines: [] },
    },
    {
      type: "identified",
      url: "https://shop.example/",
      data: { email: p.email, firstName: p.firstName, lastName: p.lastName },
    },
  ]);
  await objectOf(shop, p.browser).flush();

  const deliver = (topic: string, body: unknown) => deliverWebhook(domain, topic, body);
  await deliver("customers/create", customerOf(p));
  await deliver(
    "customers/update",
    customerOf(p, { updated_at: bodies.iso(Date.now() - 1_000), note: "prefers mail" }),
  );
  // Stale: older than what was applied.
  await deliver("customers/update", customerOf(p, { state: "enabled" }));
  await deliver("customers_email_marketing_consent/update", {
    customer_id: Number(p.customerId),
    email_address: p.email,
    email_marketing_consent: { state: "subscribed", opt_in_level: "single_opt_in", consent_updated_at: null },
  });
  await deliver("customer.tags_added", {
    customerId: `gid://shopify/Customer/${p.customerId}`,
    tags: [p.tag],
    occurredAt: new Date().toISOString(),
  });
  await deliver("carts/update", bodies.cart({ id: p.cartToken, token: p.cartToken }));
  await deliver(
    "checkouts/create",
    bodies.checkout({ token: p.checkoutToken, cart_token: p.cartToken, email: p.orderEmail, customer: customerOf(p) }),
  );
  await deliver("orders/create", orderOf(p));
  // Large enough to be stored compressed.
  const padding = Array.from({ length: 2_100 }, (_, i) => ({ name: `p${i}`, value: "x".repeat(1_000) }));
  await deliver(
    "orders/updated",
    orderOf(p, {
      updated_at: bodies.iso(Date.now() - 500),
      note_attributes: [...padding, { name: "__ff_visitor", value: p.browser }],
    }),
  );
  await deliver("refunds/create", bodies.refund({ id: Number(`5${p.orderId}`), order_id: Number(p.orderId) }));
  // No rule for the topic; escaped, and named by nothing but the order and its address.
  await deliver("fulfillments/create", {
    id: 1,
    order_id: Number(p.orderId),
    email: p.orderEmail,
    destination: addressOf(p),
  });
  await deliver("subscription_contracts/create", {
    admin_graphql_api_customer_id: `gid://shopify/Customer/${p.customerId}`,
    note: `${p.firstName} ${p.street}`,
  });
  await deliver("metafields/create", {
    owner_id: Number(p.customerId),
    value: `call 0${p.phoneDigits.slice(0, 2)} / ${p.phoneDigits.slice(2)}, ${p.firstName}`,
  });
  // Dead: it does not fit.
  await deliver("customers/update", { ...customerOf(p), id: "none", updated_at: "never" });
  // Pending: stored, and nobody came to handle it.
  const stored = await getShopOrThrow(env.DB, shop.key);
  await receive(
    stored,
    {
      topic: "customers/update",
      body: JSON.stringify(customerOf(p, { updated_at: bodies.iso(Date.now() + 5_000) })).replaceAll(
        "@",
        String.raw`\u0040`,
      ),
      triggeredAt: Date.now(),
    },
    Date.now(),
  );

  const [contact] = (await shop.full.get(`/v1/contacts?email=${p.email}`)).body.items;
  const path = `/v1/contacts/${contact.id}`;
  await shop.full.patch(path, { fields: { nickname: p.field }, tags: [p.tag, "vip"] });
  const duplicate = await shop.full.post(
    "/v1/contacts",
    { email: `${p.lastName}@${p.company}.example`, firstName: p.firstName, tags: [p.tag] },
    { "idempotency-key": `made-${p.lastName}` },
  );
  await shop.full.post(`${path}/merge`, { from: duplicate.body.id }, { "idempotency-key": `merge-${p.lastName}` });
  await shop.full.post(`${path}/export`, undefined, { "idempotency-key": `export-${p.lastName}` });
  await shop.full.post(
    "/v1/orders",
    { externalId: `erp-${p.orderId}`, email: p.email, total: { amount: 500, currency: "USD" } },
    { "idempotency-key": `order-${p.lastName}` },
  );
  await shop.full.post("/v1/events", {
    events: [{ type: "custom:called", email: p.email, data: { about: `${p.firstName} called` } }],
  });
  await shop.full.post("/v1/contacts/bulk", { filter: { email: p.email }, action: { type: "add_tag", tag: "seen" } });
  await shop.full.post("/v1/contacts/bulk", { filter: { q: p.lastName }, action: { type: "add_tag", tag: "seen" } });

  // A code of a pool, as it was handed out.
  const pool = newId("dpl", Date.now());
  await env.DB.batch([
    env.DB.prepare(
      `insert into discount_pools (shop, id, name, discount, prefix, size, low_water, created_at, updated_at)
       values (?1, ?3, 'Pool', 'gid://shopify/DiscountCodeNode/1', '', 1, 0, ?2, ?2)`,
    ).bind(shop.key, Date.now(), pool),
    env.DB.prepare(
      `insert into discount_codes (shop, pool, code, state, natural_key, contact, taken_at, created_at)
       select p.shop, p.key, ?2, 'taken', 'message:' || c.id, c.key, ?3, ?3
       from discount_pools p join contacts c on c.id = ?4 where p.id = ?1`,
    ).bind(pool, p.discountCode, Date.now(), contact.id),
  ]);

  // A second browser, told by a link in a mail.
  const token = await shop.full.post(`${path}/link-token`, {});
  await send(domain, p.linkedBrowser, [
    { type: "page_viewed", url: "https://shop.example/mail" },
    { type: "identified", url: "https://shop.example/mail", data: { token: token.body.token } },
  ]);
  await objectOf(shop, p.linkedBrowser).flush();
  await deliver("customers/data_request", {
    shop_id: 1,
    shop_domain: domain,
    customer: { id: Number(p.customerId), email: p.email, phone: p.phone },
    orders_requested: [Number(p.orderId)],
    data_request: { id: 9 },
  });

  // Some of what happened is told to the endpoint, some still waits, some failed for good.
  const waiting = await env.DB.prepare("select key from outbox where shop = ? order by key limit 6")
    .bind(shop.key)
    .all<{ key: number }>();
  await react(
    env,
    shop.key,
    waiting.results.map(({ key }) => key),
    Date.now(),
  );
  const key = (await one<{ key: number }>("select key from contacts where id = ?", contact.id))?.key ?? 0;
  const joined = { tracker: p.browser, cartToken: p.cartToken, checkoutToken: p.checkoutToken, contact: contact.id };
  await env.DB.batch([
    emit(
      env.DB,
      {
        shop: shop.key,
        type: "visitor_joined",
        subject: `contact:${key}`,
        naturalKey: `${p.browser}:again`,
        data: joined,
        at: 1,
      },
      Date.now() + 1e9,
    ),
    // A letter about a contact that was merged away keeps that contact's key.
    env.DB.prepare(
      `insert into dead_letters (id, shop, type, subject, natural_key, data, at, error, died_at)
       values (?, ?, 'visitor_joined', 'contact:999999', ?, ?, 1, 'unavailable', 2)`,
    ).bind(`dlt_${p.lastName}`, shop.key, `${p.browser}:con_gone`, JSON.stringify(joined)),
  ]);
  // Not flushed yet, in the object alone.
  await send(domain, p.browser, [
    { type: "custom:waved", url: "https://shop.example/", data: { to: `${p.firstName} ${p.lastName} again` } },
  ]);
  return contact.id;
}
