import { z } from "zod";

import { config } from "../config";
import type { Ctx } from "../context";
import { AppError } from "../errors";
import { dmarcNames, type Domain, judgeDomain, namesToAsk } from "./domain-rules";
import type { DomainCheck } from "./schemas";
import { asSender, openSender, type SenderRow } from "./sender";
import { providerOf } from "./write";

const TIMEOUT_MS = 5_000;

const NO_ERROR = 0;
const NO_SUCH_NAME = 3;
const TXT = 16;

/** DNS in JSON: https://developers.cloudflare.com/1.1.1.1/encryption/dns-over-https/make-api-requests/dns-json/. */
const Reply = z.object({
  Status: z.int(),
  Answer: z.array(z.object({ type: z.int(), data: z.string() })).optional(),
});

const Selectors = z.array(z.string());

/**
 * Whether receivers will believe that the sender's provider may send for its domain, by what DNS says now, and what to
 * paste where not. Throws 422 for senders without a domain and 503 while the resolver does not answer.
 */
export async function checkDomain(ctx: Ctx, row: SenderRow): Promise<DomainCheck> {
  if (row.channel !== "email") throw new AppError("unprocessable", "Only senders of e-mail have a domain");
  const { credentials } = await openSender(ctx.env, asSender(row));
  const domain: Domain = {
    domain: row.fromAddress.slice(row.fromAddress.lastIndexOf("@") + 1).toLowerCase(),
    provider: providerOf(row),
    selectors: Selectors.parse(JSON.parse(row.dkimSelectors)),
    providerDomain: credentials["domain"]?.toLowerCase(),
  };
  const ask = (name: string) => texts(config(ctx.env).dnsResolver, name);
  const names = namesToAsk(domain);
  const [spf, dmarc, dkim] = await Promise.all([
    ask(names.spf),
    nearestPolicy(domain.domain, ask),
    Promise.all(Object.entries(names.dkim).map(async ([selector, name]) => [selector, await ask(name)] as const)),
  ]);
  return judgeDomain(domain, { spf, dmarc, dkim: Object.fromEntries(dkim) });
}

async function nearestPolicy(domain: string, ask: (name: string) => Promise<string[]>) {
  const names = dmarcNames(domain);
  for (const name of names) {
    const found = (await ask(name)).filter((text) => text.startsWith("v=DMARC1"));
    if (found.length > 0) return { name, found };
  }
  return { name: names[0] ?? `_dmarc.${domain}`, found: [] };
}

/** The TXT records of a name, the pieces of each joined; empty where there are none. */
async function texts(resolver: string, name: string): Promise<string[]> {
  const url = new URL(resolver);
  url.searchParams.set("name", name);
  url.searchParams.set("type", "TXT");
  const response = await fetch(url, {
    headers: { accept: "application/dns-json" },
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => null);
  const reply = response?.ok ? Reply.safeParse(await response.json().catch(() => null)).data : undefined;
  if (!reply || ![NO_ERROR, NO_SUCH_NAME].includes(reply.Status)) {
    throw new AppError("unavailable", "The resolver of domain names does not answer; try again");
  }
  return (reply.Answer ?? []).filter(({ type }) => type === TXT).map(({ data }) => unquoted(data));
}

/** `"one " "two"` is one text of two pieces. */
function unquoted(data: string): string {
  const pieces = [...data.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, piece = ""]) => piece.replaceAll(/\\(.)/g, "$1"));
  return (pieces.length > 0 ? pieces.join("") : data).trim();
}
