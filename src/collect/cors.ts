import type { Shop } from "../shops";

/** 13 months, the longest that a visitor cookie may live; browsers cap at 400 days. */
const COOKIE_SECONDS = 395 * 86_400;

/**
 * With `origins` set only those may send, and our own page that shows a message in the browser; the pixel's
 * sandbox has the origin `null` and shows the pixel key instead.
 */
export function originAllowed(request: Request, shop: Shop, pixel: string | null | undefined): boolean {
  if (shop.origins.length === 0) return true;
  const origin = request.headers.get("origin");
  if (origin === "null") return pixel === shop.pixelKey;
  return origin !== null && (shop.origins.includes(origin) || origin === URL.parse(request.url)?.origin);
}

/** `*` without credentials; credentials only for a listed origin on the tracker's own site. */
export function corsHeaders(request: Request, shop: Shop | null): Headers {
  const origin = request.headers.get("origin");
  if (shop && origin && siteDomain(request, shop) !== null) {
    return new Headers({
      "access-control-allow-origin": origin,
      "access-control-allow-credentials": "true",
      vary: "Origin",
    });
  }
  return new Headers({ "access-control-allow-origin": "*" });
}

/**
 * The visitor cookie, set by the server where the tracker's host shares the shop's site: browsers that cut script-set
 * cookies to seven days keep this one. Null elsewhere.
 */
export function visitorCookie(request: Request, shop: Shop, visitor: string): string | null {
  const domain = siteDomain(request, shop);
  if (domain === null) return null;
  const secure = new URL(request.url).protocol === "https:" ? "; Secure" : "";
  return `ff_v=${visitor}; Domain=${domain}; Path=/; Max-Age=${COOKIE_SECONDS}; SameSite=Lax${secure}`;
}

/** The domain that the tracker's host and a listed origin have in common, or null. */
export function siteDomain(request: Request, shop: Shop): string | null {
  const origin = request.headers.get("origin");
  if (origin === null || !shop.origins.includes(origin)) return null;
  const page = URL.parse(origin);
  return page ? commonDomain(page.hostname, new URL(request.url).hostname) : null;
}

/** Hosts whose sub-domains belong to different people. */
const SHARED_HOSTS = new Set([
  "myshopify.com",
  "workers.dev",
  "pages.dev",
  "vercel.app",
  "netlify.app",
  "github.io",
  "herokuapp.com",
]);

/**
 * The longest common end of two host names that is not a public suffix: at least two labels, three where the last two
 * look like `co.uk` or belong to a host of many. Browsers check it again against the real list.
 */
export function commonDomain(a: string, b: string): string | null {
  if (/^[\d.:[\]]+$/.test(a)) return null;
  const x = a.split(".").toReversed();
  const y = b.split(".").toReversed();
  let same = 0;
  while (same < x.length && same < y.length && x[same] === y[same]) same++;
  const end = `${x[1]}.${x[0]}`;
  const isShared = SHARED_HOSTS.has(end) || ((x[0]?.length ?? 0) === 2 && (x[1]?.length ?? 0) <= 3);
  const least = isShared ? 3 : 2;
  return same >= least ? x.slice(0, same).toReversed().join(".") : null;
}

/** Answer to a preflight of `/ff`: senders that follow the contract never need one. */
export function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": "content-type",
      "access-control-max-age": "86400",
    },
  });
}
