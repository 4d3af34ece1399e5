/** What of a request tells a machine from a person. */
export interface Asking {
  userAgent: string | null;
  /** `Purpose`, `Sec-Purpose` and `X-Moz`, whichever is there. */
  purpose: string | null;
  /** Name of the network that the request came from, as Cloudflare knows it. */
  network: string | null;
  /** Since the message was sent, ms; null where that is not known. */
  sinceSent: number | null;
}

/** Security scanners and link checkers by their names. */
const SCANNERS =
  /barracuda|proofpoint|mimecast|symantec|messagelabs|brightmail|trendmicro|fireeye|forcepoint|sophos|cisco|ironport|fortinet|checkpoint|avanan|zscaler|bitdefender|google-safety|safebrowsing|urlscan|virustotal|linkcheck|linkpreview|preview|scanner|crawler|spider|bot\b|curl|wget|python|java\/|okhttp|go-http|headless|phantomjs|axios|node-fetch|libwww|httpclient|facebookexternalhit|whatsapp|telegram|slack|skypeuripreview|microsoft office|ms-office/i;

/** Networks of mail security services, which use ordinary browsers' names. */
const SCANNER_NETWORKS = /barracuda|proofpoint|mimecast|symantec|trend micro|cisco ironport|forcepoint|zscaler/i;

/** Nobody reads and presses that soon. */
const SOONEST_CLICK_MS = 3_000;
const SOONEST_OPEN_MS = 1_000;

/**
 * True for an opening that a machine made. Apple's Mail Privacy Protection loads every picture of every mail under the
 * bare name `Mozilla/5.0`, read or not; the proxies of Google and Yahoo load them when a person opens the mail.
 */
export function isMachineOpen(asking: Asking): boolean {
  const agent = asking.userAgent?.trim() ?? "";
  if (/GoogleImageProxy|YahooMailProxy/.test(agent)) return isEarly(asking, SOONEST_OPEN_MS) || isPrefetch(asking);
  return agent === "Mozilla/5.0" || isScanner(asking, agent) || isEarly(asking, SOONEST_OPEN_MS);
}

/** True for a click that a machine made: a scanner that follows every link as soon as the mail arrives. */
export function isMachineClick(asking: Asking): boolean {
  return isScanner(asking, asking.userAgent?.trim() ?? "") || isEarly(asking, SOONEST_CLICK_MS);
}

function isScanner(asking: Asking, agent: string): boolean {
  if (agent === "" || agent === "Mozilla/5.0" || SCANNERS.test(agent) || isPrefetch(asking)) return true;
  return asking.network !== null && SCANNER_NETWORKS.test(asking.network);
}

function isPrefetch({ purpose }: Asking): boolean {
  return /prefetch|prerender|preview/i.test(purpose ?? "");
}

function isEarly({ sinceSent }: Asking, soonest: number): boolean {
  return sinceSent !== null && sinceSent < soonest;
}

/** What a request tells. */
export function askingOf(request: Request, sentAt: number | null, now: number): Asking {
  const { headers, cf } = request;
  const network = cf?.["asOrganization"];
  return {
    userAgent: headers.get("user-agent"),
    purpose: headers.get("sec-purpose") ?? headers.get("purpose") ?? headers.get("x-moz") ?? headers.get("x-purpose"),
    network: typeof network === "string" ? network : null,
    sinceSent: sentAt === null ? null : now - sentAt,
  };
}
