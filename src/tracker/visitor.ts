import { config } from "./settings.ts";
import { Cookie, Key } from "./config.ts";
import { guard } from "./guard.ts";
import { read, write } from "./storage.ts";
import { uuid } from "./uuid.ts";

/**
 * Writes the cookie at the broadest domain that the browser accepts, so that www, apex and the checkout share it;
 * an empty value removes it at every level.
 */
const writeCookie = guard((value: string) => {
  const labels = location.hostname.split(".");
  for (let level = labels.length; level--;) {
    document.cookie = `${Key.Visitor}=${value};path=/;max-age=${value ? Cookie.Seconds : 0};samesite=lax${
      location.protocol > "http:" ? ";secure" : ""
    }${level ? ";domain=" + labels.slice(level - 1).join(".") : ""}`;
    if (value && document.cookie.includes(value)) return;
  }
});

let current: string | undefined;

/** The id that this browser already has, if any: of this page, of the cookie, of localStorage. */
export const knownVisitor = (): string | undefined =>
  current || guard(() => (/ff_v=([\w-]{36})/.exec(document.cookie) as string[])[1])() || read<string>(Key.Visitor);

/**
 * The visitor's id, made if there is none; the first call on a page renews both homes. Where the server sets the
 * cookie (`f`) the script leaves it alone: some browsers shorten the life of a cookie that a script has written.
 */
export const visitor = (): string => {
  if (!current) {
    write(Key.Visitor, (current = knownVisitor() || uuid()));
    if (!config.f) {
      // A cookie left at a narrower level would hide whether the broader one was accepted.
      writeCookie("");
      writeCookie(current);
    }
  }
  return current;
};

/** Looks again at the next need: another page may have changed it. */
export const reloadVisitor = (): void => {
  current = "";
};

/** Removes the id from every home. */
export const dropVisitor = (): void => {
  reloadVisitor();
  write(Key.Visitor);
  writeCookie("");
};
