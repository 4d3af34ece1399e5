import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDemo, type Demo } from "../../../demo/server.ts";
import { buy, MUG_OAT, shopperAt, THROW_CLAY } from "./browser-without-window.ts";
import { startRecorder, type Recorder } from "./recorder.ts";

let product: Recorder;
let demo: Demo;
beforeAll(async () => {
  product = await startRecorder();
  demo = await startDemo({ port: 0, footfallUrl: product.url, shop: "store-test.myshopify.com", apiSecret: "s" });
});
afterAll(async () => {
  await demo.close();
  await product.close();
});

const flush = () => shopperAt(demo.url).ajax("/_admin/api/flush", {});
const topicsOf = (filter: (body: Record<string, unknown>) => boolean): string[] =>
  product
    .webhooks()
    .filter(({ body }) => filter(body))
    .map(({ topic }) => topic);

describe("the Ajax cart", () => {
  it("answers in Shopify's shape: minor units, a token with its key, no private attribute", async () => {
    const shopper = shopperAt(demo.url);
    const added = await shopper.ajax("/cart/add.js", { id: MUG_OAT, quantity: 2 });
    expect(added.body).toMatchObject({
      id: MUG_OAT,
      quantity: 2,
      price: 2400,
      final_line_price: 4800,
      product_title: "Everyday Stoneware Mug",
    });
    await shopper.ajax("/cart/update.js", { attributes: { __ff_visitor: "v-1", gift: "yes" }, note: "Ring twice" });
    const { body: cart } = await shopper.ajax("/cart.js");
    expect(cart).toMatchObject({
      token: expect.stringMatching(/^[A-Za-z0-9]{24}\?key=[0-9a-f]{32}$/),
      item_count: 2,
      total_price: 4800,
      currency: "EUR",
      note: "Ring twice",
      attributes: { gift: "yes" },
    });
    await flush();
    const token = String(cart["token"]).split("?")[0];
    const last = product.webhooks().findLast(({ body }) => body["token"] === token);
    expect(last?.body).toMatchObject({
      id: token,
      note_attributes: [
        { name: "__ff_visitor", value: "v-1" },
        { name: "gift", value: "yes" },
      ],
      line_items: [{ price: "24.00", line_price: "48.00", quantity: 2 }],
    });
    expect(topicsOf((body) => body["token"] === token)).toEqual(["carts/create", "carts/update"]);
  });

  it("keeps the token of a cart it has shown, also an empty one, and stays silent about it", async () => {
    const shopper = shopperAt(demo.url);
    const empty = (await shopper.ajax("/cart.js")).body;
    const before = product.webhooks().length;
    await flush();
    expect(product.webhooks().length).toBe(before);
    await shopper.ajax("/cart/add.js", { items: [{ id: THROW_CLAY, quantity: 1 }] });
    expect((await shopper.ajax("/cart.js")).body["token"]).toBe(empty["token"]);
  });

  it("tells nobody of a change that changes nothing", async () => {
    const shopper = shopperAt(demo.url);
    await shopper.ajax("/cart/add.js", { id: MUG_OAT });
    await shopper.ajax("/cart/update.js", { attributes: { a: "1" } });
    await flush();
    const before = product.webhooks().length;
    await shopper.ajax("/cart/update.js", { attributes: { a: "1" } });
    await shopper.ajax("/cart/change.js", { line: 1, quantity: 1 });
    await flush();
    expect(product.webhooks().length).toBe(before);
  });

  it("keeps note and attributes when cleared, and refuses an unknown variant as Shopify does", async () => {
    const shopper = shopperAt(demo.url);
    await shopper.ajax("/cart/add.js", { id: MUG_OAT });
    await shopper.ajax("/cart/update.js", { attributes: { a: "1" } });
    expect((await shopper.ajax("/cart/clear.js", {})).body).toMatchObject({ item_count: 0, attributes: { a: "1" } });
    expect(await shopper.ajax("/cart/add.js", { id: 1 })).toMatchObject({
      status: 422,
      body: { status: 422, message: "Cart Error" },
    });
  });

  it("writes yen as hundredths in the Ajax API and as yen in webhooks", async () => {
    const shopper = shopperAt(demo.url);
    await shopper.form("/localization", { country_code: "JP" });
    await shopper.ajax("/cart/add.js", { id: MUG_OAT });
    const { body: cart } = await shopper.ajax("/cart.js");
    expect(cart).toMatchObject({ currency: "JPY", total_price: 396_000 });
    await flush();
    const token = String(cart["token"]).split("?")[0];
    expect(product.webhooks().findLast(({ body }) => body["token"] === token)?.body).toMatchObject({
      line_items: [
        {
          price: "24.00",
          price_set: {
            shop_money: { amount: "24.00", currency_code: "EUR" },
            presentment_money: { amount: "3960", currency_code: "JPY" },
          },
        },
      ],
    });
  });
});

describe("a purchase", () => {
  it("sends its webhooks in Shopify's order, joined by tokens and the visitor's attribute", async () => {
    const shopper = shopperAt(demo.url);
    await shopper.get("/pages/slow-mornings?utm_source=instagram&utm_campaign=x", {
      referer: "https://l.instagram.com/",
    });
    const start = product.webhooks().length;
    await buy(shopper, { email: "order@example.com", marketing: true, attributes: { __ff_visitor: "v-2" } });
    await flush();
    const sent = product.webhooks().slice(start);
    expect(sent.map(({ topic }) => topic)).toEqual([
      "carts/create",
      "carts/update",
      "checkouts/create",
      "customers/create",
      "customers/update",
      "customers_email_marketing_consent/update",
      "customers/update",
      "checkouts/update",
      "checkouts/update",
      "checkouts/update",
      "orders/create",
      "orders/paid",
      "orders/updated",
      "customers/purchasing_summary",
      "products/update",
    ]);
    const bodyOf = (topic: string) => sent.findLast((one) => one.topic === topic)?.body;
    const order = bodyOf("orders/create");
    const checkout = bodyOf("checkouts/update");
    expect(order).toMatchObject({
      cart_token: bodyOf("carts/update")?.["token"],
      checkout_token: checkout?.["token"],
      email: "order@example.com",
      financial_status: "paid",
      total_price: "28.90",
      landing_site: "/pages/slow-mornings?utm_source=instagram&utm_campaign=x",
      referring_site: "https://l.instagram.com/",
      note_attributes: [{ name: "__ff_visitor", value: "v-2" }],
      buyer_accepts_marketing: true,
      customer: { email: "order@example.com", state: "disabled" },
    });
    expect(checkout).toMatchObject({ completed_at: expect.any(String), cart_token: order?.["cart_token"] });
    const events = new Set(
      sent.filter(({ topic }) => topic.startsWith("orders/")).map(({ headers }) => headers["x-shopify-event-id"]),
    );
    expect(events.size).toBe(1);
  });

  it("names the shop's currency on a checkout whose amounts are the shopper's", async () => {
    await buy(shopperAt(demo.url), { email: "usd@example.com", country: "US" });
    await flush();
    const of = (topic: string) => product.webhooks().findLast((one) => one.topic === topic)?.body;
    expect(of("checkouts/update")).toMatchObject({
      currency: "EUR",
      presentment_currency: "USD",
      subtotal_price: "25.92",
      total_price: "31.21",
    });
    expect(of("orders/create")).toMatchObject({
      currency: "EUR",
      total_price: "28.90",
      total_price_set: { presentment_money: { amount: "31.21", currency_code: "USD" } },
    });
  });

  it("publishes checkout_completed on the first view of the thank-you page and not on a reload", async () => {
    const shopper = shopperAt(demo.url);
    await shopper.ajax("/cart/add.js", { id: MUG_OAT });
    const thanks = await buy(shopper, { email: "reload@example.com" });
    const again = await shopper.get(thanks);
    expect(again.text).toContain("Thank you");
    expect(again.text).not.toContain("checkout_completed");
    expect(again.text).not.toContain("/ff.js");
    expect((await shopper.ajax("/cart.js")).body).toMatchObject({ item_count: 0 });
  });

  it("makes a customer of whoever only left an e-mail at the checkout", async () => {
    const shopper = shopperAt(demo.url);
    await shopper.ajax("/cart/add.js", { id: MUG_OAT });
    const information = (await shopper.form("/checkout", {})).location;
    const saved = await shopper.ajax(information.replace(/information$/, "contact"), { email: "left@example.com" });
    expect(saved.body).toMatchObject({
      events: [
        { name: "checkout_contact_info_submitted", data: { checkout: { email: "left@example.com", order: null } } },
      ],
    });
    await flush();
    expect(topicsOf((body) => body["email"] === "left@example.com")).toEqual(["customers/create", "checkouts/update"]);
    expect(product.webhooks().findLast(({ topic }) => topic === "checkouts/update")?.body).toMatchObject({
      completed_at: null,
    });
  });

  it("is declined for the card number 2 and stays open", async () => {
    const shopper = shopperAt(demo.url);
    await shopper.ajax("/cart/add.js", { id: MUG_OAT });
    const information = (await shopper.form("/checkout", {})).location;
    const base = information.replace(/information$/, "");
    await shopper.form(information, {
      email: "two@example.com",
      country: "DE",
      firstName: "A",
      lastName: "B",
      address1: "C 1",
      zip: "1",
      city: "D",
    });
    await shopper.form(`${base}shipping`, { rate: "express" });
    const declined = await shopper.form(`${base}payment`, { method: "card", number: "2" });
    expect(declined.text).toContain("The card was declined.");
    expect(declined.text).toContain("alert_displayed");
    expect((await shopper.form(`${base}payment`, { method: "card", number: "1" })).location).toBe(`${base}thank-you`);
  });
});

describe("pages", () => {
  it.each([
    "/",
    "/collections/all",
    "/products/linen-throw",
    "/search?q=oak",
    "/cart",
    "/account",
    "/pages/lookbook/dark-by-five",
    "/blogs/journal",
    "/blogs/journal/forty-hives",
    "/pages/slow-mornings",
  ])("%s is a theme page with the tracker's tag and Shopify's globals", async (path) => {
    const { status, text } = await shopperAt(demo.url).get(path);
    expect(status).toBe(200);
    expect(text).toContain(
      `<script async src="${product.url}/ff.js?shop=store-test.myshopify.com&amp;via=embed"></script>`,
    );
    expect(text).toContain('"shop":"store-test.myshopify.com"');
  });

  it("says in ShopifyAnalytics.meta what a page shows, prices in hundredths", async () => {
    const shopper = shopperAt(demo.url);
    const product = (await shopper.get("/products/stoneware-mug?region=JP")).text;
    expect(product).toContain(
      '"currency":"JPY","page":{"pageType":"product","resourceType":"product","resourceId":8214330671104}',
    );
    expect(product).toContain(
      '"price":396000,"name":"Everyday Stoneware Mug - Oat","public_title":"Oat","sku":"MUG-OAT"',
    );
    expect((await shopper.get("/collections/gifts")).text).toContain('"pageType":"collection"');
    expect((await shopper.get("/search?q=oak")).text).toContain('"pageType":"searchresults"');
    expect((await shopper.get("/")).text).toContain('"pageType":"home"');
  });

  it("has a picture for every product and variant", async () => {
    const shopper = shopperAt(demo.url);
    const home = await shopper.get("/collections/all");
    const pictures = [...home.text.matchAll(/src="(\/cdn\/[^"]+)"/g)].map((match) => match[1] ?? "");
    expect(pictures.length).toBe(8);
    for (const picture of pictures) expect((await shopper.get(picture)).text).toContain("<svg");
  });

  it("answers 404 with a page, and does not run what a query carries", async () => {
    const shopper = shopperAt(demo.url);
    expect((await shopper.get("/products/none")).status).toBe(404);
    expect((await shopper.get("/search?q=%3Cscript%3Ealert(1)%3C/script%3E")).text).not.toContain("<script>alert");
  });
});
