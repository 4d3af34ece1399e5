import { z } from "zod";

import type { DiscountTerms } from "../shopify/rest";

/** The terms of a discount as a pool stores them. */
export const Terms: z.ZodType<DiscountTerms> = z.object({
  title: z.string(),
  value: z.union([
    z.object({ percent: z.number() }),
    z.object({ amount: z.object({ amount: z.int(), currency: z.string() }) }),
  ]),
  endsAt: z.number().nullable(),
  oncePerCustomer: z.boolean(),
});
