import { config } from "../../config";
import { sql } from "../../db/client";
import { LINK_TOKEN_LIFE_MS, linkTokenSecret, makeLinkToken } from "../../identity";
import { armClock } from "../../jobs";
import { logFailure } from "../../lib/log";
import type { Shop } from "../../shops";
import { happened, nudgeReactions } from "../happened";
import { askingOf, isMachineClick, isMachineOpen } from "../machine";
import type { Opened, PageDelivery } from "./delivery";
import { PAGE_HEADERS } from "./page";

/** A transparent picture of one point. */
const PIXEL = Uint8Array.from(atob("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"), (c) => c.charCodeAt(0));

/** Repetitions within this time are one occurrence, ms. */
const ONCE_MS = 60_000;

/** The picture that tells of an opening. It comes always, whatever the link says. */
export async function openPixel(env: Env, request: Request, opened: Opened | null, now: number): Promise<Response> {
  if (opened && request.method === "GET") {
    const machine = isMachineOpen(askingOf(request, opened.d.calledAt, now));
    await recordTouch(env, opened, { type: "opened", machine }, now);
  }
  return new Response(PIXEL, { headers: { "content-type": "image/gif", ...PAGE_HEADERS } });
}

/**
 * Leads to where the link of this index leads, and nowhere else: the address is the one that was written down when the
 * message was rendered. A person's browser gets a link token along for the shop's own pages, which ties it to the contact.
 */
export async function follow(env: Env, request: Request, opened: Opened, now: number): Promise<Response> {
  const { shop, d, index } = opened;
  const row = await sql(
    env.DB,
    "select links ->> ? as url from delivery_bodies where delivery = ?",
    `$[${index}]`,
    d.key,
  ).first<{ url: string | null }>();
  const target = URL.parse(row?.url ?? "") ?? new URL(`https://${shop.domain}/`);
  const machine = isMachineClick(askingOf(request, d.calledAt, now));
  if (request.method === "GET") {
    await recordTouch(env, opened, { type: "clicked", machine, link: { index, url: target.href } }, now);
  }
  const isOwn = isShopsOwn(shop, target);
  const location =
    !machine && isOwn && request.method === "GET" ? await withLinkToken(env, shop, d, target.href, now) : target.href;
  return new Response(null, { status: 302, headers: { location, ...PAGE_HEADERS } });
}

/** Writes down an opening or a click. A failure of ours keeps nobody from their link. */
export async function recordTouch(
  env: Env,
  { shop, d }: Opened,
  touch: { type: "opened" | "clicked"; machine: boolean; link?: { index: number | null; url: string | null } },
  now: number,
): Promise<void> {
  if (d.kind !== "message") return;
  const minute = Math.floor(now / ONCE_MS);
  const naturalKey = `own:${touch.link?.index ?? ""}:${touch.machine ? "machine" : "person"}:${minute}`;
  try {
    await armClock(env, shop.key, now);
    const statements = happened(env.DB, shop.key, d, { ...touch, naturalKey, at: now }, now);
    // Who clicks has the mail open, also where pictures are not loaded.
    if (touch.type === "clicked" && !touch.machine && d.channel === "email") {
      statements.push(...happened(env.DB, shop.key, d, { type: "opened", naturalKey, at: now }, now));
    }
    await env.DB.batch(statements);
    if (!touch.machine) await nudgeReactions(env, shop.key, [d.id]);
  } catch (error) {
    logFailure("messages", error, { delivery: d.id });
  }
}

/**
 * A link token is for the shop's own pages. With `origins` set those are its own; otherwise the tracker may be on any
 * site, so any page may be the shop's.
 */
function isShopsOwn(shop: Shop, target: URL): boolean {
  if (target.hostname === shop.domain) return true;
  return shop.origins.length === 0 || shop.origins.includes(target.origin);
}

/** The address with a token that ties the browser to the contact; as it is where the contact is gone. */
export async function withLinkToken(
  env: Env,
  shop: Shop,
  d: PageDelivery,
  address: string,
  now: number,
): Promise<string> {
  if (d.contactId === null || d.kind === "test") return address;
  const token = await makeLinkToken(await linkTokenSecret(config(env).encryptionKey), {
    shop: shop.id,
    contact: d.contactId,
    delivery: d.id,
    expiresAt: now + LINK_TOKEN_LIFE_MS,
  });
  const at = address.indexOf("#");
  const [base, fragment] = at === -1 ? [address, ""] : [address.slice(0, at), address.slice(at)];
  return `${base}${base.includes("?") ? "&" : "?"}ff_id=${token}${fragment}`;
}
