import { describe, expect, it } from "vitest";

import type { Touch } from "../../src/collect/touch";
import { applyBatch } from "../../src/visitor/apply";
import { funnelStep } from "../../src/visitor/funnel";
import { nextVisit } from "../../src/visitor/session";
import type { Batch, Cart, CartFacts, IncomingEvent, Visit } from "../../src/visitor/state";
import { initialState } from "../../src/visitor/state";
import { nextWake } from "../../src/visitor/timers";
import { MINUTE, SECOND, T0 } from "../helpers/clock";

const SHOP = { key: 1, flushSeconds: 300, abandonAfterSeconds: 3600, connected: false };

function touch(over: Partial<Touch> = {}): Touch {
  return {
    source: null,
    medium: null,
    campaign: null,
    term: null,
    content: null,
    clickId: null,
    channel: "direct",
    referrer: null,
    landingUrl: "https://a.example/",
    ...over,
  };
}

const visit = (over: Partial<Visit> = {}): Visit => ({ no: 1, startedAt: T0, lastAt: T0, touch: touch(), ...over });
const ad = touch({ source: "google", medium: "cpc", campaign: "sale", channel: "paid_search" });

describe("nextVisit", () => {
  const table: [string, Visit | null, number, Touch | null, number, number][] = [
    ["the first event opens visit 1", null, T0, touch(), 0, 1],
    ["29:59 later is the same visit (A12)", visit(), T0 + 29 * MINUTE + 59 * SECOND, null, 1, 1],
    ["30:00 later is the same visit", visit(), T0 + 30 * MINUTE, null, 1, 1],
    ["30:01 later is a new visit (A12)", visit(), T0 + 30 * MINUTE + SECOND, null, 1, 2],
    ["a new campaign is a new visit", visit(), T0 + MINUTE, ad, 1, 2],
    ["the same campaign again is not", visit({ touch: ad }), T0 + MINUTE, ad, 1, 1],
    ["coming back directly is not", visit({ touch: ad }), T0 + MINUTE, touch(), 1, 1],
    [
      "another referrer is not",
      visit({ touch: ad }),
      T0 + MINUTE,
      touch({ source: "blog.example", channel: "referral" }),
      1,
      1,
    ],
    ["a late event stays in the open visit", visit({ lastAt: T0 + 20 * MINUTE }), T0 + 5 * MINUTE, null, 1, 1],
    [
      "the page of a link token joins the visit that the token opened",
      visit({ touch: touch({ landingUrl: null }) }),
      T0 + SECOND,
      ad,
      1,
      1,
    ],
  ];
  it.each(table)("%s", (_, open, at, arrives, lastNo, expected) => {
    expect(nextVisit(open, at, arrives, lastNo).no).toBe(expected);
  });

  it("a late event does not shorten the visit, a page joins its touch to a visit that had none", () => {
    expect(nextVisit(visit({ lastAt: T0 + MINUTE }), T0, null, 1).lastAt).toBe(T0 + MINUTE);
    expect(nextVisit(visit({ touch: touch({ landingUrl: null }) }), T0, ad, 1).touch).toEqual(ad);
  });
});

const facts = (over: Partial<CartFacts> = {}): CartFacts => ({
  token: null,
  checkoutToken: null,
  currency: null,
  value: null,
  items: null,
  empty: false,
  ...over,
});
const cart = (over: Partial<Cart> = {}): Cart => ({
  token: "t1",
  checkoutToken: null,
  currency: "EUR",
  value: 100,
  items: "[]",
  reached: true,
  activityAt: T0,
  watched: true,
  person: 1,
  ...over,
});

describe("funnelStep", () => {
  const step = (open: Cart | null, type: string, cartFacts: CartFacts | null = null, at = T0 + MINUTE) =>
    funnelStep(open, { type, at, cart: cartFacts }, 1, () => "own:x:1");

  it("a page view says nothing about the cart", () => {
    expect(step(cart(), "page_viewed")).toEqual({ cart: cart(), effect: null });
  });

  it("B15: the cart page of a site without tokens opens a cart of our own; the thank-you page buys it once", () => {
    const opened = step(null, "cart_viewed");
    expect(opened.cart).toMatchObject({ token: "own:x:1", reached: true, activityAt: T0 + MINUTE });
    const bought = step(opened.cart, "checkout_completed", facts({ token: "order-page" }));
    expect(bought).toMatchObject({ cart: null, effect: { purchasedAt: T0 + MINUTE, cart: { token: "own:x:1" } } });
    expect(step(bought.cart, "checkout_completed").effect).toBeNull();
  });

  it("a real token replaces ours, another real token is another cart", () => {
    const own = step(null, "cart_viewed").cart;
    expect(step(own, "cart_updated", facts({ token: "real" }))).toMatchObject({
      cart: { token: "real" },
      effect: { replaces: "own:x:1" },
    });
    expect(step(cart(), "cart_updated", facts({ token: "t2", value: 5 }))).toMatchObject({
      cart: { token: "t2", value: 5, currency: null },
      effect: { replaces: null },
    });
  });

  it("an emptied cart waits for nothing, an empty one is none", () => {
    expect(step(cart(), "cart_updated", facts({ token: "t1", empty: true })).cart?.reached).toBe(false);
    expect(step(null, "cart_updated", facts({ token: "t1", empty: true })).effect).toBeNull();
  });

  it("a checkout keeps the cart and adds its token; its completion must be the same checkout", () => {
    const open = step(cart(), "checkout_started", facts({ checkoutToken: "c1" })).cart;
    expect(open).toMatchObject({ token: "t1", checkoutToken: "c1" });
    expect(step(open, "checkout_completed", facts({ checkoutToken: "c2" })).effect).toBeNull();
    expect(step(open, "checkout_completed", facts({ checkoutToken: "c1" })).effect?.purchasedAt).toBe(T0 + MINUTE);
    expect(step(null, "checkout_started", facts({ checkoutToken: "c9" })).cart?.token).toBe("checkout:c9");
  });

  it("adding a product restarts the clock of an open cart and opens none", () => {
    expect(step(cart({ watched: false }), "product_added_to_cart").cart).toMatchObject({
      activityAt: T0 + MINUTE,
      watched: true,
    });
    expect(step(null, "product_added_to_cart").effect).toBeNull();
  });
});

describe("applyBatch and nextWake", () => {
  const event = (over: Partial<IncomingEvent> = {}): IncomingEvent => ({
    id: "e1",
    type: "page_viewed",
    at: T0,
    url: "https://a.example/",
    title: null,
    data: null,
    touch: touch(),
    cart: null,
    identification: null,
    ...over,
  });
  const batch = (events: IncomingEvent[]): Batch => ({
    shop: SHOP,
    channel: "browser",
    geo: { country: "DE", region: null, city: null },
    locale: { cell: null, timezone: null, language: null },
    device: null,
    events,
    watched: false,
  });
  const empty = initialState("t", SHOP, "browser");

  it("does not touch the state it was given", () => {
    const before = structuredClone(empty);
    applyBatch(empty, batch([event()]), T0);
    expect(empty).toEqual(before);
  });

  it("one id under two types is two events, twice under one type is one", () => {
    const { state, accepted } = applyBatch(empty, batch([event(), event(), event({ type: "product_viewed" })]), T0);
    expect([accepted, state.seq, state.persons[0]?.pageViews]).toEqual([2, 2, 1]);
    expect(applyBatch(state, batch([event()]), T0).accepted).toBe(0);
  });

  it("keeps one unwritten change per cart, however often it changes, and every purchase", () => {
    const update = (id: string, value: number) =>
      event({ id, type: "cart_updated", cart: facts({ token: "t", value }) });
    const changes = batch([event({ id: "a", type: "cart_viewed" }), update("b", 1), update("c", 2), update("d", 3)]);
    const { state } = applyBatch(empty, changes, T0);
    expect(state.carts).toHaveLength(1);
    expect(state.carts[0]).toMatchObject({ seq: 4, replaces: "own:t:1", cart: { token: "t", value: 3 } });
    const bought = applyBatch(state, batch([event({ id: "e", type: "checkout_completed" })]), T0).state;
    expect(bought.carts.map((effect) => effect.purchasedAt)).toEqual([null, T0]);
  });

  it("wakes at the flush deadline, at the visit's end when that is earlier, and for the cart", () => {
    const { state } = applyBatch(empty, batch([event()]), T0);
    expect(nextWake(state, T0, false)).toBe(T0 + 300 * SECOND);
    expect(nextWake({ ...state, shop: { ...SHOP, flushSeconds: 3600 } }, T0, false)).toBe(T0 + 30 * MINUTE);
    expect(nextWake({ ...empty, cart: cart() }, T0, false)).toBe(T0 + 60 * MINUTE);
    expect(nextWake({ ...empty, cart: cart({ watched: false }) }, T0, false)).toBe(Number.POSITIVE_INFINITY);
    expect(nextWake({ ...state, retryAt: T0 + 7 }, T0, true)).toBe(T0 + 7);
  });

  it("remembers twice what the tracker's queue can hold", () => {
    const many = Array.from({ length: 300 }, (_, i) => event({ id: `e${i}`, at: T0 + i }));
    let state = empty;
    for (let i = 0; i < 300; i += 100) state = applyBatch(state, batch(many.slice(i, i + 100)), T0).state;
    expect(applyBatch(state, batch(many.slice(-200)), T0).accepted).toBe(0);
    expect(state.recent).toHaveLength(200);
  });
});
