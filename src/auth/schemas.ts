import { z } from "@hono/zod-openapi";

import { MaybeTime, ShopRef, Text, TimeSchema } from "../api/schemas";

const Scope = z.enum(["read", "write"]);

export const NewApiKey = z.strictObject({
  shop: ShopRef,
  name: Text(100).min(1),
  scopes: z.array(Scope).min(1).max(2).default(["read", "write"]),
});

export type NewApiKey = z.infer<typeof NewApiKey>;

const shape = {
  id: z.string(),
  shopId: z.string(),
  name: z.string(),
  hint: z.string().openapi({ description: "The first characters of the key" }),
  scopes: z.array(Scope),
  createdAt: TimeSchema,
  revokedAt: MaybeTime,
};

export const ApiKeySchema = z.strictObject(shape).openapi("ApiKey");

export type ApiKey = z.infer<typeof ApiKeySchema>;

export const CreatedApiKeySchema = z
  .strictObject({ ...shape, key: z.string().openapi({ description: "The key itself, shown only this once" }) })
  .openapi("CreatedApiKey");
