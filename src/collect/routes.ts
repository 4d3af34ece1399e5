import { createRoute, z } from "@hono/zod-openapi";

import { ctxForRecord, json, readProblems, router } from "../api/route";
import { IdParam } from "../api/schemas";
import { findShop } from "../shops";
import { DROP_REASONS, listDrops } from "./drops";

const Drops = z
  .strictObject({
    items: z.array(z.strictObject({ day: z.iso.date(), reason: z.enum(DROP_REASONS), count: z.int().nonnegative() })),
  })
  .openapi("Drops");

export const dropRoutes = router().openapi(
  createRoute({
    method: "get",
    path: "/v1/shops/{id}/drops",
    tags: ["Shops"],
    summary: "What was sent to /ff and not kept: counts by day and reason, newest first",
    description:
      "Written once a minute, so the last minute may be missing. Reasons with 204 are policy, the others were refused.",
    request: { params: IdParam },
    responses: { 200: json(Drops, "Counts"), ...readProblems },
  }),
  async (c) => {
    const shop = await findShop(c.env.DB, c.req.valid("param").id);
    const ctx = await ctxForRecord(c, shop?.key);
    return c.json({ items: await listDrops(ctx.db, ctx.shop.key) }, 200);
  },
);
