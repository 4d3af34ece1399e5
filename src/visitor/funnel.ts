import type { Cart, CartEffect, CartFacts, IncomingEvent } from "./state";

/** What the shopper did, as the funnel sees it. */
const REACHES = new Set(["cart_viewed", "cart_updated", "checkout_started"]);

/** Events that are activity on an open cart and restart the abandonment clock. */
const TOUCHES = new Set(["product_added_to_cart", "product_removed_from_cart", "payment_info_submitted"]);

export interface FunnelStep {
  cart: Cart | null;
  /** What D1 must learn; null when nothing changed. */
  effect: Omit<CartEffect, "seq"> | null;
}

/**
 * One step from the cart to the thank-you page. A purchase needs a cart before it and uses it up, so a thank-you page
 * that is reloaded, or met without a cart, is none. On sites without tokens the cart gets one of our own making, which
 * the real one replaces when it shows.
 *
 * @param ownToken makes a token for this visitor's next cart on a site that has none
 */
export function funnelStep(
  cart: Cart | null,
  event: Pick<IncomingEvent, "type" | "at" | "cart">,
  person: number,
  ownToken: () => string,
): FunnelStep {
  const { type, at } = event;
  const facts = event.cart ?? NOTHING;
  if (type === "checkout_completed") {
    if (!cart?.reached || contradicts(cart, facts)) return { cart, effect: null };
    const bought = { ...merge(cart, facts), activityAt: Math.max(cart.activityAt, at) };
    return { cart: null, effect: { cart: bought, replaces: null, purchasedAt: at } };
  }
  const reaches = REACHES.has(type) || type.startsWith("checkout_");
  if (!reaches && !(cart && TOUCHES.has(type))) return { cart, effect: null };

  const isOther = cart !== null && facts.token !== null && facts.token !== cart.token && !isOwnToken(cart.token);
  const base = isOther ? null : cart;
  if (base === null && facts.empty) return { cart, effect: null };
  const token = facts.token ?? base?.token ?? (facts.checkoutToken ? `checkout:${facts.checkoutToken}` : ownToken());
  const next: Cart = {
    ...merge(base ?? { ...EMPTY, person }, facts),
    token,
    reached: !facts.empty && (reaches || base?.reached === true),
    activityAt: Math.max(base?.activityAt ?? 0, at),
    watched: true,
  };
  return {
    cart: next,
    effect: { cart: next, replaces: base !== null && base.token !== token ? base.token : null, purchasedAt: null },
  };
}

/** Tokens that the funnel made itself. */
export function isOwnToken(token: string): boolean {
  return token.startsWith("own:") || token.startsWith("checkout:");
}

const NOTHING: CartFacts = { token: null, checkoutToken: null, currency: null, value: null, items: null, empty: false };

const EMPTY: Cart = {
  token: "",
  checkoutToken: null,
  currency: null,
  value: null,
  items: null,
  reached: false,
  activityAt: 0,
  watched: false,
  person: 0,
};

function merge(cart: Cart, facts: CartFacts): Cart {
  return {
    ...cart,
    checkoutToken: facts.checkoutToken ?? cart.checkoutToken,
    currency: facts.currency ?? cart.currency,
    value: facts.value ?? cart.value,
    items: facts.items ?? cart.items,
  };
}

/** The thank-you page names another cart or checkout than the one at hand. */
function contradicts(cart: Cart, facts: CartFacts): boolean {
  if (facts.checkoutToken !== null && cart.checkoutToken !== null) return facts.checkoutToken !== cart.checkoutToken;
  return facts.token !== null && facts.token !== cart.token && !isOwnToken(cart.token);
}
