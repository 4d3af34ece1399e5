import { z } from "zod";

import type { AdminQuery } from "../admin";

export interface StoreFacts {
  shop: { name: string; currencyCode: string; ianaTimezone: string; myshopifyDomain: string };
  currentAppInstallation: { accessScopes: { handle: string }[] };
}

/** What a store says of itself, and the scopes that it has granted to the app. */
export const ReadStore: AdminQuery<StoreFacts> = {
  name: "ReadStore",
  text: `query ReadStore {
  shop { name currencyCode ianaTimezone myshopifyDomain }
  currentAppInstallation { accessScopes { handle } }
}`,
  answer: z.object({
    shop: z.object({
      name: z.string(),
      currencyCode: z.string(),
      ianaTimezone: z.string(),
      myshopifyDomain: z.string(),
    }),
    currentAppInstallation: z.object({ accessScopes: z.array(z.object({ handle: z.string() })) }),
  }),
};

/** The cheapest question: only whether the token is taken. */
export const ReadShopId: AdminQuery<{ shop: { id: string } }> = {
  name: "ReadShopId",
  text: "query ReadShopId { shop { id } }",
  answer: z.object({ shop: z.object({ id: z.string() }) }),
};
