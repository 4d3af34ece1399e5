import type { Visit } from "./state";
import { sameCampaign, type Touch } from "../collect";

/** Inactivity that ends a visit, ms. */
export const VISIT_GAP_MS = 30 * 60_000;

/**
 * The visit that an event belongs to. A gap of more than 30 minutes starts a new one, and so does arriving by a new
 * campaign; midnight does not. A late event (sent after a newer one) stays in the visit that is open.
 */
export function nextVisit(open: Visit | null, at: number, touch: Touch | null, lastNo: number): Visit {
  const arrives = touch ?? DIRECT;
  // A visit may begin with an event that is no page view, such as the link token of the page about to be viewed.
  if (open !== null && touch !== null && open.touch.landingUrl === null && at - open.lastAt <= VISIT_GAP_MS) {
    return { ...open, lastAt: Math.max(open.lastAt, at), touch };
  }
  if (open === null || at - open.lastAt > VISIT_GAP_MS || (touch !== null && isNewCampaign(open.touch, touch))) {
    return { no: lastNo + 1, startedAt: at, lastAt: at, touch: arrives };
  }
  return at > open.lastAt ? { ...open, lastAt: at } : open;
}

/** From the first to the last event of a visit, ms. */
export function lengthOf({ startedAt, lastAt }: Visit): number {
  return lastAt - startedAt;
}

const DIRECT: Touch = {
  source: null,
  medium: null,
  campaign: null,
  term: null,
  content: null,
  clickId: null,
  channel: "direct",
  referrer: null,
  landingUrl: null,
};

function isNewCampaign(open: Touch, touch: Touch): boolean {
  return (touch.campaign !== null || touch.medium !== null || touch.clickId !== null) && !sameCampaign(open, touch);
}
