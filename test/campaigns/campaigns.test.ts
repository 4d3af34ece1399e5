import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

import { continueCampaign, carryOutDue } from "../../src/campaigns/rest";
import { live, rows, settle, tagsOf } from "../automations/world";
import { mintShop } from "../helpers/api";
import { DAY, HOUR, MINUTE, SECOND, T0, travel, useFakeClock } from "../helpers/clock";
import { seedContact, seedOrder } from "../helpers/seed";
import { bodyOf, linkIn, type Sending, sendDue, sendingShop, subscriber, visit } from "../messages/outbox";

useFakeClock();

type Person = Awaited<ReturnType<typeof subscriber>>;

async function listOf(shop: Sending, people: { id: string }[]): Promise<string> {
  const { body } = await shop.full.post("/v1/lists", { name: `List ${crypto.randomUUID()}` });
  if (people.length > 0) {
    const contactIds = people.map(({ id }) => id);
    expect((await shop.full.post(`/v1/lists/${body.id}/members`, { action: "add", contactIds })).status).toBe(200);
  }
  return body.id;
}

async function templateOf(shop: Sending, subject: string): Promise<string> {
  const { body } = await shop.full.post("/v1/templates", {
    name: subject,
    channel: "email",
    subject,
    format: "html",
    body: '<p>Hello {{ contact.first_name }}</p><a href="https://shop.example/lamps">Lamps</a>',
  });
  return body.id;
}

async function campaignOf(shop: Sending, include: string[], more: Record<string, unknown> = {}) {
  const template = "variants" in more ? {} : { templateId: await templateOf(shop, "News") };
  const made = await shop.full.post("/v1/campaigns", { name: "News", channel: "email", include, ...template, ...more });
  expect([made.status, made.body.errors ?? null, made.body.state]).toEqual([201, null, "draft"]);
  return made.body;
}

const post = async (shop: Sending, campaign: { id: string }, action: string, status: number) => {
  const answer = await shop.full.post(`/v1/campaigns/${campaign.id}/${action}`);
  expect([action, answer.status, answer.body.detail ?? null]).toEqual([action, status, null]);
  return answer.body;
};

const progress = async (shop: Sending, campaign: { id: string }) =>
  (await shop.full.get(`/v1/campaigns/${campaign.id}/progress`)).body;

const results = async (shop: Sending, campaign: { id: string }) =>
  (await shop.full.get(`/v1/campaigns/${campaign.id}/results`)).body;

/** Contacts straight into D1, subscribed to e-mail and on a list. */
async function crowd(shop: Sending, list: string, count: number): Promise<Person[]> {
  const mark = crypto.randomUUID();
  const ours = `from contacts where shop = ?1 and email like ?2 || '%'`;
  await env.DB.batch([
    env.DB.prepare(
      `insert into contacts (shop, id, source, verified, stage, email, first_name, created_at, updated_at)
       select ?1, 'con_' || ?2 || value, 'API', 1, 'lead', ?2 || value || '@crowd.example', 'Ada', 0, 0 from json_each(?3)`,
    ).bind(shop.key, mark, JSON.stringify(Array.from({ length: count }, (_, i) => i))),
    env.DB.prepare(
      `insert into identities (shop, kind, value, contact, evidence, created_at)
       select shop, 'email', email, key, 'verified', 0 ${ours}`,
    ).bind(shop.key, mark),
    env.DB.prepare(
      `insert into consents (contact, shop, channel, state, basis, decided_at, updated_at)
       select key, shop, 'email', 'subscribed', 'api', 0, 0 ${ours}`,
    ).bind(shop.key, mark),
    env.DB.prepare(
      `insert into list_members (list, kind, subject, added_at)
       select (select key from lists where id = ?3), 'contact', key, 0 ${ours}`,
    ).bind(shop.key, mark, list),
  ]);
  return rows<Person>(`select id, email, key ${ours} order by key`, shop.key, mark);
}

test("D16: a segment minus exclusions; the estimate says who would get it and why others not, and so it comes", async () => {
  const shop = await sendingShop();
  const [ada, ben, left, silent, staff, bounced, claimed] = [
    await subscriber(shop, { tags: ["lamp"] }),
    await subscriber(shop, { tags: ["lamp"] }),
    await subscriber(shop, { tags: ["lamp"], consents: { email: { state: "unsubscribed" } } }),
    await subscriber(shop, { tags: ["lamp"], consents: { email: { state: "not_subscribed" } } }),
    await subscriber(shop, { tags: ["lamp"] }),
    await subscriber(shop, { tags: ["lamp"] }),
    await seedContact(shop.key, { email: "c@claims.example", verified: 0 }),
  ];
  const phone = (await shop.full.post("/v1/contacts", { phone: "+4915112345678", tags: ["lamp"] })).body;
  await shop.full.patch(`/v1/contacts/${claimed.id}`, { tags: ["lamp"] });
  await shop.full.post("/v1/suppressions", { channel: "email", address: bounced.email, reason: "USER_SUPPRESSED" });
  const segment = await shop.full.post("/v1/segments", {
    name: "Lamps",
    audience: "contacts",
    definition: { all: [{ field: "tags", op: "has_any", value: ["lamp"] }] },
  });
  const exclude = [await listOf(shop, [staff])];
  const campaign = await campaignOf(shop, [segment.body.id], { exclude });
  const { updateMembership } = await import("../../src/segments/rest");
  for (let i = 0; i < 5; i++) await updateMembership(env, shop.key, Date.now());
  const estimated = await post(shop, campaign, "estimate", 200);
  expect(estimated).toEqual({
    audience: 7,
    recipients: 2,
    holdout: 0,
    skipped: [
      { reason: "claimed_address", count: 1 },
      { reason: "no_address", count: 1 },
      { reason: "not_subscribed", count: 1 },
      { reason: "suppressed", count: 1 },
      { reason: "unsubscribed", count: 1 },
    ],
    exact: true,
    examined: 7,
    notReady: [],
  });
  expect((await shop.full.get("/v1/deliveries")).body.items).toEqual([]);
  expect((await post(shop, campaign, "send", 202)).state).toBe("sending");
  await sendDue(shop);
  expect(await progress(shop, campaign)).toEqual({
    state: "sent",
    audience: 7,
    queued: 0,
    sent: 2,
    skipped: 5,
    failed: 0,
    unknown: 0,
    reasons: estimated.skipped,
  });
  const { items } = (await shop.full.get(`/v1/deliveries?campaignId=${campaign.id}&state=sent`)).body;
  expect(items.map((one: { contactId: string }) => one.contactId).toSorted()).toEqual([ada.id, ben.id].toSorted());
  expect(items[0]).toMatchObject({ campaignId: campaign.id, class: "marketing", variant: "A", runId: null });
  const reasons = Object.fromEntries(
    (await shop.full.get(`/v1/deliveries?campaignId=${campaign.id}&state=skipped`)).body.items.map(
      (one: { contactId: string; reason: string }) => [one.contactId, one.reason],
    ),
  );
  expect(reasons).toEqual({
    [left.id]: "unsubscribed",
    [silent.id]: "not_subscribed",
    [bounced.id]: "suppressed",
    [claimed.id]: "claimed_address",
    [phone.id]: "no_address",
  });
  // Once sent it is sent.
  expect((await shop.full.post(`/v1/campaigns/${campaign.id}/send`)).status).toBe(409);
  expect((await bodyOf(shop, items[0].id)).links[0]).toContain("utm_campaign=");
});

test("whoever has had enough is named by the estimate and skipped by the sender; a campaign may lift its cap", async () => {
  const shop = await sendingShop({
    messageCaps: { email: { most: 1, hours: 24 }, sms: null, whatsapp: null, all: null },
  });
  const list = await listOf(shop, []);
  await crowd(shop, list, 2);
  const first = await campaignOf(shop, [list]);
  await post(shop, first, "send", 202);
  await sendDue(shop);
  travel(HOUR);
  const second = await campaignOf(shop, [list]);
  expect(await post(shop, second, "estimate", 200)).toMatchObject({
    recipients: 0,
    skipped: [{ reason: "frequency_cap", count: 2 }],
  });
  await post(shop, second, "send", 202);
  await sendDue(shop);
  expect(await progress(shop, second)).toMatchObject({ sent: 0, reasons: [{ reason: "frequency_cap", count: 2 }] });
  const free = await campaignOf(shop, [list], { cap: null });
  expect(await post(shop, free, "estimate", 200)).toMatchObject({ recipients: 2, skipped: [] });
  await post(shop, free, "send", 202);
  await sendDue(shop);
  expect(await progress(shop, free)).toMatchObject({ sent: 2 });
});

test("D16: a kill between or within pages of the snapshot loses and doubles nobody, from whichever cursor it goes on", async () => {
  const shop = await sendingShop();
  const list = await listOf(shop, []);
  await crowd(shop, list, 6_200);
  const campaign = await campaignOf(shop, [list], { holdout: 10 });
  const sending = await post(shop, campaign, "send", 202);
  // The first run takes ten pages of five hundred; the rest is left to the job.
  expect(sending.state).toBe("preparing");
  const job = { id: sending.jobId, shop: shop.key };
  const taken = async () =>
    (
      await rows<{ taken: number; people: number }>(
        "select count(*) as taken, count(distinct contact) as people from deliveries where shop = ?",
        shop.key,
      )
    )[0];
  expect(await taken()).toEqual({ taken: 5_000, people: 5_000 });
  const groups = async () =>
    rows("select contact, variant, due_at from deliveries where shop = ? order by contact", shop.key);
  const before = await groups();
  // The commit of a page that the killed run never heard of: the job stands at an old cursor, and takes those pages again.
  const [at] = await rows<{ cursor: string }>("select cursor from jobs where id = ?", job.id);
  const cursor = JSON.parse(at?.cursor ?? "{}");
  await env.DB.prepare("update jobs set cursor = ? where id = ?")
    .bind(JSON.stringify({ ...cursor, after: 0 }), job.id)
    .run();
  expect(await continueCampaign(env, job, Date.now())).toBe("more");
  expect(await groups()).toEqual(before);
  // Two runs at once.
  await Promise.all([continueCampaign(env, job, Date.now()), continueCampaign(env, job, Date.now())]);
  while ((await continueCampaign(env, job, Date.now())) !== "done");
  expect(await taken()).toEqual({ taken: 6_200, people: 6_200 });
  const { skipped, queued, state } = await progress(shop, campaign);
  expect([queued + skipped, state]).toEqual([6_200, "sending"]);
  expect(skipped).toBeGreaterThan(500);
  expect(skipped).toBeLessThan(740);
  expect((await shop.full.get(`/v1/jobs/${job.id}`)).body).toMatchObject({ kind: "campaigns.work", state: "done" });
});

test("D16: who joins or leaves after the snapshot changes nothing; a merge makes no second message", async () => {
  const shop = await sendingShop();
  const [ada, twin, late] = [await subscriber(shop), await subscriber(shop), await subscriber(shop)];
  const list = await listOf(shop, [ada, twin]);
  const campaign = await campaignOf(shop, [list], { perMinute: 1 });
  await post(shop, campaign, "send", 202);
  await shop.full.post(`/v1/lists/${list}/members`, { action: "add", contactIds: [late.id] });
  await shop.full.post(`/v1/lists/${list}/members`, { action: "remove", contactIds: [twin.id] });
  expect((await shop.full.post(`/v1/contacts/${ada.id}/merge`, { from: twin.id })).status).toBe(200);
  travel(5 * MINUTE);
  await sendDue(shop);
  expect(await progress(shop, campaign)).toMatchObject({ audience: 2, sent: 1, skipped: 1 });
});

test("throttled by the minute; a pause holds the queued at once, going on keeps the rate, cancelling ends it", async () => {
  const shop = await sendingShop();
  const list = await listOf(shop, []);
  await crowd(shop, list, 6);
  const campaign = await campaignOf(shop, [list], { perMinute: 2 });
  await post(shop, campaign, "send", 202);
  await sendDue(shop);
  expect(await progress(shop, campaign)).toMatchObject({ state: "sending", sent: 1, queued: 5 });
  travel(30 * SECOND);
  await sendDue(shop);
  expect((await progress(shop, campaign)).sent).toBe(2);
  expect((await post(shop, campaign, "pause", 200)).state).toBe("paused");
  travel(HOUR);
  await sendDue(shop);
  expect(await progress(shop, campaign)).toMatchObject({
    state: "paused",
    sent: 2,
    queued: 4,
    reasons: [{ reason: "paused", count: 4 }],
  });
  expect((await shop.full.post(`/v1/campaigns/${campaign.id}/pause`)).status).toBe(409);
  expect((await post(shop, campaign, "resume", 200)).state).toBe("sending");
  await sendDue(shop);
  expect((await progress(shop, campaign)).sent).toBe(3);
  travel(30 * SECOND);
  await sendDue(shop);
  expect((await progress(shop, campaign)).sent).toBe(4);
  expect((await shop.full.delete(`/v1/campaigns/${campaign.id}`)).status).toBe(409);
  expect((await post(shop, campaign, "cancel", 200)).state).toBe("cancelled");
  travel(HOUR);
  await sendDue(shop);
  expect(await progress(shop, campaign)).toMatchObject({
    sent: 4,
    skipped: 2,
    reasons: [{ reason: "campaign_cancelled", count: 2 }],
  });
  expect((await shop.full.post(`/v1/campaigns/${campaign.id}/resume`)).status).toBe(409);
  expect((await shop.full.delete(`/v1/campaigns/${campaign.id}`)).status).toBe(204);
  expect((await shop.full.get(`/v1/campaigns/${campaign.id}`)).status).toBe(404);
});

test("scheduled for a moment, and for an hour of each recipient's own day; templates are those of the sending", async () => {
  const shop = await sendingShop();
  const [paris, tokyo, home] = [
    await subscriber(shop, { address: { country: "FR" } }),
    await subscriber(shop, { address: { country: "JP" } }),
    await subscriber(shop),
  ];
  const list = await listOf(shop, [paris, tokyo, home]);
  const at = await campaignOf(shop, [list], { schedule: { type: "at", at: new Date(T0 + DAY).toISOString() } });
  expect((await post(shop, at, "send", 202)).state).toBe("scheduled");
  expect((await shop.full.patch(`/v1/campaigns/${at.id}`, { perMinute: 1 })).status).toBe(409);
  await shop.full.patch(`/v1/templates/${at.variants[0].templateId}`, { subject: "Changed" });
  travel(DAY - SECOND);
  await carryOutDue(env, shop.key, Date.now());
  expect((await progress(shop, at)).audience).toBe(0);
  travel(SECOND);
  await carryOutDue(env, shop.key, Date.now());
  await carryOutDue(env, shop.key, Date.now());
  await sendDue(shop);
  expect(await progress(shop, at)).toMatchObject({ state: "sent", sent: 3 });
  const [one] = (await shop.full.get(`/v1/deliveries?campaignId=${at.id}`)).body.items;
  expect((await bodyOf(shop, one.id)).subject).toBe("News");

  // 18 January 2035, 09:00: in Tokyo at 00:00 UTC, in Paris at 08:00.
  const local = await campaignOf(shop, [list], { schedule: { type: "local", at: "2035-01-18T09:00:00" } });
  expect((await post(shop, local, "send", 202)).dueAt).toBe("2035-01-17T19:00:00.000Z");
  travel(Date.UTC(2035, 0, 17, 19) - Date.now());
  await carryOutDue(env, shop.key, Date.now());
  const due = await rows<{ contact: number; due_at: number }>(
    "select contact, due_at from deliveries where campaign = (select key from campaigns where id = ?)",
    local.id,
  );
  const times = new Map(due.map(({ contact, due_at }) => [contact, new Date(due_at).toISOString()]));
  expect(times.get(tokyo.key)).toBe("2035-01-18T00:00:00.000Z");
  expect(times.get(paris.key)).toBe("2035-01-18T08:00:00.000Z");
  const unscheduled = await campaignOf(shop, [list], { schedule: { type: "at", at: "2036-01-01T00:00:00Z" } });
  await post(shop, unscheduled, "send", 202);
  expect((await post(shop, unscheduled, "cancel", 200)).state).toBe("draft");
});

test("results: exact counts, rates as fractions, credited orders per variant, refunds taken off, the holdout beside them", async () => {
  const shop = await sendingShop();
  const list = await listOf(shop, []);
  const many = await crowd(shop, list, 24);
  const [a, b] = [await templateOf(shop, "A"), await templateOf(shop, "B")];
  const campaign = await campaignOf(shop, [list], {
    variants: [
      { name: "long", templateId: a, weight: 1 },
      { name: "short", templateId: b, weight: 1 },
    ],
    holdout: 25,
  });
  await post(shop, campaign, "send", 202);
  await sendDue(shop);
  travel(HOUR);
  const { items } = (await shop.full.get(`/v1/deliveries?campaignId=${campaign.id}&limit=250`)).body;
  const of = (variant: string) => items.filter((one: { variant: string }) => one.variant === variant);
  const [long, short, held] = [of("long"), of("short"), of("holdout")];
  expect(long.length + short.length + held.length).toBe(24);
  expect([long.length > 3, short.length > 3, held.length > 0]).toEqual([true, true, true]);
  expect(new Set(held.map((one: { state: string; reason: string }) => `${one.state} ${one.reason}`))).toEqual(
    new Set(["skipped holdout"]),
  );
  // Three open, two of them click, one leaves, one comes back as undeliverable.
  const links = async (one: { id: string }) => {
    const { html } = await bodyOf(shop, one.id);
    return (kind: "o" | "c" | "u") => linkIn(html, kind);
  };
  for (const [i, one] of long.slice(0, 3).entries()) {
    const to = await links(one);
    await visit(to("o"));
    travel(SECOND);
    if (i < 2) await visit(to("c"));
    if (i === 2) {
      await visit(to("u"), {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: "List-Unsubscribe=One-Click",
      });
    }
  }
  const { applyFeedback } = await import("../../src/messages");
  const { findShop } = await import("../../src/shops");
  const owner = await findShop(env.DB, shop.key);
  if (!owner) throw new Error("no shop");
  await applyFeedback(
    env,
    owner,
    [{ type: "bounced", eventId: "b1", deliveryId: long[3].id, at: Date.now() }],
    Date.now(),
  );
  travel(MINUTE);
  const keyOf = (one: { contactId: string }) => many.find(({ id }) => id === one.contactId)?.key ?? 0;
  const bought = async (one: { contactId: string }, total: number) =>
    seedOrder(shop.key, { contact: keyOf(one), currency: "USD", total });
  const orders = [await bought(long[0], 3000), await bought(long[0], 1000), await bought(long[1], 2000)];
  await bought(held[0], 500);
  const { creditOrders } = await import("../../src/messages/credit");
  await env.DB.batch(
    creditOrders(
      env.DB,
      owner,
      orders.map(({ id }) => id),
      Date.now(),
    ),
  );
  await env.DB.prepare("update orders set total = 500 where key = ?")
    .bind(orders[2]?.key ?? 0)
    .run();
  const told = await results(shop, campaign);
  const n = long.length;
  expect(told.variants[0]).toMatchObject({
    name: "long",
    recipients: n,
    delivered: n - 1,
    deliveryRate: (n - 1) / n,
    opensUnique: 3,
    openRate: 3 / (n - 1),
    clicks: 2,
    clicksUnique: 2,
    clickRate: 2 / (n - 1),
    clickToOpenRate: 2 / 3,
    bounced: 1,
    bounceRate: 1 / n,
    failed: 0,
    spamComplaints: 0,
    unsubscribeUniques: 1,
    conversions: 3,
    conversionUniques: 2,
    conversionRate: 2 / (n - 1),
    conversionValue: { amount: 4500, currency: "USD" },
    averageOrderValue: { amount: 1500, currency: "USD" },
    revenuePerRecipient: 4500 / n,
    purchases: { people: n, buyers: 2, buyerRate: 2 / n, orders: 3, revenue: { amount: 4500, currency: "USD" } },
  });
  expect(told.variants[1]).toMatchObject({
    name: "short",
    opens: 0,
    openRate: 0,
    clickToOpenRate: null,
    conversions: 0,
  });
  expect(told).toMatchObject({ recipients: n + short.length, opensUnique: 3, conversions: 3, hours: 120 });
  expect(told.holdout).toMatchObject({
    people: held.length,
    buyers: 1,
    orders: 1,
    revenue: { amount: 500, currency: "USD" },
  });
});

test("the variant that did better in the test goes to everybody else, and nobody gets both", async () => {
  const shop = await sendingShop();
  const list = await listOf(shop, []);
  await crowd(shop, list, 24);
  const [a, b] = [await templateOf(shop, "A"), await templateOf(shop, "B")];
  const campaign = await campaignOf(shop, [list], {
    variants: [
      { name: "a", templateId: a },
      { name: "b", templateId: b },
    ],
    test: { percent: 40, by: "open_rate", afterHours: 4 },
  });
  await post(shop, campaign, "send", 202);
  await sendDue(shop);
  const { sent, queued } = await progress(shop, campaign);
  expect([sent + queued, sent > 2, queued > 5]).toEqual([24, true, true]);
  travel(HOUR);
  const { items } = (await shop.full.get(`/v1/deliveries?campaignId=${campaign.id}&state=sent`)).body;
  const opened = items.find((one: { variant: string }) => one.variant === "b");
  await visit(linkIn((await bodyOf(shop, opened.id)).html, "o"));
  travel(4 * HOUR);
  // Before the winner is known nothing goes to them, even though their time has come.
  await sendDue(shop);
  expect((await progress(shop, campaign)).sent).toBe(sent);
  await carryOutDue(env, shop.key, Date.now());
  await carryOutDue(env, shop.key, Date.now());
  await sendDue(shop);
  expect(await progress(shop, campaign)).toMatchObject({ state: "sent", sent: 24, queued: 0 });
  expect((await shop.full.get(`/v1/campaigns/${campaign.id}`)).body).toMatchObject({ winner: "b" });
  const people24 = await rows("select distinct contact from deliveries where shop = ? and state = 'sent'", shop.key);
  expect(people24).toHaveLength(24);
  const told = await results(shop, campaign);
  expect(told.variants[1].recipients).toBeGreaterThan(queued);
  expect(told.variants.map((one: { isWinner: boolean }) => one.isWinner)).toEqual([false, true]);
});

test("an automation starts with what became of one campaign's messages, and with no other's", async () => {
  const shop = await sendingShop();
  const ada = await subscriber(shop);
  const list = await listOf(shop, [ada]);
  const [one, other] = [await campaignOf(shop, [list]), await campaignOf(shop, [list])];
  const tag = (campaign: { id: string }, name: string) =>
    live(shop, {
      triggers: [{ type: "message", event: "sent", campaign: campaign.id }],
      steps: [{ id: "tag", type: "add_tag", tag: name }],
    });
  await tag(one, "one");
  await tag(other, "other");
  travel(SECOND);
  await post(shop, one, "send", 202);
  await sendDue(shop);
  await settle(shop);
  expect(await tagsOf(shop, ada)).toEqual(["one"]);
});

test("a campaign names only what is there and fits; another shop's is nothing", async () => {
  const shop = await sendingShop();
  const other = await mintShop();
  const list = await listOf(shop, []);
  const templateId = await templateOf(shop, "News");
  const base = { name: "N", channel: "email", include: [list], templateId };
  const wrong: [number, string, Record<string, unknown>][] = [
    [400, "/include", { include: [] }],
    [422, "/include/0", { include: ["seg_x"] }],
    [422, "/exclude/0", { exclude: ["lst_x"] }],
    [422, "/variants/0/templateId", { templateId: "tpl_x" }],
    [422, "/variants/0/templateId", { channel: "sms" }],
    [422, "/senderId", { senderId: shop.senders["sms"] }],
    [400, "/templateId", { templateId: undefined }],
    [400, "/templateId", { variants: [{ name: "a", templateId }] }],
    [400, "/schedule/at", { schedule: { type: "at", at: "tomorrow" } }],
    [400, "/holdout", { holdout: 99 }],
    [400, "/test", { test: { percent: 20, by: "open_rate", afterHours: 1 } }],
    [
      400,
      "/variants/1/name",
      {
        templateId: undefined,
        variants: [
          { name: "a", templateId },
          { name: "a", templateId },
        ],
      },
    ],
  ];
  for (const [status, pointer, more] of wrong) {
    const answer = await shop.full.post("/v1/campaigns", { ...base, ...more });
    expect([pointer, answer.status, answer.body.errors?.[0]?.pointer]).toEqual([pointer, status, pointer]);
  }
  const made = (await shop.full.post("/v1/campaigns", base)).body;
  expect((await shop.full.patch(`/v1/campaigns/${made.id}`, { name: "M", perMinute: 10 })).body).toMatchObject({
    name: "M",
    perMinute: 10,
  });
  for (const path of ["", "/progress", "/results"]) {
    expect((await other.full.get(`/v1/campaigns/${made.id}${path}`)).status).toBe(404);
  }
  for (const action of ["estimate", "send", "pause", "resume", "cancel"]) {
    expect((await other.full.post(`/v1/campaigns/${made.id}/${action}`)).status).toBe(404);
  }
  expect((await other.full.patch(`/v1/campaigns/${made.id}`, { name: "x" })).status).toBe(404);
  expect((await other.full.delete(`/v1/campaigns/${made.id}`)).status).toBe(404);
  expect((await other.full.get("/v1/campaigns")).body.items).toEqual([]);
  expect((await shop.full.get("/v1/campaigns")).body.items).toHaveLength(1);
  // What it names went in the meantime: it fails, says so, and nobody gets anything.
  const later = await campaignOf(shop, [list], { schedule: { type: "at", at: new Date(T0 + HOUR).toISOString() } });
  await post(shop, later, "send", 202);
  await shop.full.delete(`/v1/lists/${list}`);
  travel(HOUR);
  await carryOutDue(env, shop.key, Date.now());
  expect((await shop.full.get(`/v1/campaigns/${later.id}`)).body).toMatchObject({ state: "failed" });
});
