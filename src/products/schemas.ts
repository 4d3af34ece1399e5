import { z } from "@hono/zod-openapi";

import { MaybeText, TimeSchema } from "../api/schemas";

export const ProductSchema = z
  .strictObject({
    id: z.string().openapi({ description: "The product's id in the store" }),
    title: z.string(),
    category: MaybeText,
    vendor: MaybeText,
    tags: z.array(z.string()),
    image: MaybeText,
    handle: MaybeText,
    updatedAt: TimeSchema,
  })
  .openapi("Product");

export type Product = z.infer<typeof ProductSchema>;
