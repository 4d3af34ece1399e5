import { type Locale, NO_LOCALE } from "../collect";
import { funnelStep } from "./funnel";
import { choosePersona } from "./persona";
import { lengthOf, nextVisit } from "./session";
import type { Batch, CartEffect, IncomingEvent, Person, VisitorState } from "./state";

/** (type, event id) pairs remembered at least: twice what the tracker's offline queue can hold. */
const REMEMBERED = 200;

const DAY_MS = 86_400_000;

/** Events whose facts the shop reacts to at once. */
const HOT = new Set(["identified", "form_submitted", "cart_viewed", "cart_updated", "product_added_to_cart"]);

export interface Applied {
  state: VisitorState;
  accepted: number;
  /** Something that should reach the database now. */
  hot: boolean;
}

/**
 * Takes a batch into the state: pure, so that the whole visit can be replayed in a test. Events seen before are left
 * out; each accepted one gets the next `seq`, its person and its visit.
 */
export function applyBatch(before: VisitorState, batch: Batch, now: number): Applied {
  const state: VisitorState = {
    ...before,
    shop: batch.shop,
    persons: before.persons.map((p) => ({ ...p })),
    recent: [...before.recent],
    pending: [...before.pending],
    carts: [...before.carts],
    identifications: [...before.identifications],
    identified: { ...before.identified },
  };
  let accepted = 0;
  let hot = batch.shop.flushSeconds === 0 || batch.watched;
  for (const event of batch.events.toSorted((a, b) => a.at - b.at)) {
    const mark = eventMark(event.type, event.id);
    if (state.recent.includes(mark)) continue;
    state.recent.push(mark);
    applyEvent(state, event, batch);
    accepted++;
    hot ||= HOT.has(event.type) || event.type.startsWith("checkout_") || event.identification !== null;
  }
  // A server may send more at once, and repeat it; what was remembered once is not forgotten for a smaller batch.
  state.recent = state.recent.slice(-Math.max(REMEMBERED, 2 * batch.events.length, before.recent.length));
  if (accepted > 0) state.pendingSince ??= now;
  return { state, accepted, hot: hot && accepted > 0 };
}

function applyEvent(state: VisitorState, event: IncomingEvent, batch: Batch): void {
  const seq = ++state.seq;
  if (event.identification) identify(state, event, event.identification, seq);
  const person = currentPerson(state, event.at);
  const visit = nextVisit(person.visit, event.at, event.touch, person.visits);
  if (person.visit && person.visit.no !== visit.no) person.pastMs = (person.pastMs ?? 0) + lengthOf(person.visit);
  person.visits = visit.no;
  if (person.firstTouch === null || person.firstTouch.landingUrl === null) person.firstTouch = visit.touch;
  if (visit.touch.channel !== "direct" || person.lastTouch === null || person.lastTouch.landingUrl === null) {
    person.lastTouch = visit.touch;
  }
  person.visit = visit;
  if (event.type === "page_viewed") person.pageViews++;
  person.firstSeenAt = Math.min(person.firstSeenAt, event.at);
  person.lastSeenAt = Math.max(person.lastSeenAt, event.at);
  person.seq = seq;
  if (batch.geo.country !== null) person.geo = batch.geo;
  person.locale = newerLocale(person.locale, batch);
  person.device = batch.device ?? person.device;

  const step = funnelStep(state.cart, event, person.n, () => `own:${state.tracker}:${seq}`);
  state.cart = step.cart;
  if (step.effect) state.carts = withEffect(state.carts, { seq, ...step.effect });

  state.pending.push({
    seq,
    id: event.id,
    type: event.type,
    at: event.at,
    url: event.url,
    title: event.title,
    data: event.data,
    person: person.n,
    visit: visit.no,
  });
}

/** Place and time zone go with the names of the place: a request that tells no country tells none of them. */
function newerLocale(before: Locale = NO_LOCALE, { geo, locale }: Batch): Locale {
  const place = geo.country === null ? before : locale;
  return { cell: place.cell, timezone: place.timezone, language: locale.language ?? before.language };
}

/** Values are absolute, so a change that is not written yet gives way to the next change of its cart. */
function withEffect(effects: CartEffect[], next: CartEffect): CartEffect[] {
  const before = effects.at(-1);
  const isSame =
    before !== undefined &&
    before.purchasedAt === null &&
    next.purchasedAt === null &&
    before.cart.person === next.cart.person &&
    [next.cart.token, next.replaces].includes(before.cart.token);
  if (!isSame) return [...effects, next];
  return [...effects.slice(0, -1), { ...next, replaces: before.replaces ?? next.replaces }];
}

/** The event itself already belongs to the person it names. */
function identify(
  state: VisitorState,
  event: IncomingEvent,
  identification: NonNullable<IncomingEvent["identification"]>,
  seq: number,
): void {
  const day = Math.floor(event.at / DAY_MS);
  const given = state.identified.day === day ? state.identified.count : 0;
  const person = currentPerson(state, event.at);
  const choice = choosePersona(state.persons, person.n, identification.hashes, given);
  if (choice.kind === "limit" || choice.kind === "ignored") return;
  if (choice.kind === "new") {
    state.current = newPerson(state, event.at, choice.hashes).n;
  } else {
    state.current = choice.n;
    currentPerson(state, event.at).hashes.push(...choice.adds);
  }
  const isNew = choice.kind === "new" || choice.adds.length > 0;
  if (isNew) state.identified = { day, count: given + 1 };
  // The same claim again (every step of a checkout repeats it) is linked already, or on its way.
  if (!isNew && identification.evidence === "claimed") return;
  state.identifications.push({ ...identification, seq, person: state.current, at: event.at });
}

function currentPerson(state: VisitorState, at: number): Person {
  const person = state.persons.find((p) => p.n === state.current);
  if (person) return person;
  const first = newPerson(state, at, []);
  state.current = first.n;
  return first;
}

/** Numbers are never used twice, also not those of erased persons. */
export function newPerson(state: VisitorState, at: number, hashes: string[]): Person {
  const n = Math.max(0, state.current, ...state.persons.map((p) => p.n), ...state.erasing) + 1;
  const person: Person = {
    n,
    hashes,
    visits: 0,
    pageViews: 0,
    firstSeenAt: at,
    lastSeenAt: at,
    firstTouch: null,
    lastTouch: null,
    geo: { country: null, region: null, city: null },
    locale: NO_LOCALE,
    device: null,
    visit: null,
    pastMs: 0,
    seq: 0,
  };
  state.persons.push(person);
  return person;
}

/** A short hash (53 bits, base 36) of what makes an event unique: cyrb53 over type and id. */
function eventMark(type: string, id: string): string {
  let h1 = 0xdeadbeef;
  let h2 = 0x41c6ce57;
  const text = `${type}\n${id}`;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    h1 = Math.imul(h1 ^ c, 2654435761);
    h2 = Math.imul(h2 ^ c, 1597334677);
  }
  h1 = Math.imul(h1 ^ (h1 >>> 16), 2246822507) ^ Math.imul(h2 ^ (h2 >>> 13), 3266489909);
  h2 = Math.imul(h2 ^ (h2 >>> 16), 2246822507) ^ Math.imul(h1 ^ (h1 >>> 13), 3266489909);
  return (4294967296 * (2097151 & h2) + (h1 >>> 0)).toString(36);
}
