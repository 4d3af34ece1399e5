import type { z } from "zod";

/** The version of Shopify's API that everything here speaks. */
export const API_VERSION = "2026-10";

/** A GraphQL operation, named as in its text, with the shape of its `data`. Lives in a `*.queries.ts` beside its user. */
export interface AdminQuery<T> {
  name: string;
  text: string;
  answer: z.ZodType<T>;
}

export type Variables = Record<string, unknown>;
