import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";

import { applyFeedback } from "../../src/messages";
import { react } from "../../src/jobs/reactions";
import { dropOldMessages } from "../../src/messages";
import { getShopOrThrow } from "../../src/shops";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { DAY, HOUR, MINUTE, SECOND, travel, useFakeClock } from "../helpers/clock";
import { bodyOf, linkIn, type Sending, sendingShop, sendOne, subscriber, visit } from "./outbox";

useFakeClock();

const detail = async (shop: Sending, id: string) => (await shop.full.get(`/v1/deliveries/${id}`)).body;

/** Carries out what was told of orders and messages. */
async function reactAll(shop: Sending): Promise<void> {
  const { results } = await env.DB.prepare("select key from outbox where shop = ?")
    .bind(shop.key)
    .all<{ key: number }>();
  await react(
    env,
    shop.key,
    results.map(({ key }) => key),
    Date.now(),
  );
}

test("B9: a click leads to the link's own target with a token that ties the browser to the contact; a forwarded one changes nobody known", async () => {
  const shop = await sendingShop({ consentMode: "opt_out", flushSeconds: 0 });
  const ada = await subscriber(shop);
  const sent = await sendOne(shop, ada.key);
  travel(MINUTE);
  const answer = await visit(linkIn((await bodyOf(shop, sent.id)).html, "c"));
  expect(answer.status).toBe(302);
  const target = new URL(answer.headers.get("location") ?? "");
  expect(target.origin + target.pathname).toBe("https://shop.example/lamps");
  expect(target.hash).toBe("#top");
  expect(Object.fromEntries(target.searchParams)).toMatchObject({
    ref: "1",
    utm_source: "footfall",
    utm_medium: "email",
  });
  expect(target.href).not.toMatch(/Ada|people\.example/);
  const token = target.searchParams.get("ff_id");

  const visitor = newVisitor();
  await send(shop.domain, visitor, [
    { type: "page_viewed", url: "https://shop.example/lamps" },
    { type: "identified", data: { token } },
  ]);
  await vi.waitFor(async () => {
    const linked = await shop.full.get(`/v1/visitors?contactId=${ada.id}`);
    expect(linked.body.items).toMatchObject([{ id: visitor, contactId: ada.id }]);
  });
  // Forwarded to somebody who is known on their own browser: they stay themselves.
  const bob = await subscriber(shop);
  const bobs = await sendOne(shop, bob.key);
  travel(MINUTE);
  const own = new URL((await visit(linkIn((await bodyOf(shop, bobs.id)).html, "c"))).headers.get("location") ?? "");
  const other = newVisitor();
  await send(shop.domain, other, [{ type: "identified", data: { token: own.searchParams.get("ff_id") } }]);
  await vi.waitFor(async () =>
    expect((await shop.full.get(`/v1/visitors?contactId=${bob.id}`)).body.items).toHaveLength(1),
  );
  await send(shop.domain, other, [{ type: "identified", data: { token } }]);
  await objectOf(shop, other).flush();
  expect((await shop.full.get(`/v1/visitors?contactId=${bob.id}`)).body.items).toMatchObject([{ id: other }]);
  expect((await detail(shop, sent.id)).clickedAt).not.toBeNull();
});

test("a signed redirect cannot be turned elsewhere, and with origins set the token goes to the shop's own pages alone", async () => {
  const html =
    '<html><body><a href="https://shop.example/a">A</a><a href="https://elsewhere.example/b">B</a></body></html>';
  const shop = await sendingShop({ appendUtm: false }, { html, origins: ["https://shop.example"] });
  const ada = await subscriber(shop);
  const body = await bodyOf(shop, (await sendOne(shop, ada.key)).id);
  travel(MINUTE);
  const [first, second] = [...body.html.matchAll(/href="([^"]+\/m\/c\/[^"]+)"/g)].map(([, url]) => String(url));
  expect((await visit(first ?? "")).headers.get("location")).toMatch(/^https:\/\/shop\.example\/a\?ff_id=/);
  expect((await visit(second ?? "")).headers.get("location")).toBe("https://elsewhere.example/b");
  expect((await visit(`${first}?url=https://evil.example&to=//evil.example`)).headers.get("location")).toMatch(
    /^https:\/\/shop\.example\/a\?ff_id=/,
  );
  const token = (first ?? "").split("/m/c/")[1] ?? "";
  const [delivery, , signature] = token.split(".");
  for (const bad of [
    `${delivery}.1.${signature}`,
    `${delivery}.0.AAAAAAAAAAAA`,
    `${delivery}.0`,
    token.toUpperCase(),
  ]) {
    const answer = await visit(`https://footfall.test/m/c/${bad}`);
    expect([bad, answer.status, answer.headers.get("location")]).toEqual([bad, 404, null]);
  }
});

test("openings and clicks of scanners, prefetches and Apple's proxy are told apart, and tie nobody", async () => {
  const shop = await sendingShop();
  const ada = await subscriber(shop);
  const sent = await sendOne(shop, ada.key);
  const body = await bodyOf(shop, sent.id);
  const [pixel, link] = [linkIn(body.html, "o"), linkIn(body.html, "c")];
  // Within seconds of the sending nobody reads.
  expect((await visit(link)).headers.get("location")).not.toContain("ff_id=");
  travel(HOUR);
  const machines: Record<string, string>[] = [
    { "user-agent": "Mozilla/5.0" },
    { "user-agent": "Barracuda Sentinel (EE)" },
    { "user-agent": "Mozilla/5.0 (compatible; Proofpoint URL Defense)" },
    { "sec-purpose": "prefetch;prerender" },
    { "user-agent": "python-requests/2.31" },
  ];
  for (const headers of machines) {
    expect((await visit(pixel, { headers })).headers.get("content-type")).toBe("image/gif");
    expect((await visit(link, { headers })).headers.get("location")).not.toContain("ff_id=");
  }
  await visit(pixel, { method: "HEAD" });
  await visit(link, { method: "HEAD" });
  const before = await detail(shop, sent.id);
  expect([before.openedAt, before.clickedAt]).toEqual([null, null]);
  expect(before.machineOpenedAt).not.toBeNull();
  expect(before.events.every(({ machine }: { machine: boolean }) => machine)).toBe(true);
  const told = async () =>
    (
      await env.DB.prepare("select type from outbox where shop = ? and type in ('message_opened', 'message_clicked')")
        .bind(shop.key)
        .all()
    ).results;
  expect(await told()).toEqual([]);

  travel(HOUR);
  await visit(pixel, {
    headers: {
      "user-agent": "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    },
  });
  await visit(pixel);
  const opened = await detail(shop, sent.id);
  expect(opened.openedAt).toBe(new Date().toISOString());
  expect(opened.clickedAt).toBeNull();
  travel(HOUR);
  await visit(link);
  travel(HOUR);
  await visit(link);
  const after = await detail(shop, sent.id);
  expect(after.openedAt).toBe(opened.openedAt);
  expect(after.clickedAt).toBe(new Date(Date.now() - HOUR).toISOString());
  const clicks = after.events.filter((e: { type: string; machine: boolean }) => e.type === "clicked" && !e.machine);
  expect(clicks).toHaveLength(2);
  expect(clicks[0].url).toContain("https://shop.example/lamps");
  expect(await told()).toHaveLength(2);
  const types = (await shop.full.get(`/v1/contacts/${ada.id}/timeline`)).body.items.map(
    (i: { type: string }) => i.type,
  );
  expect(types.filter((type: string) => type.startsWith("message_")).sort()).toEqual([
    "message_clicked",
    "message_opened",
    "message_sent",
  ]);
});

test("B9: 'view in browser' ties the browser as a click does, runs nothing of the mail, and a scanner sees it without a token", async () => {
  const html =
    '<html><body><p>Hello {{ contact.first_name }}</p><a href="https://shop.example/lamps">L</a></body></html>';
  const origins = ["https://shop.example"];
  const shop = await sendingShop({ consentMode: "opt_out", flushSeconds: 0 }, { html, origins });
  const ada = await subscriber(shop);
  const sent = await sendOne(shop, ada.key);
  travel(MINUTE);
  const body = await bodyOf(shop, sent.id);
  const url = linkIn(body.html, "v");
  // Templates take no such thing; what is there all the same does not run.
  const bad = body.html.replace("<p>", '<p onclick="steal()"><script>steal()</script>');
  await env.DB.prepare("update delivery_bodies set html = ? where shop = ?").bind(bad, shop.key).run();
  const scanned = await visit(url, { headers: { "user-agent": "Mozilla/5.0" } });
  expect(scanned.status).toBe(200);
  expect(await scanned.text()).not.toContain("/ff.js");
  const led = await visit(url);
  expect(led.status).toBe(302);
  const location = led.headers.get("location") ?? "";
  expect(location.startsWith(`${url}?ff_id=`)).toBe(true);
  const page = await visit(location);
  const shown = await page.text();
  expect(shown).toContain("Hello Ada");
  expect(shown).not.toMatch(/onclick|steal/);
  const nonce = /<script async nonce="([^"]+)" src="\/ff\.js\?shop=/.exec(shown)?.[1];
  expect(page.headers.get("content-security-policy")).toContain(`script-src 'nonce-${nonce}'`);
  const visitor = newVisitor();
  const events = [
    { type: "page_viewed", url },
    { type: "identified", url, data: { token: new URL(location).searchParams.get("ff_id") } },
  ];
  const from = (origin: string) => send(shop.domain, visitor, events, { headers: { origin } });
  expect((await from("https://elsewhere.example")).status).toBe(403);
  expect((await from("https://footfall.test")).status).toBe(204);
  await vi.waitFor(async () =>
    expect((await shop.full.get(`/v1/visitors?contactId=${ada.id}`)).body.items).toMatchObject([{ id: visitor }]),
  );
  expect((await detail(shop, sent.id)).openedAt).not.toBeNull();
});

test("E18, E21: the link of a cart mail restores that cart on another browser and says who it is", async () => {
  const html =
    '<html><body>{% for item in cart.items %}{{ item.title }}{% endfor %} <a href="{{ cart.url }}">Return</a></body></html>';
  const shop = await sendingShop({ appendUtm: false }, { html });
  const ada = await subscriber(shop);
  const checkoutUrl = "https://shop.example/checkouts/cn/abc/recover?key=secret-of-the-checkout";
  const cart = await shop.full.post("/v1/carts", {
    token: `cart-${crypto.randomUUID()}`,
    contactId: ada.id,
    checkoutUrl,
    value: { amount: 4_900, currency: "EUR" },
    items: [
      { productId: "1", variantId: "11", title: "Brass lamp", quantity: 2, price: { amount: 2_450, currency: "EUR" } },
    ],
  });
  const sent = await sendOne(shop, ada.key, { data: { cart: cart.body.token } });
  expect([sent.state, sent.reason]).toEqual(["sent", null]);
  const body = await bodyOf(shop, sent.id);
  expect(body.html).toContain("Brass lamp");
  expect(body.html).not.toContain("secret-of-the-checkout");
  travel(MINUTE);
  const target = new URL((await visit(linkIn(body.html, "c"))).headers.get("location") ?? "");
  expect(target.searchParams.get("key")).toBe("secret-of-the-checkout");
  expect(target.pathname).toBe("/checkouts/cn/abc/recover");
  expect(target.searchParams.get("ff_id")).not.toBeNull();
});

test("an order is credited once, to the message touched last within its window; refunds take it back, machines do not count", async () => {
  const shop = await sendingShop({ quietHours: null });
  const stored = await getShopOrThrow(env.DB, shop.key);
  const ada = await subscriber(shop, { phone: "+4915112346001" });
  const [mail, text, other] = [
    await sendOne(shop, ada.key),
    await sendOne(shop, ada.key, { channel: "sms" }),
    await sendOne(shop, ada.key),
  ];
  const buy = async (amount: number, more: Record<string, unknown> = {}) => {
    const made = await shop.full.post("/v1/orders", {
      externalId: crypto.randomUUID(),
      contactId: ada.id,
      total: { amount, currency: "USD" },
      ...more,
    });
    if (made.status !== 201) throw new Error(JSON.stringify(made.body));
    await reactAll(shop);
    await reactAll(shop);
    return String(made.body.id);
  };
  const credited = async (id: string) =>
    (await detail(shop, id)).orders.map((o: { orderId: string; touch: string; total: { amount: number } }) => [
      o.orderId,
      o.touch,
      o.total.amount,
    ]);

  travel(MINUTE);
  await visit(linkIn((await bodyOf(shop, other.id)).html, "o"), { headers: { "user-agent": "Mozilla/5.0" } });
  const first = await buy(1_000);
  expect([...(await credited(mail.id)), ...(await credited(text.id)), ...(await credited(other.id))]).toEqual([]);
  travel(MINUTE);
  await applyFeedback(
    env,
    stored,
    [{ type: "delivered", eventId: "d1", deliveryId: text.id, at: Date.now() }],
    Date.now(),
    "sms",
  );
  travel(MINUTE);
  const second = await buy(2_000);
  expect(await credited(text.id)).toEqual([[second, "delivered", 2_000]]);
  travel(MINUTE);
  await visit(linkIn((await bodyOf(shop, mail.id)).html, "c"));
  travel(SECOND);
  const third = await buy(3_000);
  expect(await credited(mail.id)).toEqual([[third, "clicked", 3_000]]);
  expect(await credited(text.id)).toEqual([[second, "delivered", 2_000]]);
  await env.DB.prepare("update orders set total = 500 where id = ?").bind(third).run();
  expect((await credited(mail.id))[0]?.[2]).toBe(500);
  travel(5 * DAY);
  await buy(4_000);
  expect(await credited(mail.id)).toHaveLength(1);
  expect(first).not.toBe(second);
});

test("what a message said is forgotten after the shop's own time, where its links lead later", async () => {
  const shop = await sendingShop({ messageBodyRetentionDays: 10 });
  const ada = await subscriber(shop);
  const sent = await sendOne(shop, ada.key);
  const body = await bodyOf(shop, sent.id);
  travel(10 * DAY + 1);
  await dropOldMessages(env.DB, Date.now());
  expect((await shop.full.get(`/v1/deliveries/${sent.id}/body`)).status).toBe(404);
  expect((await visit(linkIn(body.html, "v"), { headers: { "user-agent": "Mozilla/5.0" } })).status).toBe(410);
  expect((await visit(linkIn(body.html, "c"))).headers.get("location")).toContain("https://shop.example/lamps");
  travel(400 * DAY);
  await dropOldMessages(env.DB, Date.now());
  expect((await visit(linkIn(body.html, "c"))).headers.get("location")).toContain(`https://${shop.domain}/`);
});
