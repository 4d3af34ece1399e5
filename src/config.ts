import { z } from "zod";

import { fromBase64, type SealingKeys } from "./lib/crypto";

const EncryptionKey = z.string().refine((key) => fromBase64(key)?.length === 32, "must be 32 bytes of base64");

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** True for the names of this machine. */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}

/** Tokens travel to that address, so it has to be encrypted unless it is this machine. */
function isOriginTemplate(template: string): boolean {
  if (template === "") return true;
  const url = URL.parse(template.replaceAll("{shop}", "shop.myshopify.com"));
  if (!url || !template.includes("{shop}") || template.endsWith("/") || url.search !== "" || url.hash !== "")
    return false;
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
}

/** Requests go there on our behalf, so it has to be encrypted unless it is this machine. */
function isServiceAddress(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
}

const Switch = z.enum(["on", "off", "true", "false", "1", "0", ""]).optional();

const isOn = (value: string | undefined) => ["on", "true", "1"].includes(value ?? "");

const Secrets = z.object({
  OPERATOR_TOKEN: z.string().min(16),
  SHOPIFY_API_KEY: z.string().min(1),
  SHOPIFY_API_SECRET: z.string().min(8),
  SHOPIFY_API_SECRET_PREVIOUS: z.string().optional(),
  ENCRYPTION_KEY: EncryptionKey,
  ENCRYPTION_KEY_PREVIOUS: z.union([z.literal(""), EncryptionKey]).optional(),
  SHOPIFY_ADMIN_ORIGIN: z
    .string()
    .refine(isOriginTemplate, "must be https (or http to this machine) with {shop} in it and without a trailing slash")
    .optional(),
  PUBLIC_ORIGIN: z.union([z.literal(""), z.url({ protocol: /^https?$/ })]).optional(),
  TRUST_GEO_HEADERS: Switch,
  DEVELOPMENT_SENDER: Switch,
  DNS_RESOLVER: z
    .union([z.literal(""), z.string().refine(isServiceAddress, "must be https, or http to this machine")])
    .optional(),
});

export interface Config {
  operatorToken: string;
  shopifyApiKey: string;
  /** The current secret first, then the one before while it is being rotated. */
  shopifySecrets: [string, ...string[]];
  encryptionKey: string;
  /** What seals and opens: `encryptionKey` first, then the one before while it is being replaced. */
  sealingKeys: SealingKeys;
  /** Where a store's Admin API is reached: `https://{domain}`, or through a proxy of one's own. */
  shopifyOrigin: (domain: string) => string;
  /** Where this installation is reached from outside, where that is set rather than learned. */
  publicOrigin: string | null;
  trustGeoHeaders: boolean;
  /** A channel without any sender gets one that sends nothing. */
  developmentSender: boolean;
  /** Where DNS is asked over HTTPS in JSON. */
  dnsResolver: string;
}

let parsed: { env: Env; config: Config } | null = null;

/**
 * The settings of this installation, parsed once per isolate. Throws with the names of what is missing or weak, so
 * that nothing is served with empty or example secrets.
 */
export function config(env: Env): Config {
  if (parsed?.env === env) return parsed.config;
  const result = Secrets.safeParse(env);
  if (!result.success) {
    const names = result.error.issues.map((issue) => `${issue.path.join(".")} (${issue.message})`);
    throw new Error(`settings are missing or too weak: ${names.join(", ")}`);
  }
  const s = result.data;
  parsed = {
    env,
    config: {
      operatorToken: s.OPERATOR_TOKEN,
      shopifyApiKey: s.SHOPIFY_API_KEY,
      shopifySecrets: s.SHOPIFY_API_SECRET_PREVIOUS
        ? [s.SHOPIFY_API_SECRET, s.SHOPIFY_API_SECRET_PREVIOUS]
        : [s.SHOPIFY_API_SECRET],
      encryptionKey: s.ENCRYPTION_KEY,
      sealingKeys: s.ENCRYPTION_KEY_PREVIOUS ? [s.ENCRYPTION_KEY, s.ENCRYPTION_KEY_PREVIOUS] : [s.ENCRYPTION_KEY],
      shopifyOrigin: (domain) => (s.SHOPIFY_ADMIN_ORIGIN || "https://{shop}").replaceAll("{shop}", domain),
      publicOrigin: s.PUBLIC_ORIGIN ? new URL(s.PUBLIC_ORIGIN).origin : null,
      trustGeoHeaders: isOn(s.TRUST_GEO_HEADERS),
      developmentSender: isOn(s.DEVELOPMENT_SENDER),
      dnsResolver: s.DNS_RESOLVER || "https://cloudflare-dns.com/dns-query",
    },
  };
  return parsed.config;
}
