import { Key } from "./config.ts";
import { empty, flush } from "./queue.ts";
import { write } from "./storage.ts";
import { dropVisitor, knownVisitor } from "./visitor.ts";
import type { Consent } from "./wire.ts";

const wipe = (): void => {
  empty();
  write(Key.Queue);
  write(Key.Cart);
  dropVisitor();
};

/** The visitor's explicit decision, remembered: `true` or `false` for everything, or one answer per purpose. */
export const consent = (given: true | Consent): void => {
  const analytics = given == true || !!given.analytics;
  write(Key.Consent, { analytics, marketing: given == true || !!given.marketing });
  if (!analytics) wipe();
  flush();
};

/** Own and staff traffic: remembered in this browser, nothing is sent until `exclude(false)`. */
export const exclude = (excluded?: boolean): void => {
  write(Key.Excluded, excluded);
  empty();
};

/** Erases this browser's id, queue and decision, and tells the server until it has heard. */
export const forget = (): void => {
  write(Key.Forget, knownVisitor());
  wipe();
  write(Key.Consent);
  flush();
};
