import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { letPeopleIn } from "../../src/automations";
import { abandonDueCarts } from "../../src/carts";
import { runsOf, settle } from "../automations/world";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { DAY, HOUR, SECOND, travel, useFakeClock } from "../helpers/clock";
import { seedCart, seedItem, seedOrder, seedProduct } from "../helpers/seed";
import { bodyOf, keyOf, type Sending, sendDue, sendingShop, subscriber } from "../messages/outbox";

useFakeClock();

const RECIPES = [
  "abandoned_cart",
  "abandoned_checkout",
  "browse_abandonment",
  "welcome",
  "post_purchase",
  "win_back",
  "vip",
  "review_request",
];

async function shopWithProducts(settings: Record<string, unknown> = {}): Promise<Sending> {
  const shop = await sendingShop(settings);
  await seedProduct(shop.key, "p1", { title: "Blue mug", handle: "blue-mug", price: 1250 });
  await seedProduct(shop.key, "p2", { title: "Tea pot", handle: "tea-pot", price: 3000 });
  return shop;
}

/** Installs a recipe and activates it. */
async function started(shop: Sending, name: string) {
  const made = await shop.full.post(`/v1/automations/recipes/${name}`);
  expect([name, made.status, made.body.automation?.state]).toEqual([name, 201, "draft"]);
  const { id } = made.body.automation;
  const active = await shop.full.post(`/v1/automations/${id}/activation`, { action: "activate" });
  expect([name, active.status, active.body.state]).toEqual([name, 200, "active"]);
  travel(SECOND);
  return { id: String(id), key: await keyOf("automations", id) };
}

/** Lets time pass, carries out what is due and sends what it queued. */
async function later(shop: Sending, ms: number): Promise<void> {
  travel(ms);
  await settle(shop);
  await sendDue(shop);
}

/** Subjects and texts of what a contact was sent, the oldest first. */
async function mailsTo(shop: Sending, contact: { id: string }) {
  const { items } = (await shop.full.get(`/v1/deliveries?contactId=${contact.id}`)).body;
  const mails = [];
  for (const { id, state, reason } of items.toReversed()) {
    expect([state, reason]).toEqual(["sent", null]);
    mails.push(await bodyOf(shop, id));
  }
  return mails;
}

async function buy(shop: Sending, externalId: string, contact: { email: string }, more: Record<string, unknown> = {}) {
  const made = await shop.full.post("/v1/orders", {
    externalId,
    name: `#${externalId}`,
    email: contact.email,
    total: { amount: 1250, currency: "USD" },
    placedAt: new Date().toISOString(),
    items: [{ productId: "p1", title: "Blue mug", price: { amount: 1250, currency: "USD" } }],
    ...more,
  });
  expect([made.status < 300, made.body.errors ?? null]).toEqual([true, null]);
  await settle(shop);
}

async function leaveCart(shop: Sending, contact: { key: number }, more: Record<string, string> = {}) {
  await seedCart(shop.key, {
    contact: contact.key,
    currency: "USD",
    value: 2500,
    items: JSON.stringify([
      { productId: "p1", variantId: "11", title: "Blue mug", quantity: 2, price: { amount: 1250, currency: "USD" } },
    ]),
    ...more,
  });
  travel(2 * HOUR);
  await env.DB.batch(abandonDueCarts(env.DB, shop.key, Date.now()));
  await later(shop, 0);
}

test("E18: all recipes are listed, installed as drafts with their templates; twice is a number and no second template", async () => {
  const shop = await sendingShop();
  const { items } = (await shop.full.get("/v1/automations/recipes")).body;
  expect(items.map(({ name }: { name: string }) => name)).toEqual(RECIPES);
  const templates = async () => (await shop.full.get("/v1/templates?limit=250")).body.items.length;
  const before = await templates();
  const messages = items.reduce((sum: number, one: { messages: string[] }) => sum + one.messages.length, 0);
  for (const round of [1, 2]) {
    for (const { name, label } of items) {
      const { status, body } = await shop.full.post(`/v1/automations/recipes/${name}`);
      const wanted = round === 1 ? label : `${label} 2`;
      expect([status, body.automation.name, body.automation.state]).toEqual([201, wanted, "draft"]);
    }
    expect(await templates()).toBe(before + messages);
  }
  expect((await shop.full.post("/v1/automations/recipes/nonsense")).status).toBe(400);
  const again = (await shop.full.post("/v1/automations/recipes/vip")).body;
  expect((await shop.full.delete(`/v1/templates/${again.templateIds[0]}`)).status).toBe(204);
  const fresh = (await shop.full.post("/v1/automations/recipes/vip")).body;
  expect(fresh.templateIds).not.toEqual(again.templateIds);
  expect(fresh.automation.name).toBe("VIP 4");
});

test.each([
  ["fr", "Votre panier vous attend toujours"],
  ["pt-BR", "O seu carrinho continua à espera"],
  ["xx", "Your cart is still waiting"],
])(
  "the texts of every recipe are in the shop's language and render without a warning: %s",
  async (messageLanguage, subject) => {
    const shop = await sendingShop({ messageLanguage });
    const ids: string[] = [];
    for (const name of RECIPES) {
      ids.push(...(await shop.full.post(`/v1/automations/recipes/${name}`)).body.templateIds);
    }
    const shown = await Promise.all(ids.map(async (id) => (await shop.full.get(`/v1/templates/${id}`)).body));
    expect(shown.map((one) => one.subject)).toContain(subject);
    expect(shown.flatMap((one) => one.warnings)).toEqual([]);
    await seedProduct(shop.key, "p1", { title: "Blue mug", handle: "blue-mug", price: 1250 });
    const ada = await subscriber(shop);
    const items = JSON.stringify([{ productId: "p1", title: "Blue mug", quantity: 1 }]);
    await seedCart(shop.key, { contact: ada.key, token: `cart-${ada.key}`, items });
    const order = await seedOrder(shop.key, { contact: ada.key });
    await seedItem(order.key, 0, { product_id: "p1" });
    const about = { cart: `cart-${ada.key}`, order: order.id, products: ["p1"] };
    const previews = await Promise.all(
      ids.map(async (id) => {
        const { body } = await shop.full.post(`/v1/templates/${id}/preview`, { contactId: ada.id, about });
        return body;
      }),
    );
    expect(previews.filter(({ sends, html }) => !sends || html.includes("{{"))).toEqual([]);
  },
);

test("D27, D28: a cart and a checkout that were left send their products, again a day later, and stop at a purchase", async () => {
  const shop = await shopWithProducts();
  await started(shop, "abandoned_cart");
  const [ada, ben] = [await subscriber(shop), await subscriber(shop, { firstName: "Ben" })];
  await leaveCart(shop, ada);
  await leaveCart(shop, ben);
  const [first] = await mailsTo(shop, ada);
  expect(first.subject).toBe("You left something in your cart");
  for (const words of ["Hello Ada", "Blue mug", "$25.00", "Return to checkout", "Unsubscribe"]) {
    expect(first.html).toContain(words);
  }
  await buy(shop, "o1", ben);
  await later(shop, DAY);
  expect((await mailsTo(shop, ada)).map(({ subject }) => subject)).toEqual([
    "You left something in your cart",
    "Your cart is still waiting",
  ]);
  expect(await mailsTo(shop, ben)).toHaveLength(1);

  const other = await shopWithProducts();
  await started(other, "abandoned_checkout");
  const [eve, joe] = [await subscriber(other), await subscriber(other)];
  await leaveCart(other, eve, { checkout_token: "k1" });
  await leaveCart(other, joe);
  const [mail] = await mailsTo(other, eve);
  expect([mail.subject, mail.html.includes("Blue mug")]).toEqual(["Your order is almost complete", true]);
  expect(await mailsTo(other, joe)).toEqual([]);
});

test("D26: who looked at a product and left is shown it", async () => {
  const shop = await shopWithProducts();
  const automation = await started(shop, "browse_abandonment");
  const ada = await subscriber(shop);
  const visitor = newVisitor();
  const look = async (type: string, data?: Record<string, unknown>) => {
    const event = { type, url: "https://s.example/products/blue-mug", ...(data ? { data } : {}) };
    expect((await send(shop.domain, visitor, [event])).status).toBe(204);
    await objectOf(shop, visitor).flush();
    await settle(shop);
  };
  await look("page_viewed");
  await env.DB.prepare("update visitors set contact = ? where shop = ? and tracker = ?")
    .bind(ada.key, shop.key, visitor)
    .run();
  travel(SECOND);
  await look("product_viewed", { productId: "p1", title: "Blue mug" });
  await later(shop, HOUR);
  expect(await mailsTo(shop, ada)).toEqual([]);
  await later(shop, HOUR + SECOND);
  const [mail] = await mailsTo(shop, ada);
  expect([mail?.subject, mail?.html.includes("Blue mug"), mail?.html.includes("$12.50")]).toEqual([
    "Seen something you like?",
    true,
    true,
  ]);
  expect(await runsOf(shop, automation)).toHaveLength(1);
});

test("welcome, post-purchase, VIP and review request let their people in and render", async () => {
  const shop = await shopWithProducts({ messageCaps: { email: null, sms: null, whatsapp: null, all: null } });
  for (const name of ["welcome", "post_purchase", "vip", "review_request"]) await started(shop, name);
  const ada = await subscriber(shop);
  await later(shop, 0);
  expect((await mailsTo(shop, ada)).map(({ subject }) => subject)).toEqual(["Welcome to Acme"]);
  await later(shop, 3 * DAY);
  expect((await mailsTo(shop, ada)).map(({ subject }) => subject)).toEqual([
    "Welcome to Acme",
    "What others like at Acme",
  ]);
  const [ben, vip] = [await subscriber(shop), await subscriber(shop)];
  await later(shop, SECOND);
  await buy(shop, "o1", ben, { fulfilledAt: new Date().toISOString() });
  await later(shop, DAY);
  for (const n of [1, 2, 3, 4])
    await seedOrder(shop.key, { contact: vip.key, placed_at: Date.now() - n * DAY, total: 100 });
  await buy(shop, "o5", vip);
  await later(shop, SECOND);
  const thanks = (await mailsTo(shop, vip)).find(({ subject }) => subject === "Thank you for being with us");
  expect(thanks?.html).toContain("You have ordered");
  expect((await shop.full.get(`/v1/contacts/${vip.id}`)).body.tags).toEqual(["vip"]);
  await later(shop, 3 * DAY);
  await later(shop, 10 * DAY);
  const mails = await mailsTo(shop, ben);
  expect(mails.map(({ subject }) => subject)).toEqual([
    "Welcome to Acme",
    "Thank you for your order #o1",
    "How do you like your order?",
  ]);
  expect(mails.slice(1).map(({ html }) => [html.includes("Blue mug"), html.includes("$12.50")])).toEqual([
    [true, true],
    [true, true],
  ]);
});

test("win-back writes 60 days after the last order, once more two weeks later, and to nobody who bought meanwhile", async () => {
  const shop = await shopWithProducts();
  const [ada, ben, eve] = [await subscriber(shop), await subscriber(shop), await subscriber(shop)];
  const ago = async (contact: { key: number }, days: number) =>
    seedOrder(shop.key, { contact: contact.key, currency: "USD", placed_at: Date.now() - days * DAY });
  await ago(ada, 61);
  await ago(ben, 61);
  await ago(eve, 20);
  await started(shop, "win_back");
  const tomorrow = async () => {
    travel(DAY);
    await letPeopleIn(env, shop.key, Date.now());
    await later(shop, 0);
  };
  await tomorrow();
  const sent = async () => Promise.all([ada, ben, eve].map(async (one) => (await mailsTo(shop, one)).length));
  expect(await sent()).toEqual([1, 1, 0]);
  expect((await mailsTo(shop, ada))[0].html).toContain("See what is new");
  await buy(shop, "o1", ben);
  for (let day = 0; day < 15; day++) await tomorrow();
  expect(await sent()).toEqual([2, 1, 0]);
});
