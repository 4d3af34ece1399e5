import { expect, test } from "vitest";

import { api, mintShop, operator } from "../helpers/api";
import { seedProduct } from "../helpers/seed";
import { all, deliver, newShop, NOW } from "../shopify/deliver";

test("products are listed by id and shown with what lines do not carry", async () => {
  const shop = await mintShop();
  for (const id of ["9007199254740993", "12", "3"]) {
    await seedProduct(shop.key, id, {
      title: `Mug ${id}`,
      category: "Kitchen",
      vendor: "Acme",
      tags: '["sale","new"]',
      description: "Holds tea",
      price: 1250,
      status: "active",
      images: '["https://cdn.example/a.png"]',
      collections: '["Summer"]',
    });
  }
  const first = await shop.full.get("/v1/products?limit=2");
  const second = await shop.full.get(`/v1/products?limit=2&cursor=${first.body.nextCursor}`);
  expect([...first.body.items, ...second.body.items].map(({ id }: { id: string }) => id)).toEqual([
    "12",
    "3",
    "9007199254740993",
  ]);
  expect(second.body.nextCursor).toBeNull();
  const { body } = await shop.full.get("/v1/products/9007199254740993");
  expect(body).toMatchObject({
    title: "Mug 9007199254740993",
    category: "Kitchen",
    vendor: "Acme",
    tags: ["sale", "new"],
    image: null,
    description: "Holds tea",
    price: { amount: 1250, currency: "USD" },
    status: "active",
    images: ["https://cdn.example/a.png"],
    collections: ["Summer"],
  });
});

test("every product route needs a key with the read scope and its own shop", async () => {
  const [mine, other] = [await mintShop(), await mintShop()];
  await seedProduct(mine.key, "1");
  for (const path of ["/v1/products", "/v1/products/1"]) {
    expect((await api(null).get(path)).status).toBe(401);
    expect((await mine.writeOnly.get(path)).status).toBe(403);
    expect((await mine.readOnly.get(path)).status).toBe(200);
    expect((await operator.get(`${path}?shop=${mine.id}`)).status).toBe(200);
  }
  expect((await other.full.get("/v1/products/1")).status).toBe(404);
  expect((await other.full.get("/v1/products")).body.items).toEqual([]);
  expect((await mine.full.get("/v1/products?cursor=zzz")).status).toBe(400);
  expect((await mine.full.get("/v1/products/%00")).status).toBe(404);
});

test("a webhook tells the stock, all variants together; only the Admin API says whether it is counted", async () => {
  const shop = await newShop();
  const body = (variants: object[], seconds: number, more: object = {}) => ({
    id: 7,
    title: "Mug",
    updated_at: new Date(NOW + seconds * 1000).toISOString(),
    variants,
    ...more,
  });
  const variant = (pieces: number | null, policy = "deny") => ({
    price: "9.00",
    inventory_quantity: pieces,
    inventory_policy: policy,
  });
  const stored = () => all("select stock, tracks_stock, oversells from products where shop = ?", shop.key);
  await deliver(shop, "products/create", body([variant(3), variant(-2), variant(4, "continue")], 0));
  expect(await stored()).toEqual([{ stock: 7, tracks_stock: null, oversells: 1 }]);
  await deliver(shop, "products/update", body([variant(0), variant(0)], 1, { tracks_inventory: true }));
  expect(await stored()).toEqual([{ stock: 0, tracks_stock: 1, oversells: 0 }]);
  // What a body leaves out, or tells of some variants alone, stays.
  await deliver(shop, "products/update", body([{ price: "9.00" }, variant(5)], 2));
  await deliver(
    shop,
    "products/update",
    body(
      Array.from({ length: 100 }, () => variant(1)),
      3,
    ),
  );
  expect(await stored()).toEqual([{ stock: 0, tracks_stock: 1, oversells: 0 }]);
});
