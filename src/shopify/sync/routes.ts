import { createRoute } from "@hono/zod-openapi";

import { audit } from "../../api/audit";
import { ctxForRecord, json, readProblems, router, writeProblems } from "../../api/route";
import { IdParam } from "../../api/schemas";
import { AppError } from "../../errors";
import { armClock } from "../../jobs";
import { findShop } from "../../shops";
import { startDeletions } from "./deletions";
import { readProgress } from "./progress";
import { SyncSchema, SyncStartedSchema } from "./schemas";
import { startSync } from "./start";

const PATH = "/v1/shops/{id}/shopify/sync";

export const syncRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: PATH,
      tags: ["Shopify"],
      summary: "How far reading the store is",
      request: { params: IdParam },
      responses: { 200: json(SyncSchema, "The last backfill, and what is asked for every hour"), ...readProblems },
    }),
    async (c) => {
      const found = await findShop(c.env.DB, c.req.valid("param").id);
      const ctx = await ctxForRecord(c, found?.key);
      return c.json(await readProgress(ctx.db, ctx.shop.key), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: PATH,
      tags: ["Shopify"],
      summary: "Read the whole store again",
      description:
        "What is known already stays as it is. 409 while a backfill runs, 422 for a store that is not connected.",
      request: { params: IdParam },
      responses: { 202: json(SyncStartedSchema, "It is under way"), ...writeProblems },
    }),
    async (c) => {
      const found = await findShop(c.env.DB, c.req.valid("param").id);
      const ctx = await ctxForRecord(c, found?.key);
      if (!ctx.shop.connected) throw new AppError("unprocessable", "The store is not connected");
      const jobId = await startSync(ctx.env, ctx.shop, ctx.now);
      if (jobId === null) throw new AppError("conflict", "A backfill runs already");
      await audit(ctx, "shopify.sync_started", ctx.shop.id).run();
      return c.json({ jobId }, 202);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/shops/{id}/shopify/deletions",
      tags: ["Shopify"],
      summary: "Look for what was deleted in the store",
      description:
        "Asks the store for every product, customer and order that is known, and removes those that it does not know any more. Done every week in any case. 409 while it is under way, 422 for a store that is not connected.",
      request: { params: IdParam },
      responses: { 202: json(SyncStartedSchema, "It is under way"), ...writeProblems },
    }),
    async (c) => {
      const found = await findShop(c.env.DB, c.req.valid("param").id);
      const ctx = await ctxForRecord(c, found?.key);
      if (!ctx.shop.connected) throw new AppError("unprocessable", "The store is not connected");
      await armClock(ctx.env, ctx.shop.key, ctx.now);
      const jobId = await startDeletions(ctx.db, ctx.shop.key, ctx.now);
      if (jobId === null) throw new AppError("conflict", "It is under way already");
      await audit(ctx, "shopify.deletions_started", ctx.shop.id).run();
      return c.json({ jobId }, 202);
    },
  );
