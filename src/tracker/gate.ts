import { Key } from "./config.ts";
import { config } from "./settings.ts";
import { read, remember } from "./storage.ts";
import type { Consent } from "./wire.ts";

/** While truthy, nothing is stored or sent: a page rendered in advance, or Shopify's consent not known yet. */
export let held: unknown = (document as { prerendering?: boolean }).prerendering;

/** Shuts or opens the gate; `consent` holds for this page only, an explicit decision that is stored goes before it. */
export const hold = (reason: unknown, consent?: Consent): unknown => {
  remember(Key.Consent, consent);
  return (held = reason);
};

/** True: send. False: refused or excluded, drop. Undefined: nothing decided yet, keep in memory. */
export const verdict = (): boolean | undefined => {
  const consent = read<Consent>(Key.Consent);
  if (read(Key.Excluded)) return false;
  if (consent) return consent.analytics;
  return config.c || (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl ? undefined : true;
};

/** Whether something may be stored and sent now. */
export const isOpen = (): unknown => !held && verdict();
