import type { Device, Geo, Locale, Touch } from "../collect";

/** What the object must know of its shop; renewed by every batch. */
export interface ShopFacts {
  key: number;
  flushSeconds: number;
  abandonAfterSeconds: number;
  /** A token of the store is held: only webhooks decide on purchases. */
  connected: boolean;
}

/** An identification on its way to the contacts. Nothing readable rests here: values are sealed, hashes are keyed. */
export interface Identification {
  /** Keyed hashes, `kind:hash`, of what was told. */
  hashes: string[];
  /** AES-GCM over a JSON `Claim` (`identity/link.ts`). */
  sealed: string;
  evidence: "claimed" | "verified";
}

/** One event as the collect pipeline hands it over: cleaned, without personal data. */
export interface IncomingEvent {
  /** Unique per visitor and type. */
  id: string;
  type: string;
  /** Epoch ms, corrected for the browser's clock. */
  at: number;
  url: string | null;
  title: string | null;
  data: Record<string, unknown> | null;
  /** Where this page view came from; null for other events and for clicks inside the site. */
  touch: Touch | null;
  cart: CartFacts | null;
  identification: Identification | null;
}

/** What an event says about the cart. */
export interface CartFacts {
  token: string | null;
  checkoutToken: string | null;
  currency: string | null;
  value: number | null;
  /** JSON array of lines; null leaves what is known. */
  items: string | null;
  /** Known to be empty now. */
  empty: boolean;
}

export interface Batch {
  shop: ShopFacts;
  channel: "browser" | "api";
  geo: Geo;
  locale: Locale;
  device: Device | null;
  events: IncomingEvent[];
  /** A live segment or an automation waits for one of these: they reach the database now. */
  watched: boolean;
}

/** An accepted event that D1 does not have yet. */
export interface PendingEvent {
  seq: number;
  id: string;
  type: string;
  at: number;
  url: string | null;
  title: string | null;
  data: Record<string, unknown> | null;
  person: number;
  visit: number;
}

export interface Visit {
  no: number;
  startedAt: number;
  lastAt: number;
  touch: Touch;
}

/** A person as seen through this browser. */
export interface Person {
  n: number;
  /** Keyed hashes of the identifications that this person gave. */
  hashes: string[];
  visits: number;
  pageViews: number;
  firstSeenAt: number;
  lastSeenAt: number;
  firstTouch: Touch | null;
  /** Of the latest visit that did not come directly. */
  lastTouch: Touch | null;
  geo: Geo;
  /** Absent in states from before it was kept. */
  locale?: Locale;
  device: Device | null;
  visit: Visit | null;
  /** How long all visits before this one took; absent in states from before it was kept. */
  pastMs?: number;
  /** `seq` of the latest event of this person. */
  seq: number;
}

/** The cart of this browser that is not bought yet. */
export interface Cart {
  token: string;
  checkoutToken: string | null;
  currency: string | null;
  value: number | null;
  items: string | null;
  reached: boolean;
  activityAt: number;
  /** Its abandonment is still to come; false once it was tried. */
  watched: boolean;
  person: number;
}

/** A change of a cart that D1 does not have yet. */
export interface CartEffect {
  seq: number;
  cart: Cart;
  /** The token of our own making that the real one replaces. */
  replaces: string | null;
  purchasedAt: number | null;
}

export interface PendingIdentification extends Identification {
  seq: number;
  person: number;
  at: number;
}

/** The object's whole state: one document, one row. */
export interface VisitorState {
  tracker: string;
  shop: ShopFacts;
  channel: "browser" | "api";
  /** The last sequence number given out. */
  seq: number;
  persons: Person[];
  /** Number of the person who sits there now. */
  current: number;
  /** Short hashes of the last (type, event id) pairs. */
  recent: string[];
  /** New identities given today, against guessing. */
  identified: { day: number; count: number };
  cart: Cart | null;
  pending: PendingEvent[];
  carts: CartEffect[];
  identifications: PendingIdentification[];
  /** Next part number of visits that D1 already has a part of, by `person.visit`. */
  parts: Record<string, number>;
  /** When the first pending thing came, for the flush deadline. */
  pendingSince: number | null;
  /** Rows of spilled pending events, and their size. */
  spilled: { rows: number; bytes: number };
  /** Failed flushes in a row, and when to try again. */
  failures: number;
  retryAt: number | null;
  /** The time that the alarm is set to. */
  alarmAt: number | null;
  /** Persons being erased; nothing of them may be flushed. */
  erasing: number[];
}

export function initialState(tracker: string, shop: ShopFacts, channel: "browser" | "api"): VisitorState {
  return {
    tracker,
    shop,
    channel,
    seq: 0,
    persons: [],
    current: 0,
    recent: [],
    identified: { day: 0, count: 0 },
    cart: null,
    pending: [],
    carts: [],
    identifications: [],
    parts: {},
    pendingSince: null,
    spilled: { rows: 0, bytes: 0 },
    failures: 0,
    retryAt: null,
    alarmAt: null,
    erasing: [],
  };
}

/** True while D1 does not have everything. */
export function hasPending(state: VisitorState): boolean {
  return (
    state.pending.length > 0 || state.carts.length > 0 || state.identifications.length > 0 || state.spilled.rows > 0
  );
}
