import { consent, flush, guard, hold, isOpen, on } from "./borrowed.ts";
import { readCart, seen } from "./cart.ts";
import { theme } from "./theme.ts";
import type { Consent } from "../wire.ts";

/** `visitorConsentCollected` on the document; the pixel's event of that name has other property names. */
type Collected = CustomEvent<{ analyticsAllowed: boolean; marketingAllowed: boolean }>;

/**
 * Opens the gate with what Shopify's Customer Privacy API allows. An answer of the visitor is remembered as one given
 * to us; a permission without an answer (no consent is needed there) counts for this page, and not against Global
 * Privacy Control. Until the API has loaded nothing is allowed; a page without the API follows the shop's mode.
 */
export const watchConsent = (): void => {
  const open = (given?: Consent): void => {
    hold(0, given);
    flush();
    // A cart that was read while the gate was shut is still without the visitor.
    if (seen) void readCart();
    // What the app embed has to tell of a customer who is signed in waits for the same permission.
    if (isOpen()) window.footfallAllowed?.();
  };
  on<Collected>("visitorConsentCollected", ({ detail }) => {
    const given = { analytics: detail.analyticsAllowed, marketing: detail.marketingAllowed };
    consent(given);
    open(given);
  });
  if (!theme.loadFeatures) open();
  else
    theme.loadFeatures(
      [{ name: "consent-tracking-api", version: "0.1" }],
      guard(() => {
        const privacy = theme.customerPrivacy;
        const answer = privacy.currentVisitorConsent().analytics;
        if (answer == "no") consent({});
        open({
          analytics:
            ((answer || !(navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl) &&
              privacy.analyticsProcessingAllowed()) ||
            undefined,
          marketing: privacy.marketingAllowed(),
        });
      }),
    );
};
