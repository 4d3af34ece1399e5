import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { applyFeedback, applyInbound } from "../../src/messages";
import { react } from "../../src/jobs/reactions";
import { getShopOrThrow } from "../../src/shops";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { DAY, HOUR, T0, travel, useFakeClock } from "../helpers/clock";
import { deliverWebhook } from "../helpers/webhook";
import * as bodies from "../shopify/bodies";
import {
  bodyOf,
  keyOf,
  linkIn,
  queue,
  type Sending,
  sendDue,
  sendingShop,
  sendOne,
  stateOf,
  subscriber,
  visit,
} from "./outbox";

useFakeClock();

const consentOf = async (shop: Sending, id: string, channel: string) =>
  (await shop.full.get(`/v1/contacts/${id}`)).body.consents[channel].state;

const suppressions = async (shop: Sending) =>
  (await shop.full.get("/v1/suppressions")).body.items.map(
    (s: { reason: string; class: string; channel: string; source: string }) =>
      [s.channel, s.reason, s.class, s.source].join(" "),
  );

const ONE_CLICK = { method: "POST", body: new URLSearchParams({ "List-Unsubscribe": "One-Click" }) };

test("marketing needs a subscription of that channel or the automation's own switch; receipts need none", async () => {
  const shop = await sendingShop();
  const outcome = async (consents: Record<string, unknown>, more: Record<string, unknown> = {}) => {
    const someone = await subscriber(shop, { consents });
    const { state, reason } = await sendOne(shop, someone.key, more);
    return reason ?? state;
  };
  expect(await outcome({ email: { state: "subscribed" } })).toBe("sent");
  expect(await outcome({})).toBe("not_subscribed");
  expect(await outcome({ sms: { state: "subscribed" } })).toBe("not_subscribed");
  expect(await outcome({ email: { state: "pending" } })).toBe("not_subscribed");
  expect(await outcome({ email: { state: "unsubscribed" } })).toBe("unsubscribed");
  expect(await outcome({ email: { state: "unsubscribed" } }, { class: "transactional" })).toBe("sent");
  expect(await outcome({}, { class: "transactional" })).toBe("sent");
});

test("D26 to D28: nothing is sent to a person without a contact point", async () => {
  const shop = await sendingShop({ quietHours: null });
  const phoneOnly = await subscriber(shop, { email: null, phone: "+4915112345000" });
  expect((await sendOne(shop, phoneOnly.key)).reason).toBe("no_address");
  expect((await sendOne(shop, phoneOnly.key, { channel: "sms" })).state).toBe("sent");
  expect((await sendOne(shop, null)).reason).toBe("no_contact");
  expect((await sendOne(shop, 999_999_999)).reason).toBe("no_contact");
  const trashed = await subscriber(shop);
  await shop.full.delete(`/v1/contacts/${trashed.id}`);
  expect((await sendOne(shop, trashed.key)).reason).toBe("no_contact");
  const other = await sendingShop();
  const stranger = await subscriber(other);
  expect((await sendOne(shop, stranger.key)).reason).toBe("no_contact");
});

test("14: a GET, a HEAD and a prefetch of the unsubscribe link change nothing; a POST does, as often as it comes", async () => {
  const shop = await sendingShop();
  const ada = await subscriber(shop);
  const sent = await sendOne(shop, ada.key);
  const url = linkIn((await bodyOf(shop, sent.id)).text, "u");
  expect(url).not.toContain(ada.email.split("@")[0]);
  for (const init of [{}, { method: "HEAD" }, { headers: { "sec-purpose": "prefetch" } }]) {
    const page = await visit(url, init);
    expect(page.status).toBe(200);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page.headers.get("cache-control")).toBe("no-store");
  }
  const page = await (await visit(url)).text();
  expect(page).toContain('<form method="post">');
  expect(page).not.toContain(ada.email);
  expect(await consentOf(shop, ada.id, "email")).toBe("subscribed");
  expect(await suppressions(shop)).toEqual([]);

  for (let i = 0; i < 2; i++) {
    const left = await visit(url, { ...ONE_CLICK, headers: { "user-agent": "" } });
    expect([left.status, left.headers.get("set-cookie")]).toEqual([200, null]);
  }
  expect(await consentOf(shop, ada.id, "email")).toBe("unsubscribed");
  expect(await suppressions(shop)).toEqual(["email UNSUBSCRIBE marketing one_click"]);
  expect((await sendOne(shop, ada.key)).reason).toBe("unsubscribed");
  expect((await sendOne(shop, ada.key, { class: "transactional" })).state).toBe("sent");
  expect((await shop.full.get(`/v1/deliveries/${sent.id}`)).body.unsubscribedAt).not.toBeNull();
});

test("14: the one-click form also comes as multipart; any other body only shows the page", async () => {
  const shop = await sendingShop();
  const ada = await subscriber(shop);
  const url = linkIn((await bodyOf(shop, (await sendOne(shop, ada.key)).id)).text, "u");
  for (const body of [new URLSearchParams({ a: "b" }), new URLSearchParams({ "List-Unsubscribe": "one-click" })]) {
    expect((await visit(url, { method: "POST", body })).status).toBe(200);
  }
  expect((await visit(url, { method: "POST", body: "{" })).status).toBe(400);
  expect((await visit(url, { method: "DELETE" })).status).toBe(405);
  expect(await consentOf(shop, ada.id, "email")).toBe("subscribed");
  const form = new FormData();
  form.set("List-Unsubscribe", "One-Click");
  expect((await visit(url, { method: "POST", body: form })).status).toBe(200);
  expect(await consentOf(shop, ada.id, "email")).toBe("unsubscribed");
});

test("a link that was changed, or signed for another purpose, opens nothing", async () => {
  const shop = await sendingShop();
  const ada = await subscriber(shop);
  const text = (await bodyOf(shop, (await sendOne(shop, ada.key)).id)).text;
  const url = linkIn(text, "u");
  const token = url.split("/m/u/")[1] ?? "";
  const [delivery = "", signature = ""] = token.split(".");
  const other = (Number.parseInt(delivery, 36) + 1).toString(36);
  const forged = [
    `${other}.${signature}`,
    `${delivery}.${signature.slice(1)}A`,
    delivery,
    `${token}.x`,
    `${delivery}.0.${signature}`,
  ];
  for (const bad of forged) {
    expect((await visit(`https://footfall.test/m/u/${bad}`, ONE_CLICK)).status).toBe(404);
  }
  for (const purpose of ["p", "k", "v", "c"]) {
    expect((await visit(`https://footfall.test/m/${purpose}/${token}`)).status).toBe(404);
  }
  expect(await consentOf(shop, ada.id, "email")).toBe("subscribed");
});

test("the preference page changes channels one by one, joins only the one that its link came by, and leaves all at once", async () => {
  const shop = await sendingShop({ messageLanguage: "pt-BR" });
  const ada = await subscriber(shop, { phone: "+4915112345001" });
  const url = linkIn((await bodyOf(shop, (await sendOne(shop, ada.key)).id)).text, "p");
  expect(await (await visit(url)).text()).toContain('<html lang="pt">');
  const save = (fields: Record<string, string>) => visit(url, { method: "POST", body: new URLSearchParams(fields) });
  await save({ do: "save", email: "on", whatsapp: "on" });
  const states = async () =>
    Promise.all(["email", "sms", "whatsapp"].map((channel) => consentOf(shop, ada.id, channel)));
  expect(await states()).toEqual(["subscribed", "unsubscribed", "subscribed"]);
  travel(1_000);
  await save({ do: "leave" });
  expect(await states()).toEqual(["unsubscribed", "unsubscribed", "unsubscribed"]);
  travel(1_000);
  await save({ do: "save", email: "on", sms: "on", whatsapp: "on" });
  expect(await states()).toEqual(["subscribed", "unsubscribed", "unsubscribed"]);
  expect((await sendOne(shop, ada.key)).state).toBe("sent");
});

test("an address that only a browser has told gets one request to confirm, and everything once its owner confirms", async () => {
  const shop = await sendingShop({ consentMode: "opt_out", flushSeconds: 0 });
  const visitor = newVisitor();
  const email = `${crypto.randomUUID()}@claimed.example`;
  await send(shop.domain, visitor, [
    { type: "identified", url: "https://shop.example/", data: { email, consent: { email: true } } },
  ]);
  await objectOf(shop, visitor).flush();
  const [contact] = (await shop.full.get(`/v1/contacts?email=${email}`)).body.items;
  const key = await keyOf("contacts", contact.id);
  const { results } = await env.DB.prepare("select key from outbox where shop = ? and type = 'contact_created'")
    .bind(shop.key)
    .all<{ key: number }>();
  await react(
    env,
    shop.key,
    results.map((row) => row.key),
    Date.now(),
  );
  await sendDue(shop);
  for (const type of ["marketing", "transactional"] as const) {
    const { state, reason } = await sendOne(shop, key, { class: type });
    expect([state, reason]).toEqual(["skipped", "claimed_address"]);
  }
  const asked = async () => (await shop.full.get("/v1/deliveries?kind=opt_in")).body.items;
  expect((await asked()).map(({ state }: { state: string }) => state)).toEqual(["sent"]);
  const body = await bodyOf(shop, (await asked())[0].id);
  expect(body.html).not.toContain("/m/c/");

  // One in 24 hours, three ever, however often somebody types it.
  for (const wait of [12 * HOUR, 12 * HOUR + 1, DAY + 1, DAY + 1]) {
    travel(wait);
    await sendOne(shop, key);
    await sendDue(shop);
  }
  const states = (await asked()).map(({ state, reason }: { state: string; reason: string }) => reason ?? state);
  expect(states).toEqual(["opt_in_limit", "sent", "sent", "opt_in_limit", "sent"]);

  const url = linkIn(body.text, "k");
  expect((await visit(url)).status).toBe(200);
  expect(await consentOf(shop, contact.id, "email")).toBe("pending");
  await visit(url, { method: "POST", body: new URLSearchParams({ confirm: "yes" }) });
  const after = (await shop.full.get(`/v1/contacts/${contact.id}`)).body;
  expect(after.consents.email).toMatchObject({ state: "subscribed", level: "confirmed_opt_in" });
  expect((await sendOne(shop, key)).state).toBe("sent");
  travel(31 * DAY);
  expect((await visit(url, { method: "POST", body: new URLSearchParams({ confirm: "yes" }) })).status).toBe(410);
});

test("C15: an SMS gets its footer once, and is counted with it", async () => {
  const shop = await sendingShop({ quietHours: null, trackClicks: false });
  const ada = await subscriber(shop, { phone: "+4915112345002" });
  const plain = await sendOne(shop, ada.key, { channel: "sms" });
  expect((await bodyOf(shop, plain.id)).text).toMatch(/\nReply STOP to opt out$/);
  expect(plain.segments).toBe(1);
  const long = `${"x".repeat(150)} https://shop.example/`;
  const own = await sendingShop(
    { quietHours: null, messageLanguage: "fr" },
    { sms: "Soldes. Répondez ARRET pour ne plus recevoir" },
  );
  const bob = await subscriber(own, { phone: "+33612345678" });
  const french = await sendOne(own, bob.key, { channel: "sms" });
  expect((await bodyOf(own, french.id)).text.match(/ARRET/g)).toHaveLength(1);
  const two = await sendingShop({ quietHours: null, trackClicks: false, appendUtm: false }, { sms: long });
  const cid = await subscriber(two, { phone: "+4915112345003" });
  expect((await sendOne(two, cid.key, { channel: "sms" })).segments).toBe(2);
  const receipt = await sendOne(shop, ada.key, { channel: "sms", class: "transactional" });
  expect((await bodyOf(shop, receipt.id)).text).not.toContain("STOP");
});

test("C15: an inbound STOP unsubscribes once and is answered once, PARE and ARRÊT too; STOP PLEASE is an answer", async () => {
  const shop = await sendingShop({ quietHours: null });
  const stored = await getShopOrThrow(env.DB, shop.key);
  const words = ["STOP", " stop. ", "Pare!", "ARRÊT"];
  for (const [i, text] of words.entries()) {
    const from = `+49151123451${String(i).padStart(2, "0")}`;
    const someone = await subscriber(shop, { phone: from });
    const inbound = { channel: "sms" as const, from, text, at: Date.now(), id: `in-${i}` };
    expect((await applyInbound(env, stored, inbound, Date.now())).keyword).toBe("stop");
    await applyInbound(env, stored, inbound, Date.now());
    expect([text, await consentOf(shop, someone.id, "sms")]).toEqual([text, "unsubscribed"]);
    expect((await sendOne(shop, someone.key, { channel: "sms" })).reason).toBe("unsubscribed");
    expect((await sendOne(shop, someone.key, { channel: "sms", class: "transactional" })).state).toBe("sent");
  }
  const replies = (await shop.full.get("/v1/deliveries?kind=reply&limit=250")).body.items;
  expect(replies).toHaveLength(words.length);
  expect(replies.every(({ state }: { state: string }) => state === "sent")).toBe(true);

  const from = "+4915112345199";
  const ada = await subscriber(shop, { phone: from });
  const say = (text: string, id: string) =>
    applyInbound(env, stored, { channel: "sms", from, text, at: Date.now(), id }, Date.now());
  const sent = await sendOne(shop, ada.key, { channel: "sms" });
  travel(1_000);
  expect((await say("STOP PLEASE", "m1")).keyword).toBeNull();
  expect((await say("yes", "m2")).keyword).toBeNull();
  expect(await consentOf(shop, ada.id, "sms")).toBe("subscribed");
  expect((await shop.full.get(`/v1/deliveries/${sent.id}`)).body.repliedAt).not.toBeNull();
  travel(1_000);
  await say("Sair", "m3");
  expect(await consentOf(shop, ada.id, "whatsapp")).toBe("unsubscribed");
  travel(1_000);
  expect((await say("Yes", "m4")).keyword).toBe("start");
  expect(await consentOf(shop, ada.id, "sms")).toBe("subscribed");
  expect((await sendOne(shop, ada.key, { channel: "sms" })).state).toBe("sent");
  expect((await say("help", "m5")).keyword).toBe("help");
  // A number that is nobody's stays suppressed for whoever comes with it later.
  await applyInbound(
    env,
    stored,
    { channel: "sms", from: "+4915112345198", text: "stop", at: Date.now(), id: "m6" },
    Date.now(),
  );
  const late = await subscriber(shop, { phone: "+4915112345198", consents: {} });
  expect((await sendOne(shop, late.key, { channel: "sms" })).reason).toBe("suppressed");
});

test("bounces stop everything, complaints and a provider's opt-outs stop marketing, for the address and the contact", async () => {
  const shop = await sendingShop();
  const stored = await getShopOrThrow(env.DB, shop.key);
  const report = async (type: "bounced" | "complained" | "unsubscribed", more: Record<string, unknown> = {}) => {
    const someone = await subscriber(shop);
    const sent = await sendOne(shop, someone.key);
    travel(1_000);
    const told = { type, eventId: `${type}-${sent.id}`, providerId: sent.providerId, at: Date.now(), ...more };
    await applyFeedback(env, stored, [told, told], Date.now());
    await applyFeedback(env, stored, [told], Date.now());
    const state = await consentOf(shop, someone.id, "email");
    const after = [
      (await sendOne(shop, someone.key)).reason,
      (await sendOne(shop, someone.key, { class: "transactional" })).state,
    ];
    const { events } = (await shop.full.get(`/v1/deliveries/${sent.id}`)).body;
    return [...after, state, events.length];
  };
  expect(await report("bounced", { suppress: "HARD_BOUNCE" })).toEqual(["suppressed", "skipped", "subscribed", 1]);
  expect(await report("complained")).toEqual(["unsubscribed", "sent", "unsubscribed", 1]);
  expect(await report("unsubscribed")).toEqual(["unsubscribed", "sent", "unsubscribed", 1]);
});

test("suppressions outlive deletion, import and another contact; a new subscription lifts all but bounces", async () => {
  const shop = await sendingShop();
  const email = `${crypto.randomUUID()}@left.example`;
  const ada = await subscriber(shop, { email });
  const url = linkIn((await bodyOf(shop, (await sendOne(shop, ada.key)).id)).text, "u");
  await visit(url, ONE_CLICK);
  await shop.full.post(`/v1/contacts/${ada.id}/erase`, {});
  const gone = (await shop.full.get("/v1/suppressions")).body.items;
  expect(gone.map((s: { reason: string }) => s.reason).sort()).toEqual(["ERASED", "UNSUBSCRIBE"]);
  expect(gone.every((s: { address: string | null }) => s.address === null)).toBe(true);
  const again = await subscriber(shop, { email, consents: {} });
  expect((await sendOne(shop, again.key)).reason).toBe("suppressed");
  expect((await sendOne(shop, again.key, { class: "transactional" })).state).toBe("sent");
  const bounced = await shop.full.post("/v1/suppressions", {
    channel: "email",
    address: email.toUpperCase(),
    reason: "HARD_BOUNCE",
  });
  expect(bounced.body).toMatchObject({ class: "all", address: email, source: "api" });
  travel(1_000);
  await shop.full.patch(`/v1/contacts/${again.id}`, { consents: { email: { state: "subscribed" } } });
  expect(await suppressions(shop)).toEqual(["email HARD_BOUNCE all api"]);
  expect((await sendOne(shop, again.key)).reason).toBe("suppressed");
  expect((await shop.full.get(`/v1/suppressions/${bounced.body.id}`)).body.reason).toBe("HARD_BOUNCE");
  expect((await shop.full.delete(`/v1/suppressions/${bounced.body.id}`)).status).toBe(204);
  expect((await sendOne(shop, again.key)).state).toBe("sent");
  expect((await shop.full.post("/v1/suppressions", { channel: "email", address: "nobody" })).status).toBe(400);
  expect((await shop.full.post("/v1/suppressions", { channel: "sms", address: "0151 123" })).status).toBe(400);
  const other = await sendingShop();
  expect((await other.full.delete(`/v1/suppressions/${bounced.body.id}`)).status).toBe(404);
});

test("25: a later order does not subscribe again who has unsubscribed; a later decision in the shop does", async () => {
  const shop = await sendingShop();
  const email = `${crypto.randomUUID()}@orders.example`;
  const customer = { id: 881, email, phone: null, updated_at: bodies.iso(T0 - DAY) };
  const marketing = (state: string, at: number) => ({
    email_marketing_consent: { state, opt_in_level: "single_opt_in", consent_updated_at: bodies.iso(at) },
  });
  await deliverWebhook(
    shop.domain,
    "customers/create",
    bodies.customer({ ...customer, ...marketing("subscribed", T0 - DAY) }),
  );
  const [contact] = (await shop.full.get(`/v1/contacts?email=${email}`)).body.items;
  const key = await keyOf("contacts", contact.id);
  const url = linkIn((await bodyOf(shop, (await sendOne(shop, key)).id)).text, "u");
  await visit(url, ONE_CLICK);
  travel(HOUR);
  await deliverWebhook(
    shop.domain,
    "orders/create",
    bodies.order({
      id: 99_001,
      email,
      contact_email: email,
      buyer_accepts_marketing: true,
      customer: bodies.customer({ ...customer, ...marketing("subscribed", T0 - DAY) }),
    }),
  );
  expect((await sendOne(shop, key)).reason).toBe("unsubscribed");
  travel(HOUR);
  await deliverWebhook(
    shop.domain,
    "customers/update",
    bodies.customer({
      ...customer,
      updated_at: bodies.iso(Date.now()),
      ...marketing("subscribed", Date.now() - 1_000),
    }),
  );
  expect((await sendOne(shop, key)).state).toBe("sent");
});

test("C14: a phone number's default lets marketing through only while the shop's setting says so, and never against a decision", async () => {
  const shop = await sendingShop({ quietHours: null });
  const [assumed, left] = [
    await subscriber(shop, { phone: "+4915112345301", consents: {} }),
    await subscriber(shop, { phone: "+4915112345302", consents: { sms: { state: "unsubscribed" } } }),
  ];
  expect((await sendOne(shop, assumed.key, { channel: "sms" })).state).toBe("sent");
  expect((await sendOne(shop, left.key, { channel: "sms" })).reason).toBe("unsubscribed");
  const strict = await sendingShop({ quietHours: null, phoneImpliesSubscribed: false });
  const nobody = await subscriber(strict, { phone: "+4915112345303", consents: {} });
  expect((await sendOne(strict, nobody.key, { channel: "sms" })).reason).toBe("not_subscribed");
});

test("merging keeps the strictest word, and the loser's messages show on the survivor's timeline", async () => {
  const shop = await sendingShop();
  const [winner, loser] = [await subscriber(shop), await subscriber(shop)];
  const sent = await sendOne(shop, loser.key);
  await visit(linkIn((await bodyOf(shop, sent.id)).text, "u"), ONE_CLICK);
  await shop.full.post(`/v1/contacts/${winner.id}/merge`, { from: loser.id });
  expect((await sendOne(shop, winner.key)).reason).toBe("unsubscribed");
  const types = (await shop.full.get(`/v1/contacts/${winner.id}/timeline`)).body.items.map(
    (i: { type: string }) => i.type,
  );
  expect(types).toEqual(expect.arrayContaining(["message_sent", "message_unsubscribed"]));
  expect(
    (await shop.full.get(`/v1/deliveries?contactId=${loser.id}`)).body.items.map((d: { id: string }) => d.id),
  ).toContain(sent.id);
});

test("an erased person's messages keep their figures and nothing else", async () => {
  const shop = await sendingShop();
  const ada = await subscriber(shop, { firstName: "Erasable" });
  const sent = await sendOne(shop, ada.key);
  const waiting = await queue(shop, ada.key, { dueAt: Date.now() + DAY });
  const exported = await shop.full.post(`/v1/contacts/${ada.id}/export`, {});
  expect(exported.body.messages[1]).toMatchObject({ id: sent.id, subject: "News", state: "sent" });
  expect(exported.body.messages[1].text).toContain("Erasable");
  await shop.full.post(`/v1/contacts/${ada.id}/erase`, {});
  const after = (await shop.full.get(`/v1/deliveries/${sent.id}`)).body;
  expect(after).toMatchObject({ state: "sent", contactId: null });
  expect((await shop.full.get(`/v1/deliveries/${sent.id}/body`)).status).toBe(404);
  expect(await stateOf(shop, waiting)).toEqual(["skipped", "no_contact"]);
  const { results } = await env.DB.prepare("select * from delivery_bodies where shop = ?").bind(shop.key).all();
  expect(results).toEqual([]);
});
