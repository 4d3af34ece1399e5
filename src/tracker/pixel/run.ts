import { Key, type PixelConfig } from "../config.ts";
import type { Beacon, Consent } from "../wire.ts";
import { stored, storedConsent, visitorId } from "./identity.ts";
import { toEvents } from "./map.ts";
import type { PixelEvent, Privacy, Sandbox } from "./sandbox.ts";

const RETRY_MS = 2_000;
const MOST_EVENTS = 100;
/** A checkout may weigh 15 KB; a body may weigh 64. */
const MOST_PER_BODY = 4;

/**
 * Follows what Shopify's pixel API tells, with the visitor's permission only. The same for the custom pixel, which a
 * merchant pastes, and for the pixel of a deployed app.
 */
export function runPixel({ analytics, browser, init, customerPrivacy }: Sandbox, config: PixelConfig): void {
  let privacy: Privacy | undefined = init.customerPrivacy;
  /** The visitor has answered while this pixel was there. */
  let answered = false;
  /** Until consent, and until sent, events are here and nowhere else. */
  let waiting: PixelEvent[] = [];
  let sending = false;

  /** What may be sent: a permission of Shopify, but not against a refusal kept by `/ff.js`, nor unasked against GPC. */
  async function permission(): Promise<Consent | undefined> {
    const kept = answered ? undefined : await storedConsent(browser);
    const unasked = !answered && !kept?.analytics;
    const gpc = (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl;
    if (!privacy?.analyticsProcessingAllowed || kept?.analytics === false || (unasked && gpc)) return undefined;
    if (await stored(browser, Key.Excluded)) return undefined;
    return { analytics: true, marketing: privacy.marketingAllowed === true };
  }

  async function flush(): Promise<void> {
    if (sending) return;
    sending = true;
    try {
      for (let pause = RETRY_MS; waiting.length > 0;) {
        const consent = await permission();
        if (!consent) return;
        const batch = waiting.slice(0, MOST_PER_BODY);
        if (await deliver(batch, consent)) waiting = waiting.filter((event) => !batch.includes(event));
        else {
          await new Promise((resume) => setTimeout(resume, pause));
          pause *= 2;
        }
      }
    } finally {
      sending = false;
    }
  }

  /** False when these events should be sent again: no answer, or one that asks to come back later. */
  async function deliver(batch: PixelEvent[], consent: Consent): Promise<boolean> {
    const visitor = await visitorId(browser, batch);
    const beacon: Beacon = {
      shop: config.s,
      visitor,
      events: batch.flatMap((event) => toEvents(event, config.t === 1, init.data?.cart?.id)),
      consent,
      sent: Date.now(),
      pixel: config.k,
    };
    try {
      // A string body is text/plain: no preflight, which the sandbox's origin `null` could not pass.
      const { status } = await fetch(config.o + "/ff", {
        method: "POST",
        body: JSON.stringify(beacon),
        keepalive: true,
      });
      return status < 429;
    } catch {
      return false;
    }
  }

  const send = (): void => {
    flush().catch(() => undefined);
  };

  analytics.subscribe("all_standard_events", (event) => {
    if (toEvents(event, config.t === 1).length === 0) return;
    waiting = [...waiting, event].slice(-MOST_EVENTS);
    send();
  });

  customerPrivacy.subscribe("visitorConsentCollected", ({ customerPrivacy: now }) => {
    privacy = now;
    answered = true;
    const { analyticsProcessingAllowed: analytics = false, marketingAllowed: marketing = false } = now;
    if (analytics) send();
    else waiting = [];
    browser.localStorage.setItem(Key.Consent, JSON.stringify({ analytics, marketing })).catch(() => undefined);
  });
}
