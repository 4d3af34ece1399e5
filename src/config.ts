import { z } from "zod";

import { fromBase64, type SealingKeys } from "./lib/crypto";

const EncryptionKey = z.string().refine((key) => fromBase64(key)?.length === 32, "must be 32 bytes of base64");

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Tokens travel to that address, so it has to be encrypted unless it is this machine. */
function isOriginTemplate(template: string): boolean {
  if (template === "") return true;
  const url = URL.parse(template.replaceAll("{shop}", "shop.myshopify.com"));
  if (!url || !template.includes("{shop}") || template.endsWith("/") || url.search !== "" || url.hash !== "")
    return false;
  return url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname));
}

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
  TRUST_GEO_HEADERS: z.enum(["on", "off", "true", "false", "1", "0", ""]).optional(),
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
  trustGeoHeaders: boolean;
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
      trustGeoHeaders: ["on", "true", "1"].includes(s.TRUST_GEO_HEADERS ?? ""),
    },
  };
  return parsed.config;
}
