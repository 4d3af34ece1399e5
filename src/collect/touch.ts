import { cleanReferrer, cleanUrl } from "./clean";

export type Channel =
  | "paid_search"
  | "paid_social"
  | "display"
  | "email"
  | "sms"
  | "affiliate"
  | "organic_search"
  | "organic_social"
  | "ai_assistant"
  | "referral"
  | "direct"
  | "other";

/** How a visit came about. */
export interface Touch {
  source: string | null;
  medium: string | null;
  campaign: string | null;
  term: string | null;
  content: string | null;
  /** Name of the advertiser's click parameter, never its value. */
  clickId: string | null;
  channel: Channel;
  referrer: string | null;
  landingUrl: string | null;
}

/** Click parameters and who sets them. */
const CLICK_IDS: Record<string, { source: string; paid: Channel }> = {
  gclid: { source: "google", paid: "paid_search" },
  gbraid: { source: "google", paid: "paid_search" },
  wbraid: { source: "google", paid: "paid_search" },
  msclkid: { source: "bing", paid: "paid_search" },
  fbclid: { source: "facebook", paid: "organic_social" },
  ttclid: { source: "tiktok", paid: "paid_social" },
  twclid: { source: "twitter", paid: "paid_social" },
  li_fat_id: { source: "linkedin", paid: "paid_social" },
  epik: { source: "pinterest", paid: "paid_social" },
  ScCid: { source: "snapchat", paid: "paid_social" },
  dclid: { source: "google", paid: "display" },
};

/** Referring hosts by the label before the public suffix; a host matches on label boundaries only. */
const REFERRERS: [Channel, Record<string, string>][] = [
  [
    "organic_search",
    {
      google: "google", bing: "bing", duckduckgo: "duckduckgo", yahoo: "yahoo", ecosia: "ecosia", baidu: "baidu",
      yandex: "yandex", qwant: "qwant", startpage: "startpage", brave: "brave", naver: "naver", seznam: "seznam",
    },
  ],
  [
    "organic_social",
    {
      facebook: "facebook", instagram: "instagram", tiktok: "tiktok", pinterest: "pinterest", twitter: "twitter",
      x: "twitter", t: "twitter", linkedin: "linkedin", lnkd: "linkedin", youtube: "youtube", reddit: "reddit",
      snapchat: "snapchat", threads: "threads", bsky: "bluesky", tumblr: "tumblr", vk: "vk",
    },
  ],
  [
    "ai_assistant",
    {
      chatgpt: "chatgpt", openai: "chatgpt", perplexity: "perplexity", claude: "claude", copilot: "copilot",
      gemini: "gemini",
    },
  ],
]; // prettier-ignore

/** Hosts whose product is told by their full name. */
const EXACT: Record<string, [Channel, string]> = {
  "gemini.google.com": ["ai_assistant", "gemini"],
  "copilot.microsoft.com": ["ai_assistant", "copilot"],
  "mail.google.com": ["email", "gmail"],
  "outlook.live.com": ["email", "outlook"],
};

/**
 * Where a page view came from, read from its address and referrer. Null when it is a step inside the site, which is no
 * arrival: same host as referrer and no campaign in the address.
 */
export function touchOf(url: string | null, referrer: string | null, keepParams: readonly string[]): Touch | null {
  const page = parseUrl(url);
  if (!page) return null;
  const from = parseUrl(referrer);
  const param = (name: string) => page.searchParams.get(name)?.trim().slice(0, 200) || null;
  const clickId = Object.keys(CLICK_IDS).find((name) => page.searchParams.has(name)) ?? null;
  const source = param("utm_source") ?? param("source") ?? param("ref");
  const medium = param("utm_medium");
  const campaign = param("utm_campaign");
  const tagged = source !== null || medium !== null || campaign !== null || clickId !== null;
  if (!tagged && from && isInternal(from.hostname, page.hostname)) return null;

  const external = from && !isInternal(from.hostname, page.hostname) ? from : null;
  const known = external ? referrerOf(external.hostname) : null;
  const click = clickId ? CLICK_IDS[clickId] : undefined;
  return {
    source: source?.toLowerCase() ?? click?.source ?? known?.source ?? external?.hostname.replace(/^www\./, "") ?? null,
    medium: medium?.toLowerCase() ?? null,
    campaign,
    term: param("utm_term"),
    content: param("utm_content"),
    clickId,
    channel: channelOf(
      medium?.toLowerCase() ?? null,
      source?.toLowerCase() ?? null,
      click?.paid,
      known?.channel,
      external,
    ),
    referrer: external ? cleanReferrer(external) : null,
    landingUrl: cleanUrl(page.href, keepParams),
  };
}

/** The same campaign goes on: a reload or a second click does not start another visit. */
export function sameCampaign(a: Touch, b: Touch): boolean {
  return a.source === b.source && a.medium === b.medium && a.campaign === b.campaign && a.clickId === b.clickId;
}

function channelOf(
  medium: string | null,
  source: string | null,
  byClick: Channel | undefined,
  byReferrer: Channel | undefined,
  external: URL | null,
): Channel {
  const social = source !== null && (referrerOf(source)?.channel === "organic_social" || source in SOCIAL_ALIASES);
  if (medium !== null) {
    if (/^(cpc|ppc|paid.?search|sem)$/.test(medium)) return social ? "paid_social" : "paid_search";
    if (/^(paid.?social|social.?paid|paid|cpm.?social)$/.test(medium)) return social ? "paid_social" : "paid_search";
    if (/^(display|banner|cpm|programmatic)$/.test(medium)) return "display";
    if (/^(e-?mail|newsletter)$/.test(medium)) return "email";
    if (/^(sms|text|whatsapp)$/.test(medium)) return "sms";
    if (/^affiliates?$/.test(medium)) return "affiliate";
    if (medium.startsWith("social") || (social && medium === "referral")) return "organic_social";
    if (medium === "organic") return "organic_search";
    if (medium === "referral") return "referral";
  }
  if (byClick) return byClick;
  if (social) return "organic_social";
  if (byReferrer) return byReferrer;
  if (external) return "referral";
  return source !== null || medium !== null ? "other" : "direct";
}

const SOCIAL_ALIASES: Record<string, true> = { ig: true, fb: true, meta: true, tt: true, yt: true };

function referrerOf(host: string): { channel: Channel; source: string } | null {
  const exact = EXACT[host];
  if (exact) return { channel: exact[0], source: exact[1] };
  const labels = host.replace(/^www\./, "").split(".");
  for (const [channel, names] of REFERRERS) {
    for (const label of labels.length > 1 ? labels.slice(0, -1) : labels) {
      const source = Object.hasOwn(names, label) ? names[label] : undefined;
      if (source !== undefined && (label.length > 1 || labels.length === 2)) return { channel, source };
    }
  }
  return null;
}

function isInternal(a: string, b: string): boolean {
  const bare = (host: string) => host.replace(/^www\./, "");
  return bare(a) === bare(b);
}

function parseUrl(url: string | null): URL | null {
  const parsed = url ? URL.parse(url) : null;
  return parsed && /^https?:$/.test(parsed.protocol) ? parsed : null;
}
