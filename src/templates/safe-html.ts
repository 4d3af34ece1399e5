const FORBIDDEN = new Set([
  "script",
  "iframe",
  "object",
  "embed",
  "form",
  "input",
  "button",
  "link",
  "base",
  "frame",
  "frameset",
]);

const TAG = /<([a-z][\w-]*)((?:"[^"]*"|'[^']*'|[^<>"'])*)>/gi;
const ATTRIBUTE = /([^\s=/"']+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/g;

/** Addresses that a message may lead to. */
const LINK = /^(?:https?:|mailto:|tel:|sms:|#|ffliquid\d+x)/i;

/** What of a template's markup no e-mail may hold, for the merchant; Liquid has been taken out. */
export function unsafeMarkup(html: string): string[] {
  const problems = new Set<string>();
  for (const [, name = "", attributes = ""] of html.matchAll(TAG)) {
    const element = name.toLowerCase();
    if (FORBIDDEN.has(element)) problems.add(`has <${element}>, which mail programs take out`);
    for (const [, key = "", double, single, bare] of attributes.matchAll(ATTRIBUTE)) {
      const attribute = key.toLowerCase();
      const value = (double ?? single ?? bare ?? "").trim();
      if (attribute.startsWith("on")) problems.add(`has ${attribute}=, which mail programs take out`);
      if (attribute === "href" && value !== "" && !LINK.test(value))
        problems.add(`links to ${value.slice(0, 60)}, which is no address of the web`);
    }
  }
  return [...problems];
}

/**
 * A rendered message without what data could have smuggled in: links that are no addresses of the web lose theirs, and
 * scripts are taken out.
 *
 * @returns the HTML and every web address that it links to, in their order and each once
 */
export async function cleanHtml(html: string): Promise<{ html: string; links: string[] }> {
  const links = new Set<string>();
  const cleaned = new HTMLRewriter()
    .on("script, iframe, object, embed, form, base", { element: (element) => void element.remove() })
    .on("*", {
      element(element) {
        for (const [name, value] of Array.from(element.attributes)) {
          if (
            name?.startsWith("on") ||
            (name === "src" && value !== undefined && !/^(?:https:|http:|cid:|data:image\/)/i.test(value.trim()))
          ) {
            element.removeAttribute(name ?? "");
          }
        }
      },
    })
    .on("a[href], area[href]", {
      element(element) {
        const href = decoded(element.getAttribute("href") ?? "");
        if (/^https?:\/\//i.test(href) && URL.canParse(href)) links.add(href);
        else if (!/^(?:mailto:|tel:|sms:|#)/i.test(href)) element.removeAttribute("href");
      },
    })
    .transform(new Response(html));
  return { html: await cleaned.text(), links: [...links] };
}

/** HTMLRewriter hands attributes over as they are written. */
function decoded(attribute: string): string {
  return attribute
    .trim()
    .replaceAll("&amp;", "&")
    .replaceAll("&quot;", '"')
    .replaceAll(/&#(?:39|x27);/gi, "'");
}
