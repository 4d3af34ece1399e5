import { here } from "./address.ts";
import { guard, on } from "./guard.ts";
import { add, Delay, resume } from "./queue.ts";
import { config } from "./settings.ts";
import { reloadVisitor } from "./visitor.ts";

let last = "";

/** Why there may be a new view: a kind of navigation, or true for a page that came back from the bfcache. */
type Cause = string | true | Event | null;

/**
 * Counts a view if the address differs from the last one. An address replaced in place counts only with another
 * path: shops write the chosen variant or filter into the query that way.
 */
export const view = guard((cause?: Cause): void => {
  const before = last;
  last = here();
  // oxlint-disable-next-line unicorn/prefer-string-starts-ends-with -- the cause may be an event or null
  const ignored = /^repl/.test(cause as string) ? /\?.*/ : "";
  if (cause != true && last.replace(ignored, "") == before.replace(ignored, "")) return;
  const event = add("page_viewed", undefined, before || document.referrer);
  // A single-page app sets its title after it has changed the address.
  setTimeout(() => (event.title = document.title), Delay.TitleMs);
  if (config.cart && last.match(config.cart)) add("cart_viewed");
  if (config.thanks && last.match(config.thanks)) add("checkout_completed");
});

declare const navigation: EventTarget;

/** Every later view of this document: routes of a single-page app, returns from the bfcache. */
export const watchViews = (): void => {
  on<PageTransitionEvent>("pageshow", ({ persisted }) => {
    if (persisted) {
      reloadVisitor();
      view(true);
      resume();
    }
  });
  if (window.navigation)
    navigation.addEventListener("currententrychange", (event: Event & { navigationType?: string | null }) =>
      view(event.navigationType),
    );
  else {
    on("popstate", view);
    (["pushState", "replaceState"] as const).map((method) => {
      const original = history[method];
      history[method] = function (...args) {
        original.apply(this, args);
        view(method);
      };
    });
  }
};
