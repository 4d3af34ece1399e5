import { TOKEN, withoutToken } from "./address.ts";
import { consent, exclude, forget } from "./decisions.ts";
import { watchForms } from "./forms.ts";
import { held, hold, isOpen } from "./gate.ts";
import { guard, on } from "./guard.ts";
import { add, flush, resume } from "./queue.ts";
import { read, write } from "./storage.ts";
import { config } from "./settings.ts";
import { view, watchViews } from "./views.ts";
import { visitor } from "./visitor.ts";
import type { ShopifyPart } from "./shopify.ts";
import type { Claim } from "./wire.ts";

/** Names that the beacon takes as they are; every other becomes `custom:name`. */
const STANDARD =
  /^((page|product|collection|cart)_viewed|product_\w+_cart|cart_updated|checkout_\w+|(payment_info|search|form)_submitted|identified|custom:.+)$/;

const api: Record<string, unknown> = {
  identify: (who: string | Claim) => add("identified", (who as string).trim ? { email: who } : who),
  track: (name: string, data?: unknown) => add(STANDARD.test(name) ? name : "custom:" + name, data),
  cart: (data: unknown) => add("cart_updated", data),
  purchase: (data: unknown) => add("checkout_completed", data),
  consent,
  exclude,
  forget,
  /** Calls made before the script was there are arrays in a list of this name. */
  push: ([name, ...args]: [string, ...unknown[]]) => (api[name] as (...args: unknown[]) => unknown)(...args),
};

const start = guard((early?: { map?: (work: unknown) => unknown }): void => {
  if (hold((window as { Shopify?: { shop?: string } }).Shopify?.shop))
    import(config.o + "/tracker/shopify.js")
      .then((part: ShopifyPart) => part.default(add, consent, flush, guard, hold, isOpen, on, read, visitor, write))
      .catch(() => 0);
  const token = TOKEN.exec(location.href)?.[1];
  view();
  if (token) add("identified", { token });
  watchForms();
  on("visibilitychange", flush);
  on("pagehide", flush);
  on("online", resume);
  early?.map?.(api["push"]);
  watchViews();
  if (token) history.replaceState(history.state, "", withoutToken());
});

guard(() => {
  const global = window as { footfall?: { track?: unknown; map?: (work: unknown) => unknown } };
  const early = global.footfall;
  // A second copy of the snippet stays away. The list of early calls may be a proxy that answers to every name.
  if (early?.track && !early.map) return;
  for (const name in api) api[name] = guard(api[name] as () => void);
  global.footfall = api;
  if (held) on("prerenderingchange", () => start(early));
  else start(early);
})();
