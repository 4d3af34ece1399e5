import { expect, it } from "vitest";

import { customer, order } from "./bodies";
import { all, deliver, newShop } from "./deliver";

const idsOf = async (table: "orders" | "contacts", shop: { key: number }) => {
  const column = table === "orders" ? "external_id" : "shopify_customer_id";
  const rows = await all<{ id: string }>(`select ${column} as id from ${table} where shop = ? order by key`, shop.key);
  return rows.map(({ id }) => id);
};

it.each([
  ["a number that the sender rounded", 820_982_911_946_154_500, "gid://shopify/Order/820982911946154508"],
  ["the same, told twice", "820982911946154508", "gid://shopify/Order/820982911946154508"],
])("ids beyond 2^53 keep their digits: %s", async (_name, id, gid) => {
  const shop = await newShop();
  await deliver(shop, "orders/create", order({ id, admin_graphql_api_id: gid, customer: null, email: "a@b.example" }));
  expect(await idsOf("orders", shop)).toEqual(["820982911946154508"]);
});

it.each([
  ["of another record", "gid://shopify/Order/1"],
  ["that is null", null],
])("the number is a record's own id beside a global id %s", async (_name, gid) => {
  const shop = await newShop();
  for (const id of [8_301, 8_302]) {
    const who = customer({ id: id - 1_000, admin_graphql_api_id: gid, email: `c${id}@b.example` });
    await deliver(shop, "orders/create", order({ id, admin_graphql_api_id: gid, customer: who }));
  }
  expect(await idsOf("orders", shop)).toEqual(["8301", "8302"]);
  expect(await idsOf("contacts", shop)).toEqual(["7301", "7302"]);
});
