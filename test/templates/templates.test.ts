import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { findShop } from "../../src/shops";
import { renderMessage } from "../../src/templates";
import { api, mintShop } from "../helpers/api";
import { T0, useFakeClock } from "../helpers/clock";
import { insert, seedCart, seedContact, seedItem, seedOrder, seedProduct } from "../helpers/seed";
import { one } from "../shopify/deliver";

useFakeClock();

const mjml = (text: string) =>
  `<mjml><mj-body><mj-section><mj-column><mj-text>${text}</mj-text></mj-column></mj-section></mj-body></mjml>`;

const email = (body: string, more: Record<string, unknown> = {}) => ({
  name: "Hello",
  channel: "email",
  subject: "Hello",
  body: mjml(body),
  ...more,
});

/** A contact with a cart of two lines and an order, in a shop in Paris that sells in euro. */
async function store() {
  const shop = await mintShop({}, { currency: "EUR", timezone: "Europe/Paris" });
  const contact = await seedContact(shop.key, {
    email: "mia@example.com",
    first_name: 'Mia <b>"O\'Neil"</b>',
    city: "Lyon",
    fields: JSON.stringify({ size: "38", note: "javascript:alert(1)" }),
    orders_count: 2,
    orders_total: 12_345,
  });
  await seedProduct(shop.key, "p1", {
    handle: "candle",
    title: "Candle",
    price: 1999,
    description: "Smells of <honey>",
    category: "Candles",
    image: "https://cdn.example/candle.png",
  });
  await seedProduct(shop.key, "p2", { handle: "soap", title: "Soap", price: 500, category: "Bath" });
  await seedProduct(shop.key, "p3", { handle: "oil", title: "Oil", price: 1500, category: "Candles" });
  await seedProduct(shop.key, "p5", { handle: "out", title: "Out", stock: 0, tracks_stock: 1, oversells: 0 });
  await seedProduct(shop.key, "p4", {
    handle: "gone",
    title: "Gone",
    price: 1500,
    category: "Candles",
    status: "archived",
  });
  const token = `cart-${contact.key}`;
  await seedCart(shop.key, {
    token,
    contact: contact.key,
    state: "abandoned",
    currency: "EUR",
    value: 4498,
    items: JSON.stringify([
      {
        productId: "p1",
        variantId: "11",
        title: "Candle & co",
        quantity: 2,
        price: { amount: 1999, currency: "EUR" },
        url: "/products/candle?variant=11",
      },
      { productId: "p2", variantId: "22", title: null, quantity: 1, price: { amount: 500, currency: "EUR" } },
    ]),
  });
  const order = await seedOrder(shop.key, {
    contact: contact.key,
    name: "#1001",
    currency: "EUR",
    total: 2500,
    subtotal: 2200,
    shipping: 300,
    placed_at: T0,
  });
  await seedItem(order.key, 0, {
    product_id: "p2",
    title: "Soap",
    price: 1200,
    discounted_price: 1100,
    quantity: 2,
    current_quantity: 2,
  });
  return { shop, contact, token, order };
}

async function make(shop: Awaited<ReturnType<typeof mintShop>>, input: Record<string, unknown>) {
  const made = await shop.full.post("/v1/templates", input);
  expect(made.body).toMatchObject({ id: expect.stringMatching(/^tpl_/) });
  return made.body;
}

const preview = async (shop: Awaited<ReturnType<typeof mintShop>>, id: string, request: Record<string, unknown>) =>
  (await shop.full.post(`/v1/templates/${id}/preview`, request)).body;

describe("writing", () => {
  test("a template is made, changed by versions that stay, listed by channel, and deleted", async () => {
    const { shop } = await store();
    const made = await make(shop, email("Hi {{ contact.first_name | default: 'there' }}"));
    expect(made).toMatchObject({ version: 1, format: "mjml", variables: ["contact.first_name"], onMissing: "blank" });
    const changed = await shop.full.patch(`/v1/templates/${made.id}`, { subject: "News" });
    expect(changed.body).toMatchObject({ version: 2, subject: "News", body: made.body });
    expect((await shop.full.patch(`/v1/templates/${made.id}`, { name: "Other" })).body).toMatchObject({
      version: 2,
      name: "Other",
    });
    const versions = await shop.full.get(`/v1/templates/${made.id}/versions`);
    expect(versions.body.items.map((v: { version: number; subject: string }) => [v.version, v.subject])).toEqual([
      [2, "News"],
      [1, "Hello"],
    ]);
    await make(shop, { name: "Text", channel: "sms", body: "Hi" });
    expect((await shop.full.get("/v1/templates?channel=sms")).body.items).toHaveLength(1);
    expect((await shop.full.get("/v1/templates?limit=1")).body).toMatchObject({
      items: [{ channel: "sms" }],
      nextCursor: expect.any(String),
    });
    expect((await shop.full.delete(`/v1/templates/${made.id}`)).status).toBe(204);
    expect((await shop.full.get(`/v1/templates/${made.id}`)).status).toBe(404);
  });

  test.each([
    ["an unknown filter", { body: mjml("{{ contact.first_name | shout }}") }, "/body", /undefined filter: shout/],
    ["an unknown value", { body: mjml("{{ contact.frist_name }}") }, "/body", /contact\.frist_name/],
    ["an unknown root", { subject: "{{ customer.name }}" }, "/subject", /customer/],
    ["an open tag", { body: mjml("{% if contact.email %}") }, "/body", /not closed/],
    ["an unknown tag", { body: mjml("{% include 'x' %}") }, "/body", /include/],
    ["an unknown block", { body: mjml("{% render 'nothing' %}") }, "/body", /nothing/],
    ["output without escaping", { body: mjml("{{ contact.first_name | raw }}") }, "/body", /raw/],
    ["no MJML", { body: "<mjml><mj-body><mj-nothing></mj-body></mjml>" }, "/body", /MJML/],
    ["a script", { format: "html", body: "<p>x</p><script>1</script>" }, "/body", /<script>/],
    ["a handler", { format: "html", body: '<p onclick="x()">x</p>' }, "/body", /onclick/],
    ["a script for a link", { format: "html", body: '<a href="javascript:x()">x</a>' }, "/body", /javascript/],
    ["no subject", { subject: null }, "/subject", /needed/],
    ["text as an e-mail", { format: "text", body: "x" }, "/format", /mjml or html/],
  ])("%s is refused, with the part that is at fault", async (_, wrong, pointer, detail) => {
    const shop = await mintShop();
    const answer = await shop.full.post("/v1/templates", { ...email("x"), ...wrong });
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([{ pointer, detail: expect.stringMatching(detail) }]);
  });

  test("what only an e-mail has is refused elsewhere", async () => {
    const shop = await mintShop();
    const answer = await shop.full.post("/v1/templates", {
      name: "x",
      channel: "sms",
      body: "x",
      subject: "x",
      text: "x",
    });
    expect(answer.body.errors.map((e: { pointer: string }) => e.pointer)).toEqual(["/subject", "/text"]);
  });

  test("routes want a key, the scope, and the shop's own template", async () => {
    const shop = await mintShop();
    const other = await mintShop();
    const { id } = await make(shop, email("x"));
    const routes: [string, string, unknown][] = [
      ["GET", "/v1/templates", undefined],
      ["GET", "/v1/templates/catalog", undefined],
      ["POST", "/v1/templates", email("x")],
      ["POST", "/v1/templates/preview", { channel: "sms", body: "x" }],
      ["POST", "/v1/templates/translate", { text: "x" }],
      ["GET", `/v1/templates/${id}`, undefined],
      ["PATCH", `/v1/templates/${id}`, { name: "y" }],
      ["GET", `/v1/templates/${id}/versions`, undefined],
      ["POST", `/v1/templates/${id}/preview`, {}],
      ["DELETE", `/v1/templates/${id}`, undefined],
    ];
    for (const [method, path, input] of routes) {
      const wrong = method === "GET" ? shop.writeOnly : shop.readOnly;
      expect((await api(null).request(method, path, input)).status).toBe(401);
      expect((await wrong.request(method, path, input)).status).toBe(403);
      if (path.includes(id)) expect((await other.full.request(method, path, input)).status).toBe(404);
    }
  });
});

describe("E18: personalisation tags and product content", () => {
  test("every tag of the catalogue renders on a contact with a cart and an order", async () => {
    const { shop, contact, token, order } = await store();
    const { body: catalogue } = await shop.full.get("/v1/templates/catalog");
    const plain: string[] = catalogue.variables
      .map(({ name }: { name: string }) => name)
      .filter((name: string) => !/\[\]|items|fields|^products|^recommendations/.test(name));
    const source = plain.map((name) => `<p>${name}={{ ${name} }}</p>`).join("");
    const { id } = await make(shop, email(source));
    const shown = await preview(shop, id, {
      contactId: contact.id,
      about: { cart: token, order: order.id, products: ["p1"] },
    });
    expect(shown).toMatchObject({ sends: true, missing: expect.arrayContaining(["contact.last_name"]) });
    expect(shown.html).toContain("contact.city=Lyon");
    expect(shown.html).toContain("contact.total_spent=€123.45");
    expect(shown.html).toContain("contact.favourite_category=Bath");
    expect(shown.html).toContain("cart.count=3");
    expect(shown.html).toContain("order.name=#1001");
    expect(shown.html).not.toContain("[object");
  });

  test("a missing value prints its fallback; without one it prints nothing, or stops the message", async () => {
    const { shop, contact } = await store();
    const { id } = await make(shop, email("Hi {{ contact.last_name | default: 'there' }}, {{ contact.company }}!"));
    const shown = await preview(shop, id, { contactId: contact.id });
    expect(shown).toMatchObject({ sends: true, missing: ["contact.company"], text: "Hi there, !" });
    await shop.full.patch(`/v1/templates/${id}`, { onMissing: "refuse" });
    expect(await preview(shop, id, { contactId: contact.id })).toMatchObject({
      sends: false,
      reason: "missing_values",
      missing: ["contact.company"],
    });
  });

  test("the cart's lines are looped over, escaped, with pictures, prices and the way back", async () => {
    const { shop, contact, token } = await store();
    const { id } = await make(
      shop,
      email('{{ contact.first_name }}{% render "cart" %}', { subject: "{{ contact.first_name }}, your cart" }),
    );
    const shown = await preview(shop, id, { contactId: contact.id, about: { cart: token } });
    expect(shown.subject).toBe('Mia <b>"O\'Neil"</b>, your cart');
    expect(shown.html).toContain("Mia &lt;b&gt;&#34;O&#39;Neil&#34;&lt;/b&gt;");
    expect(shown.html).toContain("Candle &amp; co");
    expect(shown.html).toContain("Smells of &lt;honey&gt;");
    expect(shown.html).toContain('src="https://cdn.example/candle.png"');
    expect(shown.html).toContain("€39.98");
    expect(shown.html).toContain("€44.98");
    expect(shown.html).toContain("Return to checkout");
    expect(shown.links).toContain(`https://${shop.domain}/cart/11:2,22:1`);
    expect(shown.links).toContain(`https://${shop.domain}/products/candle?variant=11`);
    expect(shown.text).toContain("Candle & co");
    const rows = String(shown.text)
      .split("\n")
      .map((row) => row.trim());
    expect(rows).toContain("Total €44.98");
    expect(rows.filter((row) => row.startsWith("Quantity: "))).toEqual(["Quantity: 2 €39.98", "Quantity: 1 €5.00"]);
    const french = await preview(shop, id, { contactId: contact.id, about: { cart: token }, language: "fr-FR" });
    expect(french.html).toContain("Reprendre ma commande");
    expect(french.html).toMatch(/44,98\s€/);
    expect((await preview(shop, id, { contactId: contact.id, language: "pt" })).html).toContain("Voltar");
  });

  test("the order's lines show the reduced price beside the full one, and the sums", async () => {
    const { shop, contact, order } = await store();
    const { id } = await make(shop, email('{% render "order" %} {{ order.placed_at | date: "%H:%M" }}'));
    const { html } = await preview(shop, id, { contactId: contact.id, about: { order: order.id } });
    for (const part of ["€24.00", "€22.00", "€3.00", "€25.00", "13:00"]) expect(html).toContain(part);
  });

  test("loops and questions may stand between MJML's elements", async () => {
    const { shop, contact, token } = await store();
    const source = `<mjml><mj-body>{% if contact.email %}{% for item in cart.items %}<mj-section><mj-column><mj-button href="{{ item.url }}">{{ item.title }}</mj-button></mj-column></mj-section>{% endfor %}{% endif %}</mj-body></mjml>`;
    const { id } = await make(shop, { ...email("x"), body: source });
    const { html, links } = await preview(shop, id, { contactId: contact.id, about: { cart: token } });
    expect(html.match(/Candle &amp; co|Soap/g)).toHaveLength(2);
    expect(html).toContain("<!--[if mso");
    expect(html).not.toMatch(/ffliquid|mj-raw/);
    expect(links).toHaveLength(2);
  });

  test("a message about a cart that is gone, or is somebody else's, is not sent", async () => {
    const { shop, contact } = await store();
    const other = await seedContact(shop.key);
    await seedCart(shop.key, {
      token: "theirs",
      contact: other.key,
      items: JSON.stringify([{ title: "Secret", quantity: 1 }]),
    });
    const { id } = await make(shop, email('{% render "cart" %}'));
    for (const cart of ["nothing", "theirs"]) {
      expect(await preview(shop, id, { contactId: contact.id, about: { cart } })).toMatchObject({
        sends: false,
        reason: "no_cart",
      });
    }
  });

  test("%TAGS% become Liquid with their fallbacks; unknown ones are named", async () => {
    const shop = await mintShop();
    const { body } = await shop.full.post("/v1/templates/translate", {
      text: "Hi %FIRSTNAME|there%, 100% off %SHOE_SIZE% %ECOM_CART_TOTAL%",
    });
    expect(body).toEqual({
      text: 'Hi {{ contact.first_name | default: "there" }}, 100% off %SHOE_SIZE% {{ cart.value }}',
      unknown: ["SHOE_SIZE"],
    });
  });
});

describe("what a template must not do", () => {
  test("a link made of data leads to the web or nowhere", async () => {
    const { shop, contact } = await store();
    const { id } = await make(shop, {
      ...email("x"),
      format: "html",
      body: '<body><a href="{{ contact.fields.note }}">a</a><a href="https://ok.example/?q={{ contact.first_name | url_encode }}">b</a></body>',
    });
    const { html, links } = await preview(shop, id, { contactId: contact.id });
    expect(html).not.toContain("javascript:");
    expect(links).toEqual(["https://ok.example/?q=Mia+%3Cb%3E%22O'Neil%22%3C%2Fb%3E"]);
  });

  test.each([
    ["a long range", "{% for i in (1..10000000) %}x{% endfor %}"],
    ["loops in loops", "{% for i in (1..2000) %}{% for j in (1..2000) %}{{ j }}{% endfor %}{% endfor %}"],
    ["a doubling", "{% assign s = 'aaaaaaaaaa' %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}"],
    [
      "a doubling by capture",
      "{% assign s = 'aaaaaaaaaa' %}{% for i in (1..60) %}{% capture s %}{{ s }}{{ s }}{% endcapture %}{% endfor %}",
    ],
  ])("%s ends at its limit", async (_, body) => {
    const shop = await mintShop();
    const { body: shown } = await shop.full.post("/v1/templates/preview", { channel: "sms", body });
    expect(shown).toMatchObject({ sends: false, reason: "too_large" });
  });

  test("prototypes are out of reach", async () => {
    const shop = await mintShop();
    const { status } = await shop.full.post("/v1/templates", {
      name: "x",
      channel: "sms",
      body: "{{ contact.constructor.name }}",
    });
    expect(status).toBe(400);
  });
});

describe("D13: codes and recommendations", () => {
  async function poolOf(shop: { key: number }, codes: string[], fallback: string | null) {
    await insert("discount_pools", {
      shop: shop.key,
      id: `dpo_${shop.key}`,
      name: "Spring",
      prefix: "S",
      size: 0,
      low_water: 0,
      fallback_code: fallback,
      created_at: T0,
      updated_at: T0,
    });
    const row = await one<{ key: number }>("select key from discount_pools where shop = ?", shop.key);
    for (const code of codes)
      await insert("discount_codes", { shop: shop.key, pool: row?.key ?? 0, code, state: "free", created_at: T0 });
  }

  async function render(shop: { key: number }, template: string, contact: number, delivery: string) {
    const row = await one<{ key: number }>("select key from templates where id = ?", template);
    const owner = await findShop(env.DB, shop.key);
    if (!owner || !row) throw new Error("no shop");
    const request = {
      template: row.key,
      version: 1,
      contact,
      about: {},
      delivery: { id: delivery },
      sender: { from: { name: "Shop", address: "a@b.example" }, postalAddress: "1 Road\nTown" },
      urls: null,
      language: "en",
    };
    return renderMessage(env, owner, request, T0);
  }

  test("each recipient gets a code of their own, the same one when rendered again; then the fallback, or nothing is sent", async () => {
    const { shop, contact } = await store();
    const second = await seedContact(shop.key);
    await poolOf(shop, ["AAA-1", "AAA-2"], null);
    const { id } = await make(shop, { name: "Code", channel: "sms", body: 'Yours: {% coupon "Spring" %}' });
    expect(await render(shop, id, contact.key, "dlv_1")).toMatchObject({ ok: true, text: "Yours: AAA-1" });
    expect(await render(shop, id, second.key, "dlv_2")).toMatchObject({ ok: true, text: "Yours: AAA-2" });
    expect(await render(shop, id, contact.key, "dlv_1")).toMatchObject({ ok: true, text: "Yours: AAA-1" });
    expect(await render(shop, id, contact.key, "dlv_3")).toEqual({ ok: false, reason: "no_coupon" });
    await env.DB.prepare("update discount_pools set fallback_code = 'ALL10' where shop = ?").bind(shop.key).run();
    expect(await render(shop, id, contact.key, "dlv_3")).toMatchObject({ ok: true, text: "Yours: ALL10" });
    expect(await preview(shop, id, { contactId: contact.id })).toMatchObject({ text: "Yours: YOUR-CODE" });
  });

  test("recommendations leave out what was bought, what the message is about, and what is not on sale or has run out", async () => {
    const { shop, contact, token } = await store();
    // Others bought all four together with what is in the cart.
    for (let i = 0; i < 3; i++) {
      const other = await seedContact(shop.key);
      const order = await seedOrder(shop.key, { contact: other.key, placed_at: T0 - 1000 });
      for (const [line, product] of ["p1", "p2", "p3", "p4", "p5"].entries())
        await seedItem(order.key, line, { product_id: product });
    }
    const { id } = await make(shop, email('{% render "recommendations" %}{{ cart.count }}'));
    const { html } = await preview(shop, id, { contactId: contact.id, about: { cart: token } });
    expect(html).toContain("You may also like");
    expect(html).toContain(`https://${shop.domain}/products/oil`);
    for (const handle of ["candle", "soap", "gone", "out"]) expect(html).not.toContain(`/products/${handle}`);
  });
});
