import { isbot } from "isbot";

import { config } from "../config";
import { AppError, type FieldError } from "../errors";
import { nesting } from "../lib/json";
import { cachedShop, isWatched, type Shop } from "../shops";
import { noteSeen } from "../storefront";
import { forgetVisitor, type IncomingEvent, recordEvents } from "../visitor";
import { consentDrop, needsOptIn } from "./consent";
import { corsHeaders, originAllowed, visitorCookie } from "./cors";
import { deviceOf } from "./device";
import { countDrop, type DropReason } from "./drops";
import { type Geo, geoOf } from "./geo";
import { localeOf } from "./locale";
import { parseEvent } from "./parse";
import { MinuteCounter } from "./rate";
import { Beacon, type BrowserEvent } from "./schemas";

/** Largest body, bytes. */
const BODY_BYTES = 65_536;

/** Deeper JSON is nothing that a tracker sends, and would only cost stack. */
const NESTING = 32;

/** Below this the difference between two clocks is the way of the beacon, and times are kept as they were told, ms. */
const SKEW_MS = 5_000;

const perAddress = new MinuteCounter();

export interface CollectContext {
  env: Env;
  now: number;
  later: (work: Promise<unknown>) => void;
}

/** A beacon on its way through the pipeline. */
interface Arrival {
  request: Request;
  shop: Shop;
  beacon: Beacon;
  geo: Geo;
  now: number;
}

/** Named steps; the first that gives a reason ends the beacon with the status that belongs to it. */
const DROPS: [DropReason, status: 204 | 403 | 429, (arrival: Arrival) => boolean][] = [
  ["uninstalled", 403, ({ shop }) => shop.status !== "active"],
  ["origin", 403, ({ request, shop, beacon }) => !originAllowed(request, shop, beacon.pixel)],
  ["bot", 204, ({ request }) => isbot(request.headers.get("user-agent") ?? "")],
  ["prerender", 204, ({ request }) => /prerender|prefetch/.test(request.headers.get("sec-purpose") ?? "")],
  ["consent", 204, (arrival) => consentOf(arrival) === "consent"],
  ["opted_out", 204, (arrival) => consentOf(arrival) === "opted_out"],
  [
    "limit",
    429,
    ({ request, shop, now }) => {
      const limit = shop.settings.beaconsPerMinutePerAddress;
      const address = request.headers.get("cf-connecting-ip") ?? "";
      return limit > 0 && perAddress.exceeds(`${shop.key} ${address}`, limit, now);
    },
  ],
];

/** Erasing oneself needs no consent, and the decision is gone by then. */
function consentOf({ request, shop, beacon, geo }: Arrival) {
  if (beacon.events.some((event) => event.type === "forget")) return null;
  const optIn = needsOptIn(shop.settings.consentMode, geo.country);
  return consentDrop(optIn, beacon.consent?.analytics, request.headers.get("sec-gpc") === "1");
}

/**
 * `POST /ff`: a beacon of the tracker or the pixel. 204 once the visitor holds it durably, and also when policy drops
 * it, so that a sender learns nothing; 400, 403, 404, 413, 429 and 503 as problem documents by AppError.
 */
export async function collect(request: Request, { env, now, later }: CollectContext): Promise<Response> {
  const settings = config(env);
  const beacon = await readBeacon(request);
  const shop = await cachedShop(env.DB, beacon.shop.toLowerCase(), now, later);
  if (!shop) throw new AppError("shop_not_found");
  const geo = geoOf(request, settings.trustGeoHeaders);
  const arrival: Arrival = { request, shop, beacon, geo, now };
  const headers = corsHeaders(request, shop);

  for (const [reason, status, applies] of DROPS) {
    if (!applies(arrival)) continue;
    countDrop(env.DB, shop.key, reason, now, later);
    if (status === 204) return new Response(null, { status, headers });
    if (reason === "limit") throw tooMany(shop);
    throw new AppError(reason === "uninstalled" ? "shop_uninstalled" : "origin_not_allowed");
  }

  const sent = beacon.events.filter((event): event is BrowserEvent => event.type !== "forget");
  if (sent.length < beacon.events.length) {
    await forgetVisitor(env, shop, beacon.visitor);
    return new Response(null, { status: 204, headers });
  }
  const events: IncomingEvent[] = [];
  const errors: FieldError[] = [];
  const context = {
    shop,
    sealingKeys: settings.sealingKeys,
    now,
    clockOffset: beacon.sent && Math.abs(now - beacon.sent) > SKEW_MS ? now - beacon.sent : 0,
    country: geo.country,
  };
  for (const [index, event] of sent.entries()) {
    const parsed = await parseEvent(event, context);
    if (parsed.kind === "event") events.push(parsed.event);
    else if (parsed.kind === "stale") countDrop(env.DB, shop.key, "stale", now, later);
    else errors.push(...parsed.errors.map((e) => ({ ...e, pointer: `/events/${index}${e.pointer}` })));
  }
  if (errors.length > 0) {
    countDrop(env.DB, shop.key, "malformed", now, later);
    throw new AppError("validation_failed", undefined, { errors });
  }
  if (events.length > 0) {
    await recordEvents(env, shop, beacon.visitor, {
      channel: "browser",
      geo,
      locale: localeOf(request, settings.trustGeoHeaders),
      device: deviceOf(request.headers.get("user-agent")),
      events,
      watched: isWatched(shop.watched, events),
    });
    noteSeen(env.DB, shop.key, beacon.pixel === shop.pixelKey ? "pixel" : "tracker", now, later);
    if (events.some(isSignedCustomer)) noteSeen(env.DB, shop.key, "customer", now, later);
  }
  const cookie = visitorCookie(request, shop, beacon.visitor);
  if (cookie) headers.append("set-cookie", cookie);
  return new Response(null, { status: 204, headers });
}

/** A customer id is only ever hashed once the shop has vouched for it. */
function isSignedCustomer({ identification }: IncomingEvent): boolean {
  return identification?.hashes.some((hash) => hash.startsWith("customer:")) === true;
}

function tooMany(shop: Shop): AppError {
  return new AppError("rate_limited", undefined, {
    headers: {
      "retry-after": "60",
      "ratelimit-policy": `"address";q=${shop.settings.beaconsPerMinutePerAddress};w=60`,
      ratelimit: '"address";r=0;t=60',
    },
  });
}

/** The body as a beacon: at most 64 KB of JSON, whatever its content type says. */
async function readBeacon(request: Request): Promise<Beacon> {
  if (Number(request.headers.get("content-length") ?? 0) > BODY_BYTES) throw new AppError("too_large");
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength > BODY_BYTES) throw new AppError("too_large");
  let json: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    if (nesting(text) > NESTING) throw new AppError("bad_request", "the JSON is nested too deeply");
    json = JSON.parse(text);
  } catch (error) {
    throw error instanceof AppError ? error : new AppError("bad_request", "the body is not JSON");
  }
  const result = Beacon.safeParse(json);
  if (result.success) return result.data;
  throw new AppError("validation_failed", undefined, {
    errors: result.error.issues
      .slice(0, 20)
      .map((issue) => ({ pointer: `/${issue.path.map(String).join("/")}`, detail: issue.message })),
  });
}
