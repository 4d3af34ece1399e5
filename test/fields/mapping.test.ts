import { describe, expect, it } from "vitest";

import { type MintedShop, mintShop } from "../helpers/api";
import { T0, travel, useFakeClock } from "../helpers/clock";
import { deliverWebhook } from "../helpers/webhook";
import { address, customer, line, order } from "../shopify/bodies";

useFakeClock();

type Fields = Record<string, unknown>;

const iso = (at: number) => new Date(at).toISOString();

async function deliver(shop: MintedShop, topic: string, body: Fields): Promise<void> {
  expect([topic, await deliverWebhook(shop.domain, topic, body)]).toEqual([topic, "handled"]);
  travel(1_000);
}

async function contactOf(shop: MintedShop, id: number) {
  const { items } = (await shop.full.get(`/v1/contacts?shopifyCustomerId=${id}`)).body;
  expect(items).toHaveLength(1);
  return items[0];
}

describe("what of Shopify is where", () => {
  it("E15: one fixture, all fifteen mappings", async () => {
    const shop = await mintShop({}, { currency: "EUR" });
    await deliver(shop, "products/update", {
      id: 3_001,
      admin_graphql_api_id: "gid://shopify/Product/3001",
      title: "Lamp",
      product_type: "Lighting",
      vendor: "Glow",
      handle: "lamp",
      body_html: "<p>Warm <b>brass</b> &amp; glass</p>",
      tags: "warm, brass",
      status: "active",
      image: { src: "https://cdn.example/lamp.png" },
      images: [{ src: "https://cdn.example/lamp.png" }],
      variants: [{ price: "50.00" }],
      updated_at: iso(T0),
    });
    const person = customer({ phone: "+49 171 5550001", updated_at: iso(T0) });
    await deliver(shop, "customers/create", person);
    await deliver(
      shop,
      "orders/create",
      order({
        customer: person,
        line_items: [line()],
        processed_at: iso(T0),
        created_at: iso(T0),
        updated_at: iso(T0),
      }),
    );
    const contact = await contactOf(shop, 7_101);
    const { items } = (await shop.full.get(`/v1/orders?contactId=${contact.id}`)).body;
    expect(items).toHaveLength(1);
    const bought = (await shop.full.get(`/v1/orders/${items[0].id}`)).body;
    const [item] = bought.items;
    const product = (await shop.full.get(`/v1/products/${item.productId}`)).body;
    expect({
      "first name": contact.firstName,
      "last name": contact.lastName,
      email: contact.email,
      "company to account": contact.company,
      phone: contact.phone,
      "product title to name": item.title,
      "product type to category": item.category,
      "product id": item.productId,
      "order total": bought.total,
      "shipping method": bought.shippingMethod,
      "order date": bought.placedAt,
      "product price": item.price,
      description: product.description,
      quantity: item.quantity,
      image: item.image,
    }).toEqual({
      "first name": "Mira",
      "last name": "Ödegård",
      email: "mira@nordlicht.example",
      "company to account": "Nordlicht GmbH",
      phone: "+491715550001",
      "product title to name": "Lamp",
      "product type to category": "Lighting",
      "product id": "3001",
      "order total": { amount: 11_500, currency: "EUR" },
      "shipping method": "DHL",
      "order date": iso(T0),
      "product price": { amount: 5_000, currency: "EUR" },
      description: "Warm brass & glass",
      quantity: 2,
      image: "https://cdn.example/lamp.png",
    });
  });

  it("E16: three people: their own number, else the default address', else none; an order's is not used, the own one replaces the fallback", async () => {
    const shop = await mintShop();
    const people: [number, string | null, string | null, string | null][] = [
      [1, "+49 171 5550001", "+49 221 1234567", "+491715550001"],
      [2, null, "+49 221 1234568", "+492211234568"],
      [3, null, null, null],
    ];
    const body = (id: number, phone: string | null, fallback: string | null) =>
      customer({
        id,
        email: `p${id}@post.example`,
        phone,
        default_address: address({ phone: fallback }),
        updated_at: iso(Date.now()),
      });
    for (const [id, phone, fallback, shown] of people) {
      await deliver(shop, "customers/create", body(id, phone, fallback));
      expect([id, (await contactOf(shop, id)).phone]).toEqual([id, shown]);
    }
    const now = iso(Date.now());
    const own = { created_at: now, processed_at: now, updated_at: now, cart_token: null, checkout_token: null };
    await deliver(
      shop,
      "orders/create",
      order({ email: "p3@post.example", phone: "+49 30 9999999", customer: body(3, null, null), ...own }),
    );
    expect((await contactOf(shop, 3)).phone).toBeNull();
    await deliver(shop, "customers/update", body(2, "+49 171 5550002", "+49 221 1234568"));
    expect((await contactOf(shop, 2)).phone).toBe("+491715550002");
  });

  it("C23: the ten standard fields as they are in Shopify, in any script, and null for what it does not have", async () => {
    const shop = await mintShop();
    const made = { created_at: iso(T0 - 86_400_000), updated_at: iso(T0) };
    const home = address({ address1: "三里屯路 19号", city: "北京市", country: "China", zip: "100027" });
    const full = customer({
      id: 1,
      first_name: "李",
      last_name: "Ødegård-Müller 🧶",
      phone: "+49 171 5550001",
      ...made,
    });
    await deliver(shop, "customers/create", { ...full, default_address: home });
    const nothing = { first_name: null, last_name: null, email: null, phone: null, default_address: null };
    await deliver(shop, "customers/create", customer({ id: 2, ...nothing, ...made }));
    const ten = async (id: number) => {
      const { firstName, lastName, email, phone, address, shopifyCreatedAt, shopifyUpdatedAt } = await contactOf(
        shop,
        id,
      );
      const { line1, city, country, zip } = address;
      return [firstName, lastName, email, phone, line1, city, country, zip, shopifyCreatedAt, shopifyUpdatedAt];
    };
    expect(await ten(1)).toEqual([
      "李",
      "Ødegård-Müller 🧶",
      "mira@nordlicht.example",
      "+491715550001",
      "三里屯路 19号",
      "北京市",
      "China",
      "100027",
      iso(T0 - 86_400_000),
      iso(T0),
    ]);
    expect(await ten(2)).toEqual([null, null, null, null, null, null, null, null, iso(T0 - 86_400_000), iso(T0)]);
  });

  it("C24: what Shopify does not have erases nothing that was entered here; entering nothing here does", async () => {
    const shop = await mintShop();
    const email = "mira@nordlicht.example";
    const { id } = (await shop.full.post("/v1/contacts", { email, firstName: "Miriam", address: { city: "Bonn" } }))
      .body;
    const nothing = { first_name: null, last_name: null, default_address: null, updated_at: iso(Date.now()) };
    await deliver(shop, "customers/create", customer(nothing));
    const kept = await contactOf(shop, 7_101);
    expect(kept).toMatchObject({ id, firstName: "Miriam", lastName: null, address: { city: "Bonn" } });
    const { body } = await shop.full.patch(`/v1/contacts/${id}`, { firstName: null, address: { city: null } });
    expect(body).toMatchObject({ firstName: null, address: { city: null } });
  });
});
