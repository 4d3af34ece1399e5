import { z } from "@hono/zod-openapi";

import { Maybe, MaybeText, MoneySchema, TimeSchema } from "../api/schemas";

export const ProductSchema = z
  .strictObject({
    id: z.string().openapi({ description: "The product's id in the store" }),
    title: z.string(),
    category: MaybeText,
    vendor: MaybeText,
    tags: z.array(z.string()),
    image: MaybeText,
    handle: MaybeText,
    description: MaybeText.openapi({ description: "Plain text" }),
    price: Maybe(MoneySchema).openapi({ description: "The lowest of its variants" }),
    status: MaybeText.openapi({ description: "active, draft or archived" }),
    stock: z.int().nullable().openapi({ description: "Pieces of all variants together; null where nobody told" }),
    soldOut: z.boolean().openapi({ description: "Known to have run out, and not sold beyond that" }),
    images: z.array(z.string()),
    collections: z.array(z.string()).openapi({ description: "Titles" }),
    updatedAt: TimeSchema,
  })
  .openapi("Product");

export type Product = z.infer<typeof ProductSchema>;
