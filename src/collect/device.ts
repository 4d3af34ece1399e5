import { parse } from "bowser";

export interface Device {
  type: "desktop" | "mobile" | "tablet" | "tv" | "other";
  browser: string | null;
  os: string | null;
}

const MOST = 2_000;

/** Per isolate: parsing costs more than everything else on the beacon's way, and agents repeat. */
const seen = new Map<string, Device>();

/** What a user agent says it is: names without versions, which nobody needs to tell devices apart. */
export function deviceOf(userAgent: string | null): Device | null {
  if (!userAgent) return null;
  const agent = userAgent.slice(0, 512);
  const known = seen.get(agent);
  if (known) return known;
  const { browser, os, platform } = parse(agent);
  const device: Device = {
    type: TYPES[platform.type ?? ""] ?? "other",
    browser: browser.name?.slice(0, 60) || null,
    os: os.name?.slice(0, 60) || null,
  };
  if (seen.size >= MOST) seen.clear();
  seen.set(agent, device);
  return device;
}

const TYPES: Record<string, Device["type"]> = { desktop: "desktop", mobile: "mobile", tablet: "tablet", tv: "tv" };
