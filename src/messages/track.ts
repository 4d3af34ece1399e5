import type { Channel } from "./queue";

/** How the links of a message are tracked. */
export interface Tracking {
  /** Makes the address that leads to the link of this index. */
  clickUrl: (index: number) => Promise<string>;
  /** Address of the pixel; null for none. */
  openUrl: string | null;
  clicks: boolean;
  /** Links that stay as they are: our own pages. */
  own: readonly string[];
  /** Added to links that do not have them. */
  utm: Readonly<Record<string, string>>;
}

export interface Body {
  html: string | null;
  text: string;
}

/** Links of one message: more than that are left as they are. */
const MOST_LINKS = 200;

/** An address in plain text. Full stops and the like at its end belong to the sentence. */
const IN_TEXT = /https?:\/\/[^\s<>"']+/g;
const TRAILING = /[.,;:!?)\]}]+$/;

/**
 * A message whose links lead through the tracking redirect and whose HTML ends in a pixel. Links other than http(s),
 * and our own pages, stay.
 *
 * @returns the message, and where each index leads
 */
export async function track(message: Body, tracking: Tracking): Promise<Body & { links: string[] }> {
  const links: string[] = [];
  const replace = async (address: string): Promise<string> => {
    const url = URL.parse(address);
    if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) return address;
    if (tracking.own.some((own) => address.startsWith(own))) return address;
    const target = withParameters(url, tracking.utm);
    if (!tracking.clicks) return target;
    let index = links.indexOf(target);
    if (index === -1) {
      if (links.length >= MOST_LINKS) return target;
      index = links.push(target) - 1;
    }
    return tracking.clickUrl(index);
  };
  const html = message.html === null ? null : await trackHtml(message.html, replace, tracking.openUrl);
  return { html, text: await trackText(message.text, replace), links };
}

function withParameters(url: URL, parameters: Readonly<Record<string, string>>): string {
  const missing = Object.entries(parameters).filter(([name]) => !url.searchParams.has(name));
  if (missing.length === 0) return url.href;
  // Joined by hand: setting a parameter would write the whole query anew, and a shop's own signature would not hold.
  const [base, fragment] = splitOnce(url.href, "#");
  const query = missing.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  return `${base}${base.includes("?") ? "&" : "?"}${query}${fragment === null ? "" : `#${fragment}`}`;
}

function splitOnce(text: string, mark: string): [string, string | null] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}

async function trackHtml(
  html: string,
  replace: (address: string) => Promise<string>,
  openUrl: string | null,
): Promise<string> {
  const rewriter = new HTMLRewriter().on("a[href], area[href]", {
    async element(element) {
      const href = element.getAttribute("href")?.trim() ?? "";
      const next = await replace(href.replaceAll("&amp;", "&"));
      if (next !== href) element.setAttribute("href", next);
    },
  });
  const marked = await rewriter.transform(new Response(html)).text();
  return openUrl === null ? marked : beforeEnd(marked, pixel(openUrl));
}

const pixel = (url: string) => `<img src="${url}" width="1" height="1" alt="" style="display:none">`;

/** The HTML with something more at the end of its body. */
export function beforeEnd(html: string, more: string): string {
  const end = html.toLowerCase().lastIndexOf("</body>");
  return end === -1 ? html + more : html.slice(0, end) + more + html.slice(end);
}

async function trackText(text: string, replace: (address: string) => Promise<string>): Promise<string> {
  let tracked = "";
  let last = 0;
  for (const match of text.matchAll(IN_TEXT)) {
    const address = match[0].replace(TRAILING, "");
    tracked += text.slice(last, match.index) + (await replace(address));
    last = match.index + address.length;
  }
  return tracked + text.slice(last);
}

/** Parameters by which reports of others know where a visit came from. */
export function utmOf(channel: Channel, campaign: string | null): Record<string, string> {
  return { utm_source: "footfall", utm_medium: channel, ...(campaign === null ? {} : { utm_campaign: campaign }) };
}
