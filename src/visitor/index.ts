import { AppError } from "../errors";
import { logFailure } from "../lib/log";
import type { Shop } from "../shops";
import type { Batch, ShopFacts } from "./state";

export type { Batch, CartFacts, Identification, IncomingEvent } from "./state";

function stub(env: Env, shop: { key: number }, tracker: string) {
  return env.VISITOR.getByName(`${shop.key}:${tracker}`);
}

function factsOf(shop: Shop): ShopFacts {
  return {
    key: shop.key,
    flushSeconds: shop.settings.flushSeconds,
    abandonAfterSeconds: shop.settings.abandonAfterSeconds,
    connected: shop.connected,
  };
}

/**
 * Hands a batch to its visitor; durable when this resolves. Throws `unavailable` when the visitor cannot take it now,
 * so that the sender keeps it.
 */
export async function recordEvents(
  env: Env,
  shop: Shop,
  tracker: string,
  batch: Omit<Batch, "shop">,
): Promise<{ accepted: number }> {
  let result;
  try {
    result = await stub(env, shop, tracker).record({ ...batch, shop: factsOf(shop) });
  } catch (error) {
    logFailure("collect", error);
    throw new AppError("unavailable");
  }
  if (result.kind === "full") throw new AppError("unavailable");
  return { accepted: result.accepted };
}

/** Brings what a visitor still holds to D1, so that a reader sees it; gives up silently when D1 is busy. */
export async function flushVisitor(env: Env, shop: { key: number }, tracker: string): Promise<void> {
  try {
    await stub(env, shop, tracker).flush();
  } catch (error) {
    logFailure("visitor", error, { doing: "flush" });
  }
}

/** Links a visitor to a contact on verified evidence; see `Visitor.link`. */
export async function linkVisitor(
  env: Env,
  shop: Shop,
  tracker: string,
  link: { contactId: string; cartToken?: string | null; channel?: "browser" | "api" },
): Promise<void> {
  await stub(env, shop, tracker).link(factsOf(shop), link.channel ?? "browser", link.contactId, link.cartToken ?? null);
}

/** Erases one persona of a visitor, in its object and in D1. */
export async function eraseVisitor(env: Env, shop: { key: number }, tracker: string, person: number): Promise<void> {
  await stub(env, shop, tracker).erase(shop.key, person);
}

/** Erases a browser at its own wish: all its personas, never a contact. */
export async function forgetVisitor(env: Env, shop: { key: number }, tracker: string): Promise<void> {
  await stub(env, shop, tracker).erase(shop.key, "all");
}

/** Deletes a visitor's object when its shop goes; the caller clears D1. */
export async function wipeVisitor(env: Env, shop: { key: number }, tracker: string): Promise<void> {
  await stub(env, shop, tracker).wipe();
}

/** Takes a claimed link back in the object; the caller writes D1. */
export async function undoLink(env: Env, shop: { key: number }, tracker: string, person: number): Promise<void> {
  await stub(env, shop, tracker).undo(person);
}

/** Deletes an anonymous visitor whose retention is over, unless it came back since `lastSeenAt`. It may come again. */
export async function expireVisitor(
  env: Env,
  shop: { key: number },
  tracker: string,
  lastSeenAt: number,
): Promise<void> {
  await stub(env, shop, tracker).expire(shop.key, lastSeenAt);
}
