import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { abandonDueCarts } from "../../src/carts";
import { api, mintShop, operator } from "../helpers/api";
import { seedCart, seedContact, seedVisitor } from "../helpers/seed";

const EUR = (amount: number) => ({ amount, currency: "EUR" });
const ids = (body: { items: { id: string }[] }) => body.items.map(({ id }) => id);

test("carts are listed by state, visitor and contact", async () => {
  const shop = await mintShop();
  const contact = await seedContact(shop.key);
  const tracker = crypto.randomUUID();
  const [one, two] = [
    await seedVisitor(shop.key, { tracker, person: 1 }),
    await seedVisitor(shop.key, { tracker, person: 2, contact: contact.key }),
  ];
  const open = await seedCart(shop.key, { visitor: one.key });
  const left = await seedCart(shop.key, {
    visitor: two.key,
    contact: contact.key,
    state: "abandoned",
    abandoned_at: 1,
  });
  const other = await seedCart(shop.key, { state: "recovered", abandoned_at: 1, recovered_at: 2 });
  const list = async (query: string) => ids((await shop.full.get(`/v1/carts${query}`)).body);
  expect(await list("")).toEqual([other.id, left.id, open.id]);
  expect(await list("?state=abandoned")).toEqual([left.id]);
  expect(await list(`?visitorId=${tracker}`)).toEqual([left.id, open.id]);
  expect(await list(`?contactId=${contact.id}`)).toEqual([left.id]);
  expect(await list(`?contactId=${contact.id}&state=open`)).toEqual([]);
  expect(await list("?visitorId=nobody")).toEqual([]);
  const first = await shop.full.get("/v1/carts?limit=2");
  const rest = await shop.full.get(`/v1/carts?limit=2&cursor=${first.body.nextCursor}`);
  expect([...ids(first.body), ...ids(rest.body)]).toEqual([other.id, left.id, open.id]);
  expect((await shop.full.get(`/v1/carts/${left.id}`)).body).toMatchObject({
    state: "abandoned",
    visitorId: tracker,
    contactId: contact.id,
    abandonedAt: "1970-01-01T00:00:00.001Z",
    recoveredAt: null,
  });
});

test("B5: a cart's token may be told as its external id; one of the two is needed", async () => {
  const shop = await mintShop();
  const first = await shop.full.post("/v1/carts", { externalId: "x-1", value: EUR(100), items: [{ vendor: "Acme" }] });
  expect(first.status).toBe(201);
  expect(first.body).toMatchObject({ token: "x-1", items: [{ vendor: "Acme" }] });
  expect((await shop.full.post("/v1/carts", { externalId: "x-1", value: EUR(200) })).body.id).toBe(first.body.id);
  expect((await shop.full.post("/v1/carts", { token: "x-1", externalId: "x-1" })).status).toBe(200);
  for (const body of [{ value: EUR(1) }, { token: "x-1", externalId: "x-2" }]) {
    const { status, body: problem } = await shop.full.post("/v1/carts", body);
    expect([status, problem.errors[0].pointer]).toEqual([400, "/token"]);
  }
  expect((await shop.full.get("/v1/carts")).body.items).toHaveLength(1);
});

test("B5: a cart told twice by its token is one cart; a change changes it, an older one does not", async () => {
  const shop = await mintShop();
  const input = {
    token: "c-1",
    value: EUR(1998),
    updatedAt: "2026-11-01T10:00:00Z",
    items: [{ productId: "p", title: "Mug", quantity: 2, price: EUR(999) }],
    checkoutUrl: "https://shop.example/cart/c-1",
    email: "cart@b.example",
  };
  const first = await shop.full.post("/v1/carts", input);
  expect(first.status).toBe(201);
  expect(first.body).toMatchObject({
    token: "c-1",
    state: "open",
    value: EUR(1998),
    items: [{ productId: "p", title: "Mug", quantity: 2, price: EUR(999) }],
    checkoutUrl: "https://shop.example/cart/c-1",
    updatedAt: "2026-11-01T10:00:00.000Z",
  });
  const again = await shop.full.post("/v1/carts", input);
  expect(again.status).toBe(200);
  expect(again.body).toEqual(first.body);
  const changed = await shop.full.post("/v1/carts", {
    token: "c-1",
    value: EUR(999),
    updatedAt: "2026-11-01T11:00:00Z",
    items: [{ title: "Mug" }],
  });
  expect(changed.body).toMatchObject({ id: first.body.id, value: EUR(999), contactId: first.body.contactId });
  const late = await shop.full.post("/v1/carts", input);
  expect(late.body).toMatchObject({ value: EUR(999) });
  const rows = await env.DB.prepare(
    "select (select count(*) from carts where shop = ?1) as carts, (select count(*) from contacts where shop = ?1) as contacts",
  )
    .bind(shop.key)
    .first();
  expect(rows).toEqual({ carts: 1, contacts: 1 });
});

test("B5, B17: a cart told without its lines is abandoned at the threshold; told again it keeps its lines, emptied it waits for nothing", async () => {
  const shop = await mintShop({ abandonAfterSeconds: 60 });
  const at = (seconds: number) => new Date(Date.now() - 1_000 * (600 - seconds)).toISOString();
  const tell = (token: string, more: object) => shop.full.post("/v1/carts", { token, email: "c@b.example", ...more });
  await tell("bare", { value: EUR(500), updatedAt: at(0) });
  await tell("lines", { value: EUR(500), updatedAt: at(0), items: [{ title: "Mug" }] });
  await tell("lines", { value: EUR(900), updatedAt: at(1) });
  await tell("emptied", { value: EUR(500), updatedAt: at(0), items: [{ title: "Mug" }] });
  await tell("emptied", { value: EUR(0), updatedAt: at(1), items: [] });
  await env.DB.batch(abandonDueCarts(env.DB, shop.key, Date.now()));
  const { body } = await shop.full.get("/v1/carts");
  const shown = body.items.map((cart: { token: string; state: string; items: unknown[] }) => [
    cart.token,
    cart.state,
    cart.items.length,
  ]);
  expect(shown.toSorted()).toEqual([
    ["bare", "abandoned", 0],
    ["emptied", "open", 0],
    ["lines", "abandoned", 1],
  ]);
});

test("carts that do not fit are refused and leave nothing behind", async () => {
  const shop = await mintShop();
  for (const wrong of [
    { token: "" },
    { token: 5 },
    { value: { amount: "1", currency: "EUR" } },
    { value: { amount: 1, currency: "euro" } },
    { items: [{ quantity: 1.5 }] },
    { items: [{ price: 5 }] },
    { checkoutUrl: "javascript:alert(1)" },
    { visitorId: "x" },
    { contactId: "con_nobody" },
    { email: "@" },
    { updatedAt: 5 },
    { nonsense: 1 },
  ]) {
    const { status } = await shop.full.post("/v1/carts", { token: "t", ...wrong });
    expect([JSON.stringify(wrong), status]).toEqual([JSON.stringify(wrong), 400]);
  }
  const rows = await env.DB.prepare("select count(*) as n from carts where shop = ?").bind(shop.key).first();
  expect(rows).toEqual({ n: 0 });
});

test("every cart route needs a key with its scope and its own shop", async () => {
  const [mine, other] = [await mintShop(), await mintShop()];
  const cart = await seedCart(mine.key);
  for (const path of ["/v1/carts", `/v1/carts/${cart.id}`]) {
    expect((await api(null).get(path)).status).toBe(401);
    expect((await mine.writeOnly.get(path)).status).toBe(403);
    expect((await mine.readOnly.get(path)).status).toBe(200);
    expect((await operator.get(`${path}?shop=${mine.id}`)).status).toBe(200);
  }
  expect((await other.full.get(`/v1/carts/${cart.id}`)).status).toBe(404);
  expect((await other.full.get("/v1/carts")).body.items).toEqual([]);
  expect((await api(null).post("/v1/carts", { token: "t" })).status).toBe(401);
  expect((await mine.readOnly.post("/v1/carts", { token: "t" })).status).toBe(403);
  expect((await mine.full.post("/v1/carts", { token: "t", shop: other.id })).status).toBe(404);
});
