import { env, exports } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { expect, it } from "vitest";

import { resealSecrets } from "../../src/jobs/reseal";
import { senderFor } from "../../src/senders";
import { api, mintShop, operator } from "../helpers/api";
import { SECOND, T0, useFakeClock } from "../helpers/clock";
import { accountAt, mailPorts, standIns, taken, unique } from "../helpers/providers";

useFakeClock();

const PATH = "/v1/senders";

/** A sender that lacks nothing. */
function resend(more: Record<string, unknown> = {}) {
  return {
    channel: "email",
    provider: "resend",
    from: { address: "shop@acme.example", name: "Acme" },
    postalAddress: "Acme, 1 Main Street, Springfield",
    credentials: { apiKey: "re_secret_of_acme", webhookSecret: "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODk=" },
    ...more,
  };
}

it("senders are made, read, changed and deleted; credentials are sealed and never told", async () => {
  const shop = await mintShop();
  const made = await shop.full.post(PATH, resend({ replyTo: "help@acme.example", perMinute: 100 }));
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  expect(made.body).toMatchObject({
    shopId: shop.id,
    channel: "email",
    provider: "resend",
    name: "Acme",
    from: { address: "shop@acme.example", name: "Acme" },
    replyTo: "help@acme.example",
    classes: ["marketing", "transactional"],
    default: true,
    credentialNames: ["apiKey", "webhookSecret"],
    feedbackUrl: `https://footfall.test/feedback/resend/${made.body.id}`,
    perMinute: 100,
  });
  const read = await shop.readOnly.get(`${PATH}/${made.body.id}`);
  expect(read.body).toEqual(made.body);
  expect(JSON.stringify([made.body, (await shop.full.get(PATH)).body])).not.toContain("re_secret");
  const row = await env.DB.prepare("select * from senders where id = ?").bind(made.body.id).first();
  expect(JSON.stringify(row)).not.toContain("re_secret");
  const { results: audited } = await env.DB.prepare("select * from audit_log where subject = ?")
    .bind(made.body.id)
    .all();
  expect(JSON.stringify(audited)).not.toContain("re_secret");
  expect(audited).toHaveLength(1);
  const changed = await shop.full.patch(`${PATH}/${made.body.id}`, {
    name: "Orders",
    classes: ["transactional"],
    postalAddress: null,
    credentials: { apiKey: "re_another" },
  });
  expect(changed.body).toMatchObject({ name: "Orders", classes: ["transactional"], credentialNames: ["apiKey"] });
  expect((await shop.full.delete(`${PATH}/${made.body.id}`)).status).toBe(204);
  expect((await shop.full.get(`${PATH}/${made.body.id}`)).status).toBe(404);
  expect((await env.DB.prepare("select 1 from senders where id = ?").bind(made.body.id).all()).results).toEqual([]);
});

it("what does not fit together is refused, with where and why", async () => {
  const shop = await mintShop();
  const account = { accountId: "a", apiToken: "t" };
  const cases: [input: Record<string, unknown>, pointer: string][] = [
    [resend({ provider: "cloudflare", credentials: account, classes: ["marketing"] }), "/classes"],
    [resend({ postalAddress: null }), "/postalAddress"],
    [resend({ channel: "sms" }), "/channel"],
    [resend({ from: { address: "Acme" } }), "/from/address"],
    [resend({ credentials: {} }), "/credentials/apiKey"],
    [resend({ credentials: { apiKey: "re_1", authToken: "x" } }), "/credentials"],
    [resend({ credentials: { apiKey: "re_1\r\nX-Evil: 1" } }), "/credentials/apiKey"],
    [resend({ baseUrl: "http://10.0.0.1" }), "/baseUrl"],
    [resend({ provider: "smtp", credentials: { host: "smtp.acme.example", port: "25" } }), "/credentials/host"],
    [resend({ provider: "smtp", credentials: { host: "169.254.169.254", port: "587" } }), "/credentials/host"],
    [resend({ provider: "sendmail" }), "/provider"],
    [resend({ dkimSelectors: ["a b"] }), "/dkimSelectors/0"],
  ];
  for (const [input, pointer] of cases) {
    const answer = await shop.full.post(PATH, input);
    expect(answer.status, pointer).toBe(400);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  }
  const cloudflare = await shop.full.post(PATH, resend({ provider: "cloudflare", credentials: account }));
  expect(cloudflare.body).toMatchObject({ classes: ["transactional"] });
  const marketing = await shop.full.patch(`${PATH}/${cloudflare.body.id}`, { classes: ["marketing", "transactional"] });
  expect(marketing.status).toBe(400);
  expect(marketing.body.detail).toContain("cloudflare takes transactional messages alone");
});

it("one sender is a channel's default; a message goes by it, or by one that may carry its class", async () => {
  const shop = await mintShop();
  const first = (await shop.full.post(PATH, resend())).body;
  const orders = (await shop.full.post(PATH, resend({ classes: ["transactional"] }))).body;
  expect([first.default, orders.default]).toEqual([true, false]);
  const chosen = async (of: "marketing" | "transactional") => (await senderFor(env, shop.key, "email", of))?.id;
  expect(await chosen("transactional")).toBe(first.id);
  await shop.full.patch(`${PATH}/${orders.id}`, { default: true });
  expect((await shop.full.get(`${PATH}/${first.id}`)).body.default).toBe(false);
  expect([await chosen("marketing"), await chosen("transactional")]).toEqual([first.id, orders.id]);
  const key = await env.DB.prepare("select key from senders where id = ?").bind(first.id).first<number>("key");
  expect((await senderFor(env, shop.key, "email", "transactional", key))?.id).toBe(first.id);
  expect(await senderFor(env, shop.key, "sms", "marketing")).toBeNull();
  expect(await senderFor(env, (await mintShop()).key, "email", "marketing")).toBeNull();
});

it("a channel without a sender gets one that sends nothing, where that is set; a real one takes its place", async () => {
  const shop = await mintShop();
  const local = { ...env, DEVELOPMENT_SENDER: "on" };
  const found = await Promise.all([1, 2].map(() => senderFor(local, shop.key, "email", "marketing")));
  expect(found[0]).toMatchObject({ provider: "development", from: { address: `shop@${shop.domain}` } });
  expect(found[1]?.key).toBe(found[0]?.key);
  expect((await senderFor(local, shop.key, "whatsapp", "marketing"))?.provider).toBe("development");
  const real = (await shop.full.post(PATH, resend())).body;
  expect(real.default).toBe(true);
  expect((await senderFor(local, shop.key, "email", "marketing"))?.id).toBe(real.id);
});

it("lists go by pages, newest first, and every route refuses no key, a wrong scope and another shop's sender", async () => {
  const [shop, other] = [await mintShop(), await mintShop()];
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) ids.unshift((await shop.full.post(PATH, resend())).body.id);
  const first = await shop.readOnly.get(`${PATH}?limit=2`);
  const second = await operator.get(`${PATH}?limit=2&shop=${shop.domain}&cursor=${first.body.nextCursor}`);
  expect([...first.body.items, ...second.body.items].map(({ id }) => id)).toEqual(ids);
  const one = `${PATH}/${ids[0]}`;
  const routes: [method: string, path: string, body?: unknown][] = [
    ["POST", PATH, resend()],
    ["GET", PATH],
    ["GET", one],
    ["PATCH", one, { name: "Mine" }],
    ["POST", `${one}/test`, { to: "me@acme.example" }],
    ["GET", `${one}/domain`],
    ["DELETE", one],
  ];
  for (const [method, path, body] of routes) {
    expect((await api(null).request(method, path, body)).status, `${method} ${path}`).toBe(401);
    const wrong = method === "GET" ? shop.writeOnly : shop.readOnly;
    expect((await wrong.request(method, path, body)).status, `${method} ${path}`).toBe(403);
    if (path !== PATH) expect((await other.full.request(method, path, body)).status, `${method} ${path}`).toBe(404);
  }
});

it("a test goes out now and tells what the provider said", async () => {
  const shop = await mintShop();
  const { credentials, account } = accountAt("resend");
  const good = (await shop.full.post(PATH, resend({ credentials, baseUrl: `${standIns}/resend` }))).body;
  const sent = await shop.full.post(`${PATH}/${good.id}/test`, { to: "Me@acme.example" });
  expect(sent.body).toMatchObject({ outcome: "accepted", code: null, permanent: null });
  const [got] = await taken("resend", account);
  expect(got).toMatchObject({ id: sent.body.providerId, message: { to: ["me@acme.example"] } });
  await shop.full.patch(`${PATH}/${good.id}`, { credentials: { apiKey: "re_" } });
  expect((await shop.full.post(`${PATH}/${good.id}/test`, { to: "me@acme.example" })).body).toMatchObject({
    outcome: "refused",
    code: "invalid_api_key",
    permanent: false,
  });
  expect((await shop.full.post(`${PATH}/${good.id}/test`, { to: "me" })).status).toBe(400);
  const smtp = {
    host: "localhost",
    port: String(mailPorts.tls),
    security: "tls",
    username: "shop",
    password: "correct horse",
  };
  const server = (await shop.full.post(PATH, resend({ provider: "smtp", credentials: smtp }))).body;
  const to = `${unique()}@acme.example`;
  expect((await shop.full.post(`${PATH}/${server.id}/test`, { to })).body).toMatchObject({ outcome: "accepted" });
  expect(await (await fetch(`${standIns}/smtp/__mail?to=${to}`)).json()).toHaveLength(1);
});

it("credentials are sealed anew when the encryption key is replaced", async () => {
  const shop = await mintShop();
  const { id } = (await shop.full.post(PATH, resend())).body;
  const sealed = () =>
    env.DB.prepare("select credentials from senders where id = ?").bind(id).first<string>("credentials");
  const before = await sealed();
  const replaced = {
    ...env,
    ENCRYPTION_KEY: btoa("another-key-of-exactly-32-bytes!"),
    ENCRYPTION_KEY_PREVIOUS: env.ENCRYPTION_KEY,
  };
  for (let i = 0; i < 20 && (await sealed()) === before; i++) await resealSecrets(replaced);
  expect(await sealed()).not.toBe(before);
  const { openSender } = await import("../../src/senders");
  const sender = await senderFor(env, shop.key, "email", "marketing");
  if (!sender) throw new Error("no sender");
  const only = { ...replaced, ENCRYPTION_KEY_PREVIOUS: "" };
  expect((await openSender(only, sender)).credentials).toMatchObject({ apiKey: "re_secret_of_acme" });
});

/** What DNS says from here on. */
async function zone(records: Record<string, string[]>): Promise<void> {
  await fetch(`${standIns}/dns/__zone`, { method: "PUT", body: JSON.stringify(records) });
}

it("the sending domain is checked for SPF, DKIM and DMARC, with the records to paste", async () => {
  const shop = await mintShop();
  const domain = `${unique()}.example`;
  const from = { address: `Shop@mail.${domain}`, name: null };
  const { id } = (await shop.full.post(PATH, resend({ from }))).body;
  const check = async () => (await shop.readOnly.get(`${PATH}/${id}/domain`)).body;
  const names = {
    spf: `send.mail.${domain}`,
    dkim: `resend._domainkey.mail.${domain}`,
    dmarc: `_dmarc.mail.${domain}`,
  };
  expect(await check()).toMatchObject({
    domain: `mail.${domain}`,
    ready: false,
    spf: { state: "missing", name: names.spf, aligned: true },
    dkim: { state: "missing", selectors: [{ name: names.dkim, state: "missing" }] },
    dmarc: { state: "missing", name: names.dmarc, policy: null },
    records: [
      { type: "TXT", name: names.spf, value: "v=spf1 include:amazonses.com ~all" },
      { type: "TXT", name: names.dkim, value: null },
      { type: "TXT", name: names.dmarc, value: "v=DMARC1; p=none" },
    ],
  });
  const key = `v=DKIM1; k=rsa; p=${"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A".repeat(12)}`;
  await zone({
    [names.spf]: ["google-site-verification=1", "v=spf1 include:_spf.google.com -all"],
    [names.dkim]: ["v=DKIM1; p="],
    [`_dmarc.${domain}`]: ["v=DMARC1; p=quarantine; rua=mailto:d@acme.example"],
  });
  const partly = await check();
  expect(partly).toMatchObject({ spf: { state: "incomplete" }, dkim: { state: "invalid" }, ready: false });
  // The policy of the domain above counts for this one.
  expect(partly.dmarc).toMatchObject({ state: "pass", name: `_dmarc.${domain}`, policy: "quarantine" });
  expect(partly.records[0].value).toBe("v=spf1 include:_spf.google.com include:amazonses.com -all");
  await zone({ [names.spf]: ["v=spf1 include:amazonses.com ~all"], [names.dkim]: [key] });
  expect(await check()).toMatchObject({ ready: true, records: [], dkim: { selectors: [{ found: key }] } });
  await zone({ [names.spf]: ["v=spf1 include:amazonses.com ~all", "v=spf1 -all"], [names.dmarc]: ["v=DMARC1; rua=x"] });
  expect(await check()).toMatchObject({ spf: { state: "invalid" }, dmarc: { state: "invalid" }, ready: false });
  await zone({ [names.spf]: ["v=spf1 include:amazonses.com +all"] });
  expect((await check()).spf.state).toBe("invalid");

  const tokens = { dkimSelectors: ["tok1"], provider: "ses", from };
  const credentials = { accessKeyId: "AKIA1", secretAccessKey: "x", region: "eu-west-1" };
  const ses = (await shop.full.post(PATH, resend({ ...tokens, credentials }))).body;
  expect((await shop.full.get(`${PATH}/${ses.id}/domain`)).body.records).toContainEqual(
    expect.objectContaining({
      type: "CNAME",
      name: `tok1._domainkey.mail.${domain}`,
      value: "tok1.dkim.amazonses.com",
    }),
  );
  const twilio = {
    channel: "sms",
    provider: "twilio",
    from: { address: "+15005550006" },
    credentials: accountAt("twilio").credentials,
  };
  const sms = (await shop.full.post(PATH, twilio)).body;
  expect((await shop.full.get(`${PATH}/${sms.id}/domain`)).status).toBe(422);
});

it("what a provider reports settles the delivery it is about; what is not signed changes nothing", async () => {
  const shop = await mintShop();
  const secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODk=";
  const { id, feedbackUrl } = (await shop.full.post(PATH, resend())).body;
  const delivery = `dlv_${unique().slice(0, 26)}`;
  await env.DB.prepare(
    `insert into deliveries (id, shop, natural_key, kind, channel, class, state, due_at, created_at, called_at, address_hash)
     values (?, ?, ?, 'message', 'email', 'marketing', 'sent', ?, ?, ?, 'h')`,
  )
    .bind(delivery, shop.key, `test:${delivery}`, T0, T0, T0)
    .run();
  const body = JSON.stringify({
    type: "email.bounced",
    created_at: new Date(T0).toISOString(),
    data: {
      email_id: "e1",
      to: ["ann@customer.example"],
      tags: { delivery_id: delivery },
      bounce: { type: "Permanent" },
    },
  });
  const post = (url: string, signature: string) =>
    exports.default.fetch(url, {
      method: "POST",
      headers: { "svix-id": "msg_1", "svix-timestamp": String(T0 / SECOND), "svix-signature": signature },
      body,
    });
  const signature = new Webhook(secret).sign("msg_1", new Date(T0), body);
  const bounced = () =>
    env.DB.prepare("select bounced_at from deliveries where id = ?").bind(delivery).first("bounced_at");
  expect((await post(feedbackUrl, "v1,AAAA")).status).toBe(401);
  expect((await post(`https://footfall.test/feedback/postmark/${id}`, signature)).status).toBe(404);
  expect((await post("https://footfall.test/feedback/resend/snd_none", signature)).status).toBe(404);
  expect((await post("https://footfall.test/feedback/nobody/snd_none", signature)).status).toBe(404);
  expect(await bounced()).toBeNull();
  expect((await post(feedbackUrl, signature)).status).toBe(200);
  expect((await post(feedbackUrl, signature)).status).toBe(200);
  expect(await bounced()).toBe(T0);
  expect((await exports.default.fetch(feedbackUrl)).status).toBe(404);
  const endless = await exports.default.fetch(feedbackUrl, { method: "POST", body: " ".repeat(1_100_000) });
  expect(endless.status).toBe(413);
});
