import type { ProviderName } from "../messages/providers";
import type { DomainCheck } from "./schemas";

/** What DNS says under the names that matter; values of TXT records, joined. */
export interface DomainFacts {
  spf: string[];
  /** By selector. */
  dkim: Record<string, string[]>;
  /** Where the policy was found, and the records there; the names above are asked when there is none. */
  dmarc: { name: string; found: string[] };
}

export interface Domain {
  domain: string;
  provider: ProviderName;
  selectors: string[];
  /** Mailgun's own name of the sending domain. */
  providerDomain?: string | undefined;
}

interface Expected {
  /** Host of the return path, whose SPF counts. */
  returnPath: (domain: Domain) => string;
  /** What its SPF has to include; null where that is the merchant's own server. */
  include: string | null;
  selectors: string[];
  /** Where a DKIM name points to; null where only the provider's page tells. */
  target: (selector: string) => string | null;
}

const own = { returnPath: ({ domain }: Domain) => domain, include: null, selectors: [], target: () => null };

/** As each provider's page on its sending domains has it. */
const EXPECTED: Record<ProviderName, Expected> = {
  resend: { ...own, returnPath: ({ domain }) => `send.${domain}`, include: "amazonses.com", selectors: ["resend"] },
  postmark: { ...own, include: "spf.mtasv.net" },
  sendgrid: { ...own, include: "sendgrid.net", selectors: ["s1", "s2"] },
  mailgun: { ...own, returnPath: ({ domain, providerDomain }) => providerDomain ?? domain, include: "mailgun.org" },
  ses: { ...own, include: "amazonses.com", target: (selector) => `${selector}.dkim.amazonses.com` },
  smtp: own,
  cloudflare: { ...own, returnPath: ({ domain }) => `cf-bounce.${domain}`, include: "_spf.mx.cloudflare.net" },
  twilio: own,
  development: own,
};

/** The names to ask: for SPF, and per selector for DKIM. */
export function namesToAsk(domain: Domain): { spf: string; dkim: Record<string, string> } {
  const expected = EXPECTED[domain.provider];
  const selectors = domain.selectors.length > 0 ? domain.selectors : expected.selectors;
  return {
    spf: expected.returnPath(domain),
    dkim: Object.fromEntries(selectors.map((selector) => [selector, `${selector}._domainkey.${domain.domain}`])),
  };
}

/** `_dmarc` of the domain and of each name above it down to two labels: the nearest policy counts (RFC 9989, RFC 7489). */
export function dmarcNames(domain: string): string[] {
  const labels = domain.split(".");
  return labels.slice(0, -1).map((_, from) => `_dmarc.${labels.slice(from).join(".")}`);
}

type Finding = DomainCheck["spf"]["state"];
type Pasted = DomainCheck["records"][number];

/** What the records say, and which are missing. */
export function judgeDomain(domain: Domain, facts: DomainFacts): DomainCheck {
  const names = namesToAsk(domain);
  const spf = judgeSpf(domain, names.spf, facts.spf);
  const dkim = judgeDkim(domain, names.dkim, facts.dkim);
  const dmarc = judgeDmarc(domain.domain, facts.dmarc);
  return {
    domain: domain.domain,
    ready: [spf, dkim, dmarc].every(({ check }) => check.state === "pass"),
    spf: spf.check,
    dkim: dkim.check,
    dmarc: dmarc.check,
    records: [...spf.records, ...dkim.records, ...dmarc.records],
  };
}

function judgeSpf({ domain, provider }: Domain, name: string, texts: string[]) {
  const { include } = EXPECTED[provider];
  const found = texts.filter((text) => /^v=spf1(?: |$)/i.test(text));
  const first = found[0] ?? null;
  const wanted = include === null ? null : `include:${include}`;
  const state = spfState(found, wanted);
  // Relaxed alignment (RFC 7489, 3.1.2): the return path may be a part of the From domain. Which one a provider uses
  // is known for some of them.
  const aligned = name === domain ? null : name.endsWith(`.${domain}`) || domain.endsWith(`.${name}`);
  const records: Pasted[] = [];
  if (state !== "pass") {
    const why = {
      missing: "Nobody is named yet who may send for this name",
      incomplete: `The record does not name ${include ?? "a sender"}`,
      invalid: found.length > 1 ? "There are several; keep this one alone" : "The record lets anybody send (+all)",
    };
    records.push({ type: "TXT", name, value: spfToPaste(first, wanted), why: why[state] });
  }
  return { check: { state, name, found: found.length > 0 ? found.join("\n") : null, aligned }, records };
}

function spfState(found: string[], wanted: string | null): Finding {
  const [first] = found;
  if (first === undefined) return "missing";
  // Several are an error for every receiver (RFC 7208, 4.5).
  if (found.length > 1 || /(?:^| )\+?all(?: |$)/i.test(first)) return "invalid";
  return wanted === null || first.toLowerCase().split(/ +/).includes(wanted) ? "pass" : "incomplete";
}

/** What is there with the provider added before what closes it; a new one where nothing is. */
function spfToPaste(first: string | null, wanted: string | null): string | null {
  if (first === null) return wanted === null ? null : `v=spf1 ${wanted} ~all`;
  const terms = first.split(/ +/).filter((term) => term !== "" && !/^[+~?-]?all$/i.test(term));
  if (wanted !== null && !terms.some((term) => term.toLowerCase() === wanted)) terms.push(wanted);
  const closing = /(?:^| )([~?-]all)(?: |$)/i.exec(first)?.[1] ?? "~all";
  return [...terms, closing].join(" ");
}

function judgeDkim({ provider }: Domain, names: Record<string, string>, texts: Record<string, string[]>) {
  const { target } = EXPECTED[provider];
  const selectors = Object.entries(names).map(([selector, name]) => {
    const found = (texts[selector] ?? []).find((text) => /(?:^|;)\s*p=/i.test(text)) ?? null;
    return { selector, name, found, state: dkimState(found) };
  });
  const records = selectors
    .filter(({ state }) => state !== "pass")
    .map(({ selector, name, state }): Pasted => {
      const value = target(selector);
      const why = state === "invalid" ? "The key was taken back (p= is empty)" : "The key that signs is not there";
      return { type: value === null ? "TXT" : "CNAME", name, value, why };
    });
  const state: Finding = selectors.some((one) => one.state === "pass") ? "pass" : (selectors[0]?.state ?? "missing");
  const shown = selectors.map(({ name, found, state }) => ({ name, found, state }));
  // One key in place is enough: providers change them in turn.
  return { check: { state, selectors: shown }, records: state === "pass" ? [] : records };
}

function dkimState(found: string | null): Finding {
  if (found === null) return "missing";
  return /(?:^|;)\s*p=\s*[A-Za-z0-9+/]/i.test(found) ? "pass" : "invalid";
}

function judgeDmarc(domain: string, { name, found: texts }: DomainFacts["dmarc"]) {
  const found = texts.filter((text) => /^v=DMARC1\s*(?:;|$)/.test(text));
  const policy = /;\s*p\s*=\s*(none|quarantine|reject)\b/i.exec(found[0] ?? "")?.[1]?.toLowerCase() ?? null;
  const state: Finding = found.length === 0 ? "missing" : found.length > 1 || policy === null ? "invalid" : "pass";
  const records: Pasted[] = [];
  if (state !== "pass") {
    const why = state === "missing" ? "Receivers are told no policy" : "It is not one record with a policy (p=)";
    records.push({
      type: "TXT",
      name: state === "missing" ? `_dmarc.${domain}` : name,
      value: "v=DMARC1; p=none",
      why,
    });
  }
  return { check: { state, name, found: found.length > 0 ? found.join("\n") : null, policy }, records };
}
