import { env, exports } from "cloudflare:workers";

import { type NewDelivery, queueDelivery, sendDeliveries } from "../../src/messages";
import { type MintedShop, mintShop } from "../helpers/api";
import { newReceiver } from "../helpers/receiver";

export const POSTAL = "Hauptstrasse 1, 10115 Berlin, Germany";

/** A shop that can send: one sender a channel, one template a channel. */
export interface Sending extends MintedShop {
  templates: Record<"email" | "sms" | "whatsapp", number>;
  senders: Record<string, string>;
}

export const HTML =
  '<html><body><p>Hello {{ contact.first_name }}</p><a href="https://shop.example/lamps?ref=1#top">Lamps</a> <a href="mailto:us@shop.example">Write</a></body></html>';

/** @param sender replaces the one for e-mail */
export async function sendingShop(
  settings: Record<string, unknown> = {},
  { sender = {}, html = HTML, sms = "New lamps: https://shop.example/lamps", origins = [] as string[] } = {},
): Promise<Sending> {
  const shop = await mintShop(settings, { name: "Acme", ...(origins.length > 0 ? { origins } : {}) });
  const senders: Record<string, string> = {};
  const templates = { email: 0, sms: 0, whatsapp: 0 };
  const from = { email: { address: "hello@acme.example", name: "Acme Lamps" }, sms: { address: "+4930111111" } };
  await Promise.all(
    (["email", "sms"] as const).map(async (channel) => {
      const made = await shop.full.post("/v1/senders", {
        channel,
        provider: "development",
        from: from[channel],
        ...(channel === "email" ? { postalAddress: POSTAL, ...sender } : {}),
      });
      const template = await shop.full.post("/v1/templates", {
        name: `${channel} ${crypto.randomUUID()}`,
        channel,
        ...(channel === "email" ? { subject: "News", format: "html", body: html } : { body: sms }),
      });
      if (made.status + template.status !== 402) throw new Error(JSON.stringify([made.body, template.body]));
      senders[channel] = made.body.id;
      templates[channel] = await keyOf("templates", template.body.id);
    }),
  );
  return { ...shop, templates, senders };
}

export async function keyOf(table: string, id: string): Promise<number> {
  const row = await env.DB.prepare(`select key from ${table} where id = ?`).bind(id).first<{ key: number }>();
  if (!row) throw new Error(`no ${table} ${id}`);
  return row.key;
}

/** A contact who is subscribed to everything, unless `more` says otherwise. */
export async function subscriber(shop: MintedShop, more: Record<string, unknown> = {}) {
  const subscribed = { state: "subscribed" };
  const made = await shop.full.post("/v1/contacts", {
    email: `${crypto.randomUUID()}@people.example`,
    firstName: "Ada",
    consents: { email: subscribed, sms: subscribed, whatsapp: subscribed },
    ...more,
  });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return { id: String(made.body.id), email: String(made.body.email), key: await keyOf("contacts", made.body.id) };
}

/** Queues a delivery as a step would and returns its id. */
export async function queue(shop: Sending, contact: number | null, more: Partial<NewDelivery> = {}): Promise<string> {
  const channel = more.channel ?? "email";
  const naturalKey = more.naturalKey ?? `run:0:${crypto.randomUUID()}`;
  const statement = queueDelivery(env.DB, shop.key, {
    naturalKey,
    channel,
    class: "marketing",
    contact,
    template: shop.templates[channel],
    templateVersion: 1,
    dueAt: Date.now(),
    ...more,
  });
  await statement.run();
  const row = await env.DB.prepare("select id from deliveries where shop = ? and natural_key = ?")
    .bind(shop.key, naturalKey)
    .first<{ id: string }>();
  return row?.id ?? "";
}

/** Sends what is due, as the queue's consumer does. */
export async function sendDue(shop: Sending): Promise<void> {
  const { results } = await env.DB.prepare("select key from deliveries where shop = ? order by key")
    .bind(shop.key)
    .all<{ key: number }>();
  await sendDeliveries(
    env,
    shop.key,
    results.map(({ key }) => key),
    () => Date.now(),
  );
}

/** Queues, sends, and answers what became of it. */
export async function sendOne(shop: Sending, contact: number | null, more: Partial<NewDelivery> = {}) {
  const id = await queue(shop, contact, more);
  await sendDue(shop);
  return (await shop.full.get(`/v1/deliveries/${id}`)).body;
}

export async function bodyOf(shop: Sending, id: string) {
  return (await shop.full.get(`/v1/deliveries/${id}/body`)).body;
}

export async function stateOf(shop: Sending, id: string): Promise<[string, string | null]> {
  const { body } = await shop.full.get(`/v1/deliveries/${id}`);
  return [body.state, body.reason];
}

/** A provider of this test's own, in the place of Resend (a key for 24 hours) or SendGrid (none). */
export async function standInProvider(shop: Sending, name: "resend" | "sendgrid", more: Record<string, unknown> = {}) {
  const receiver = newReceiver();
  const made = await shop.full.post("/v1/senders", {
    channel: "email",
    provider: name,
    from: { address: "hello@acme.example" },
    postalAddress: POSTAL,
    default: true,
    credentials: { apiKey: "key-of-the-test" },
    baseUrl: receiver.url,
    ...more,
  });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return receiver;
}

export const ACCEPTED = { status: 200, body: '{"id":"re_1"}', headers: { "content-type": "application/json" } };

const PERSON =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";

/** A request of a browser to a public page. */
export async function visit(url: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (!headers.has("user-agent")) headers.set("user-agent", PERSON);
  return exports.default.fetch(url, { redirect: "manual", ...init, headers });
}

/** The first address of this kind in a text. */
export function linkIn(text: string, kind: "c" | "o" | "v" | "u" | "p" | "k"): string {
  const found = new RegExp(`https?://[^\\s"'<>]+/m/${kind}/[\\w.-]+`).exec(text)?.[0];
  if (found === undefined) throw new Error(`no /m/${kind}/ link in ${text}`);
  return found;
}
