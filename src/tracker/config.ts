/**
 * What the Worker puts in place of the one identifier `__FF__` of a built script, as a JSON literal.
 * `core.js` and `pixel.js` hold the placeholder exactly once, `shopify.js` never.
 */

/** For `core.js`, served as `GET /ff.js`. Leave keys out rather than setting them to null or "". */
export interface TrackerConfig {
  /** The shop's domain, as the beacon's `shop`. */
  s: string;
  /** Origin of the Worker, without a slash at the end: beacons go to `o + "/ff"`. */
  o: string;
  /** 1: wait for a decision (opt-in); 0: go on until refused (opt-out). */
  c: 0 | 1;
  /** Set where page and Worker share the site and the Worker answers beacons with `Set-Cookie: ff_v=...`. */
  f?: "include";
  /** Source of a regular expression for the cart's address: `addressPattern` of collect/patterns.ts. */
  cart?: string;
  /** The same for the thank-you page. */
  thanks?: string;
  /** CSS selector of the sign-up forms to capture, instead of `[data-footfall]`. */
  forms?: string;
}

/** For `pixel.js`, served as `GET /pixel.js`: the code that a merchant pastes as a Shopify custom pixel. */
export interface PixelConfig {
  s: string;
  o: string;
  /** The shop's pixel key, sent as `pixel`: the sandbox's origin is `null`. */
  k: string;
  /** 1: `/ff.js` is in the theme and counts the views there; 0: the pixel counts them too. */
  t: 0 | 1;
}

/** Seconds that the visitor's cookie lives, renewed on every visit: 395 days, never more than 13 months. */
export const enum Cookie {
  Seconds = 34_128_000,
}

/** Names under which things are kept in this browser's localStorage, as JSON. */
export const enum Key {
  /** The visitor's id; also the name of the cookie. */
  Visitor = "ff_v",
  /** The explicit decision on consent. */
  Consent = "ff_c",
  /** `true` for own and staff traffic. */
  Excluded = "ff_x",
  /** Events not yet acknowledged, by id. */
  Queue = "ff_q",
  /** The visitor id that the server must still be told to forget. */
  Forget = "ff_f",
  /** What the Shopify part knows about the cart. */
  Cart = "ff_k",
}
