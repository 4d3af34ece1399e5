import { env, exports } from "cloudflare:workers";

import { handleInboxRow, type InboxOutcome } from "../../../src/shopify";
import { getShopOrThrow } from "../../../src/shops";

import { type MintedShop, mintShop } from "../../helpers/api";
import { type StandinStore, standinStore } from "../../helpers/standin";
import { quiet, receive } from "../deliver";

/** A shop, and the store on Shopify that it is; not connected yet. */
export interface Pair {
  shop: MintedShop;
  store: StandinStore;
}

/** A webhook of the store's present app, received and handled. */
export async function deliverTo(pair: Pair, topic: string, body: unknown, at = Date.now()): Promise<InboxOutcome> {
  const shop = await getShopOrThrow(env.DB, pair.shop.key);
  const secret = shop.appSecret === null ? INSTALLATION_APP.clientSecret : pair.store.clientSecret;
  const webhookId = crypto.randomUUID();
  const answer = await receive(shop, { topic, body, triggeredAt: at, webhookId, secret }, Date.now());
  if (answer.status !== 200) throw new Error(`${topic}: ${answer.status}`);
  const row = await env.DB.prepare("select key from webhook_inbox where shop = ? and webhook_id = ?")
    .bind(shop.key, webhookId)
    .first<{ key: number }>();
  return row ? handleInboxRow(quiet, row.key, Date.now()) : "handled";
}

type Options = NonNullable<Parameters<typeof standinStore>[0]>;

export async function newPair(options: Options = {}, settings: Record<string, unknown> = {}): Promise<Pair> {
  const shop = await mintShop(settings);
  return { shop, store: await standinStore({ ...options, domain: shop.domain }) };
}

/** The app that the tests' settings name. */
export const INSTALLATION_APP = { clientId: "test-api-key", clientSecret: "test-api-secret" };

export function path({ id }: { id: string }): string {
  return `/v1/shops/${id}/shopify`;
}

/** A pair that is connected by the client credentials of the store's own app. */
export async function connectedPair(options: Options = {}, settings: Record<string, unknown> = {}): Promise<Pair> {
  const pair = await newPair(options, settings);
  const { clientId, clientSecret } = pair.store;
  const answer = await pair.shop.full.put(path(pair.shop), { method: "client_credentials", clientId, clientSecret });
  if (answer.status !== 200) throw new Error(`not connected: ${JSON.stringify(answer.body)}`);
  return pair;
}

/** A request of a browser to the installation. */
export function visit(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return exports.default.fetch(`https://footfall.test${path}`, { redirect: "manual", headers });
}

/** What a merchant's browser holds after an install was begun: where it is sent, and its cookie. */
export async function begin(path: string): Promise<{ target: URL; cookie: string }> {
  const answer = await visit(path);
  if (answer.status !== 302) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return {
    target: new URL(answer.headers.get("location") ?? ""),
    cookie: (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "",
  };
}

/** Presses "install" on Shopify's page. Returns the address that the browser is sent back to. */
export async function approve(target: URL): Promise<URL> {
  const asked = new URL(target);
  asked.searchParams.set("approve", "1");
  asked.searchParams.set("at", String(Date.now()));
  const answer = await fetch(asked, { redirect: "manual" });
  return new URL(answer.headers.get("location") ?? "");
}

/** A pair that is connected by the authorization code grant, with the installation's app. */
export async function installedPair(options: Options = {}): Promise<Pair> {
  const pair = await newPair({ ...INSTALLATION_APP, ...options });
  const { target, cookie } = await begin(`/shopify/install?shop=${pair.shop.domain}`);
  const back = await approve(target);
  const answer = await visit(back.pathname + back.search, { cookie });
  if (answer.status !== 200) throw new Error(`not installed: ${answer.status} ${await answer.text()}`);
  return pair;
}
