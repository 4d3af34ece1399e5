import { randomBytes, randomUUID } from "node:crypto";
import type { State } from "./state.ts";

/** The Admin API versions whose payloads the stand-in can write. */
export const API_VERSIONS = ["2026-01", "2026-04", "2026-07", "2026-10"] as const;
export type ApiVersion = (typeof API_VERSIONS)[number];

/** What one person did at one moment; every webhook it causes carries its event id. */
export type Action = { at: number; eventId: string };

export type Store = {
  /** The *.myshopify.com name. */
  domain: string;
  /** Where the storefront answers, without a trailing slash. */
  url: string;
  apiVersion: ApiVersion;
  state: State;
  save: () => void;
  /** Hands a webhook to the delivery queue. */
  emit(action: Action, topic: string, payload: object): void;
};

export function actionAt(at: number): Action {
  return { at, eventId: randomUUID() };
}

/** The next id, 13 digits, rising; unique across kinds. */
export function nextId(store: Store): number {
  store.state.sequence += 1;
  return 6_100_000_000_000 + store.state.sequence * 32_768 + 9_441;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** A random name of letters and digits, as cart tokens are now. */
export function letters(length: number): string {
  return Array.from(randomBytes(length), (byte) => LETTERS.charAt(byte % LETTERS.length)).join("");
}

export function hex(bytes: number): string {
  return randomBytes(bytes).toString("hex");
}
