import { Cookie, Key } from "../config.ts";
import { uuid } from "../uuid.ts";
import { tokenOf } from "./map.ts";
import type { Consent } from "../wire.ts";
import type { Browser, PixelEvent } from "./sandbox.ts";

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** What `/ff.js` keeps as JSON in the shop's localStorage. */
export async function stored(browser: Browser, key: Key): Promise<unknown> {
  try {
    return JSON.parse((await browser.localStorage.getItem(key)) || "null");
  } catch {
    return null;
  }
}

/** The answer that the visitor has given, if one is kept. */
export async function storedConsent(browser: Browser): Promise<Consent | undefined> {
  const consent = await stored(browser, Key.Consent);
  return typeof consent === "object" && consent ? consent : undefined;
}

/**
 * The visitor's id as `/ff.js` knows it: its cookie, its localStorage, or (a checkout on another host) the cart
 * attribute that it has written. A link of a message may bring the cart to another browser than the one that wrote the
 * attribute, so there it does not count. A new one is kept in both homes.
 */
export async function visitorId(browser: Browser, events: PixelEvent[]): Promise<string> {
  const isLedHere = events.some((event) => tokenOf(event) !== undefined);
  const attributes = events.flatMap(({ data }) => data.checkout?.attributes || []);
  const attribute = attributes.find(({ key }) => key === "__ff_visitor")?.value;
  const known = [await cookie(browser), await stored(browser, Key.Visitor), isLedHere ? null : attribute].find(
    (id): id is string => typeof id === "string" && UUID.test(id),
  );
  const id = known || uuid();
  if (!(await cookie(browser))) {
    const secure = events[0]?.context.document.location.href.startsWith("https:") ? ";secure" : "";
    await browser.cookie.set(`${Key.Visitor}=${id};path=/;max-age=${Cookie.Seconds};samesite=lax${secure}`);
    await browser.localStorage.setItem(Key.Visitor, JSON.stringify(id));
  }
  return id;
}

async function cookie(browser: Browser): Promise<string> {
  try {
    return await browser.cookie.get(Key.Visitor);
  } catch {
    return "";
  }
}
