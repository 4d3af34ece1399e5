import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { identitySecret } from "../../src/identity/secrets";
import { hex, hmac } from "../../src/lib/crypto";
import { findShop } from "../../src/shops";
import { linkVisitor } from "../../src/visitor";
import { type MintedShop, mintShop } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { DAY, MINUTE, T0, travel, useFakeClock } from "../helpers/clock";

useFakeClock();

const page = (path: string) => ({ type: "page_viewed", url: `https://acme.example${path}` });
const identified = (data: Record<string, unknown>) => ({ type: "identified", data });
const address = () => `p${crypto.randomUUID().slice(0, 8)}@example.com`;

async function rows<T = Record<string, unknown>>(text: string, ...values: unknown[]): Promise<T[]> {
  return (
    await env.DB.prepare(text)
      .bind(...values)
      .all<T>()
  ).results;
}

async function say(shop: MintedShop, visitor: string, ...events: { type: string; data?: Record<string, unknown> }[]) {
  const response = await send(shop.domain, visitor, events);
  expect(response.status).toBe(204);
  expect(await response.text()).toBe("");
  expect(await objectOf(shop, visitor).flush()).toBe(true);
}

describe("a visitor becomes a contact", () => {
  it("A2, A3, A4, A19: with every earlier event at its own time, once", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    const email = address();
    await send(shop.domain, visitor, [
      { ...page("/?utm_source=instagram&utm_campaign=autumn"), referrer: "https://instagram.com/" },
    ]);
    for (let i = 1; i < 7; i++) {
      travel(MINUTE);
      await send(shop.domain, visitor, [page(`/${i}`)]);
    }
    travel(MINUTE);
    await send(shop.domain, visitor, [
      { type: "cart_updated", data: { token: crypto.randomUUID(), lines: [{ title: "Mug" }] } },
    ]);
    const contactsBefore = await shop.full.get("/v1/contacts");
    expect(contactsBefore.body.items).toHaveLength(0);
    expect((await shop.full.get(`/v1/visitors/${visitor}`)).body).toMatchObject({ contactId: null });
    expect((await shop.full.get("/v1/visitors")).body.items).toHaveLength(1);

    travel(MINUTE);
    await say(shop, visitor, identified({ email: ` ${email.toUpperCase()} ` }));
    travel(MINUTE);
    await say(shop, visitor, identified({ email }));

    const contacts = (await shop.full.get("/v1/contacts")).body.items;
    expect(contacts).toHaveLength(1);
    expect(contacts[0]).toMatchObject({ email, source: "Website", lifecycle: { stage: "lead", status: null } });
    expect((await shop.full.get("/v1/visitors")).body.items).toHaveLength(0);
    const seen = (await shop.full.get(`/v1/visitors/${visitor}`)).body;
    expect(seen).toMatchObject({
      contactId: contacts[0].id,
      firstTouch: { source: "instagram", campaign: "autumn", channel: "organic_social" },
    });
    const timeline = (await shop.full.get(`/v1/contacts/${contacts[0].id}/timeline`)).body.items;
    const views = timeline.filter((item: { type: string }) => item.type === "page_viewed");
    expect(views.map((item: { at: string }) => Date.parse(item.at))).toEqual(
      [6, 5, 4, 3, 2, 1, 0].map((m) => T0 + m * MINUTE),
    );
    const [cart] = await rows("select contact from carts where shop = ?", shop.key);
    expect(cart?.["contact"]).not.toBeNull();
    expect(await rows("select * from identities where shop = ?", shop.key)).toHaveLength(1);
  });

  it("A19: the existing contact survives, whatever its visitor did before", async () => {
    const shop = await mintShop();
    const email = address();
    const made = await shop.full.post("/v1/contacts", { email, firstName: "Ada" });
    const visitor = newVisitor();
    await say(shop, visitor, page("/"), identified({ email, firstName: "Mallory" }));
    const after = (await shop.full.get(`/v1/contacts/${made.body.id}`)).body;
    expect(after).toMatchObject({ id: made.body.id, firstName: "Ada", source: "API" });
    expect((await shop.full.get(`/v1/visitors/${visitor}`)).body.contactId).toBe(made.body.id);
  });

  it("identifies by phone in E.164, read in the visitor's country", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    await say(shop, visitor, identified({ phone: "030 901820" }));
    expect((await shop.full.get(`/v1/contacts?phone=${encodeURIComponent("+4930901820")}`)).body.items).toHaveLength(1);
  });

  it("a customer id counts only when the shop signed it", async () => {
    const shop = await mintShop();
    const made = await shop.full.post("/v1/contacts", { email: address(), shopifyCustomerId: "7001" });
    const [unsigned, forged, signed] = [newVisitor(), newVisitor(), newVisitor()];
    const secret = await identitySecret(env.ENCRYPTION_KEY, shop.id);
    const signature = hex(await hmac(secret, "7001"));
    await say(shop, unsigned, identified({ customerId: "7001" }));
    await say(
      shop,
      forged,
      identified({ customerId: "7001", signature: signature.replace(/./, (c) => (c === "0" ? "1" : "0")) }),
    );
    await say(shop, signed, identified({ customerId: 7001, signature }));
    const linked = async (v: string) => (await shop.full.get(`/v1/visitors/${v}`)).body.contactId;
    expect([await linked(unsigned), await linked(forged), await linked(signed)]).toEqual([null, null, made.body.id]);
  });

  it("B9: a link token ties the browser, five at most, never one that has a person", async () => {
    const shop = await mintShop();
    const made = await shop.full.post("/v1/contacts", { email: address() });
    const link = await shop.full.post(`/v1/contacts/${made.body.id}/link-token`, {});
    const linked = async (v: string) => (await shop.full.get(`/v1/visitors/${v}`)).body.contactId;
    const visitors = Array.from({ length: 6 }, newVisitor);
    for (const v of visitors) await say(shop, v, page("/"), identified({ token: link.body.token }));
    const answers = [];
    for (const v of visitors) answers.push(await linked(v));
    expect(answers).toEqual([...Array.from({ length: 5 }, () => made.body.id), null]);

    const other = newVisitor();
    await say(shop, other, identified({ email: address() }));
    const before = await linked(other);
    const fresh = await shop.full.post(`/v1/contacts/${made.body.id}/link-token`, {});
    await say(shop, other, identified({ token: fresh.body.token }));
    expect(await linked(other)).toBe(before);

    travel(31 * DAY);
    const late = newVisitor();
    await say(shop, late, page("/"), identified({ token: fresh.body.token }));
    expect(await linked(late)).toBeNull();
    const elsewhere = await mintShop();
    const stranger = newVisitor();
    const valid = await shop.full.post(`/v1/contacts/${made.body.id}/link-token`, {});
    await say(elsewhere, stranger, page("/"), identified({ token: valid.body.token }));
    expect((await elsewhere.full.get(`/v1/visitors/${stranger}`)).body.contactId).toBeNull();
  });
});

describe("a second person on the same browser", () => {
  it("is another contact from that moment; earlier events stay; the first returns to theirs", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    const [ada, bob] = [address(), address()];
    await say(shop, visitor, page("/anonymous"), identified({ email: ada }), page("/ada"));
    travel(MINUTE);
    await say(shop, visitor, identified({ email: bob }), page("/bob"));
    travel(MINUTE);
    await say(shop, visitor, identified({ email: ada }), page("/ada-again"));
    const pagesOf = async (email: string) => {
      const [contact] = (await shop.full.get(`/v1/contacts?email=${email}`)).body.items;
      const timeline = (await shop.full.get(`/v1/contacts/${contact.id}/timeline`)).body.items;
      return timeline
        .filter((item: { type: string }) => item.type === "page_viewed")
        .map((item: { data: { url: string } }) => new URL(item.data.url).pathname)
        .toSorted();
    };
    expect(await pagesOf(ada)).toEqual(["/ada", "/ada-again", "/anonymous"]);
    expect(await pagesOf(bob)).toEqual(["/bob"]);
  });
});

describe("verified links through the object", () => {
  it("upgrade the same claim, start a new persona for somebody else, and never move what is linked", async () => {
    const shop = await mintShop();
    const parsed = await findShop(env.DB, shop.id);
    if (!parsed) throw new Error("no shop");
    const [a, b] = [address(), address()];
    const other = await shop.full.post("/v1/contacts", { email: b });
    const visitor = newVisitor();
    await say(shop, visitor, page("/"), identified({ email: a }));
    const [mine] = (await shop.full.get(`/v1/contacts?email=${a}`)).body.items;
    await linkVisitor(env, parsed, visitor, { contactId: mine.id });
    await linkVisitor(env, parsed, visitor, { contactId: other.body.id });
    await linkVisitor(env, parsed, visitor, { contactId: other.body.id });
    await say(shop, visitor, page("/after"));
    const found = await rows(
      "select person, contact, evidence from visitors where shop = ? and tracker = ? order by person",
      shop.key,
      visitor,
    );
    expect(found.map((r) => [r["person"], r["evidence"]])).toEqual([
      [1, "verified"],
      [2, "verified"],
    ]);
    expect((await shop.full.get(`/v1/visitors/${visitor}`)).body.contactId).toBe(other.body.id);
    expect((await shop.full.get(`/v1/visitors/${visitor}?person=1`)).body.contactId).toBe(mine.id);
  });
});

describe("a browser that a webhook has linked", () => {
  it("takes another e-mail for another person, and another identity of the contact for the same", async () => {
    const shop = await mintShop();
    const parsed = await findShop(env.DB, shop.id);
    if (!parsed) throw new Error("no shop");
    const [theirs, other] = [address(), address()];
    const made = await shop.full.post("/v1/contacts", { email: theirs, phone: "+4930901820" });
    const visitor = newVisitor();
    await say(shop, visitor, page("/"));
    await linkVisitor(env, parsed, visitor, { contactId: made.body.id });
    await say(shop, visitor, identified({ phone: "+4930901820" }), page("/same"));
    expect((await shop.full.get(`/v1/visitors/${visitor}`)).body).toMatchObject({ person: 1, contactId: made.body.id });
    await say(shop, visitor, identified({ email: other }), page("/other"));
    const seen = (await shop.full.get(`/v1/visitors/${visitor}`)).body;
    expect(seen.person).toBe(2);
    expect(seen.contactId).not.toBe(made.body.id);
  });
});

describe("somebody who knows an e-mail address gains nothing", () => {
  it("no answer tells, no field or consent changes, no contacts merge", async () => {
    const shop = await mintShop();
    const [victim, own] = [address(), address()];
    const made = await shop.full.post("/v1/contacts", { email: victim, firstName: "Ada", phone: "+4930901820" });
    const before = (await shop.full.get(`/v1/contacts/${made.body.id}`)).body;
    const attacker = newVisitor();
    const told = [
      identified({ email: victim, phone: "+49301111111", firstName: "Mallory", consent: { email: true, sms: true } }),
      identified({ email: own, phone: "+4930901820" }),
      identified({ phone: "+4930901820" }),
      { type: "checkout_completed", data: { email: victim, phone: "+4930901820", orderId: "1" } },
    ];
    for (const event of told) await say(shop, attacker, event);
    const after = (await shop.full.get(`/v1/contacts/${made.body.id}`)).body;
    expect({ ...after, updatedAt: null }).toEqual({ ...before, updatedAt: null });
    const others = (await shop.full.get("/v1/contacts")).body.items.filter(
      (c: { id: string }) => c.id !== made.body.id,
    );
    expect(others.map((c: { phone: string | null }) => c.phone)).toEqual([null]);
    expect(await rows("select * from contact_aliases where shop = ?", shop.key)).toHaveLength(0);
  });

  it("a claimed purchase does not settle the real person's cart on another device", async () => {
    const shop = await mintShop();
    const victim = address();
    const [theirs, attacker] = [newVisitor(), newVisitor()];
    const token = crypto.randomUUID();
    await say(shop, theirs, identified({ email: victim }), {
      type: "cart_updated",
      data: { token, lines: [{ title: "Mug" }] },
    });
    await say(
      shop,
      attacker,
      identified({ email: victim }),
      { type: "cart_updated", data: { token: crypto.randomUUID(), lines: [{}] } },
      { type: "checkout_completed" },
    );
    await say(
      shop,
      attacker,
      { type: "cart_updated", data: { token, lines: [] } },
      { type: "checkout_completed", data: { cartToken: token } },
    );
    const [cart] = await rows("select state, settled_at, items from carts where token = ?", token);
    expect(cart).toMatchObject({ state: "open", settled_at: null });
    expect(cart?.["items"]).toContain("Mug");
  });

  it("five identities per visitor a day, and a shop-wide limit that defers", async () => {
    const shop = await mintShop({ newContactsPerMinute: 8 });
    const one = newVisitor();
    for (let i = 0; i < 9; i++) await say(shop, one, identified({ email: address() }));
    const count = async () =>
      (await rows<{ n: number }>("select count(*) as n from contacts where shop = ?", shop.key))[0]?.n;
    expect(await count()).toBe(5);
    const more = Array.from({ length: 6 }, newVisitor);
    for (const v of more) {
      await send(shop.domain, v, [identified({ email: address() })]);
      await objectOf(shop, v).flush();
    }
    expect(await count()).toBe(8);
    travel(2 * MINUTE);
    for (const v of more) await objectOf(shop, v).flush();
    expect(await count()).toBe(11);
  });

  it("a claimed link is recorded and can be undone", async () => {
    const shop = await mintShop();
    const email = address();
    const made = await shop.full.post("/v1/contacts", { email });
    const visitor = newVisitor();
    await say(shop, visitor, page("/"), identified({ email }));
    const links = (await shop.full.get(`/v1/contacts/${made.body.id}/links`)).body.items;
    expect(links).toHaveLength(1);
    expect((await shop.full.delete(`/v1/contacts/${made.body.id}/links/${links[0].id}`)).status).toBe(204);
    expect((await shop.full.get(`/v1/visitors/${visitor}`)).body.contactId).toBeNull();
    expect(
      (await shop.full.get(`/v1/contacts/${made.body.id}/timeline`)).body.items.filter(
        (i: { type: string }) => i.type === "page_viewed",
      ),
    ).toHaveLength(0);
    await say(shop, visitor, page("/later"));
    expect((await shop.full.get(`/v1/visitors/${visitor}`)).body.contactId).toBeNull();
  });
});

describe("erasure", () => {
  it("forget() erases this browser and never a contact; late beacons store nothing", async () => {
    const shop = await mintShop();
    const visitor = newVisitor();
    const email = address();
    await say(shop, visitor, page("/"), identified({ email }), page("/b"));
    expect(
      (
        await send(shop.domain, visitor, [], {
          body: { consent: undefined, events: [{ type: "forget" }] },
          headers: { "sec-gpc": "1" },
        })
      ).status,
    ).toBe(204);
    const left = async () => [
      (await rows("select * from visitors where shop = ?", shop.key)).length,
      (await rows("select * from events where shop = ?", shop.key)).length,
      (await rows("select * from claims where shop = ?", shop.key)).length,
    ];
    expect(await left()).toEqual([0, 0, 0]);
    expect((await shop.full.get(`/v1/visitors/${visitor}`)).status).toBe(404);
    expect((await shop.full.get(`/v1/contacts?email=${email}`)).body.items).toHaveLength(1);
    expect((await send(shop.domain, visitor, [page("/late")])).status).toBe(204);
    await objectOf(shop, visitor).flush();
    expect(await left()).toEqual([0, 0, 0]);
  });
});
