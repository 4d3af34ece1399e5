import type { consent as decide } from "../decisions.ts";
import type { hold as keepShut, isOpen as mayStore } from "../gate.ts";
import type { guard as protect, on as listen } from "../guard.ts";
import type { add as take, flush as send } from "../queue.ts";
import type { read as recall, write as store } from "../storage.ts";
import type { visitor as identity } from "../visitor.ts";

/** What this part uses of the core that has loaded it, so that nothing is downloaded twice. */
export type Core = [
  add: typeof take,
  consent: typeof decide,
  flush: typeof send,
  guard: typeof protect,
  hold: typeof keepShut,
  isOpen: typeof mayStore,
  on: typeof listen,
  read: typeof recall,
  visitor: typeof identity,
  write: typeof store,
];

export let add: Core[0];
export let consent: Core[1];
export let flush: Core[2];
export let guard: Core[3];
export let hold: Core[4];
export let isOpen: Core[5];
export let on: Core[6];
export let read: Core[7];
export let visitor: Core[8];
export let write: Core[9];

export const borrow = (core: Core): void => {
  [add, consent, flush, guard, hold, isOpen, on, read, visitor, write] = core;
};
