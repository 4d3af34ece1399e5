import { z } from "zod";

import { fromBase64 } from "./lib/crypto";

const Secrets = z.object({
  OPERATOR_TOKEN: z.string().min(16),
  SHOPIFY_API_KEY: z.string().min(1),
  SHOPIFY_API_SECRET: z.string().min(8),
  SHOPIFY_API_SECRET_PREVIOUS: z.string().optional(),
  ENCRYPTION_KEY: z.string().refine((key) => fromBase64(key)?.length === 32, "must be 32 bytes of base64"),
  TRUST_GEO_HEADERS: z.enum(["on", "off", "true", "false", "1", "0", ""]).optional(),
});

export interface Config {
  operatorToken: string;
  shopifyApiKey: string;
  /** The current secret first, then the one before while it is being rotated. */
  shopifySecrets: [string, ...string[]];
  encryptionKey: string;
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
      trustGeoHeaders: ["on", "true", "1"].includes(s.TRUST_GEO_HEADERS ?? ""),
    },
  };
  return parsed.config;
}
