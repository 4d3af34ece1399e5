import { createRoute, z } from "@hono/zod-openapi";

import { ctxForRecord, json, operatorOnly, readProblems, router } from "../api/route";
import { IdParam } from "../api/schemas";
import { config } from "../config";
import { findShop } from "../shops";
import { identitySecret } from "./secrets";

const Secret = z.strictObject({ secret: z.string() }).openapi("IdentitySecret");

export const identityRoutes = router().openapi(
  createRoute({
    method: "get",
    path: "/v1/shops/{id}/identity-secret",
    tags: ["Shops"],
    summary: "The secret under which the shop's theme signs customer ids",
    description:
      "Operator only. `signature` of an `identified` event is the hex HMAC-SHA256 of the customer id under this secret; in Liquid: `{{ customer.id | hmac_sha256: secret }}`. Never put the secret itself into a page.",
    middleware: [operatorOnly] as const,
    request: { params: IdParam },
    responses: { 200: json(Secret, "The secret"), ...readProblems },
  }),
  async (c) => {
    const shop = await findShop(c.env.DB, c.req.valid("param").id);
    const ctx = await ctxForRecord(c, shop?.key);
    return c.json({ secret: await identitySecret(config(c.env).encryptionKey, ctx.shop.id) }, 200);
  },
);
