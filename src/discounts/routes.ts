import { createRoute } from "@hono/zod-openapi";

import { body, recordFrom, ctxFrom, json, listOf, readProblems, router, writeProblems } from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { contactNamed } from "../contacts/rest";
import { armClock } from "../jobs";
import { createPool, fillPool, stopPool } from "./pool";
import { findPool, listPools, showPool } from "./read";
import { CodeRequest, DiscountPoolSchema, HandedCodeSchema, NewDiscountPool } from "./schemas";
import { takeCode } from "./take";

const tags = ["Discount codes"];

export const discountRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/discount-pools",
      tags,
      summary: "Pools of unique discount codes, newest first",
      request: { query: PageQuery },
      responses: { 200: json(listOf(DiscountPoolSchema), "A page of pools"), ...readProblems },
    }),
    async (c) => c.json(await listPools(await ctxFrom(c), c.req.valid("query")), 200),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/discount-pools",
      tags,
      summary: "Add a pool of unique codes of a discount in Shopify",
      description:
        "Of a discount that is there, or of one to make. The one thing that is written to Shopify: 422 unless " +
        "`settings.optionalScopes` of the shop names `write_discounts` and the store has granted it. Filling goes on " +
        "after the answer; `state` and `problem` tell how.",
      request: { body: body(NewDiscountPool), query: ShopQuery },
      responses: { 201: json(DiscountPoolSchema, "The pool"), ...writeProblems },
    }),
    async (c) => {
      const input = c.req.valid("json");
      return c.json(showPool(await createPool(await ctxFrom(c, input.shop), input)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/discount-pools/{id}",
      tags,
      summary: "A pool and how many of its codes are free, taken and refused",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(DiscountPoolSchema, "The pool"), ...readProblems },
    }),
    async (c) => c.json(showPool((await recordFrom(c, findPool, c.req.valid("param").id)).record), 200),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/discount-pools/{id}",
      tags,
      summary: "Stop a pool",
      description: "It hands out no more codes and is not filled again. Nothing is deleted at Shopify.",
      request: { params: IdParam, query: ShopQuery },
      responses: { 204: { description: "Stopped" }, ...writeProblems },
    }),
    async (c) => {
      const { ctx, record: pool } = await recordFrom(c, findPool, c.req.valid("param").id);
      await stopPool(ctx, pool);
      return c.body(null, 204);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/discount-pools/{id}/fill",
      tags,
      summary: "Fill a pool up again now",
      description: "After a problem was solved, or ahead of the low-water mark. Does nothing while it is being filled.",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(DiscountPoolSchema, "The pool"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, record: pool } = await recordFrom(c, findPool, c.req.valid("param").id);
      return c.json(showPool(await fillPool(ctx, pool)), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/discount-pools/{id}/codes",
      tags,
      summary: "Hand out a code",
      description: "One code to one key, for ever: the same key gets the same code, and no code goes to two keys.",
      request: { params: IdParam, query: ShopQuery, body: body(CodeRequest) },
      responses: { 200: json(HandedCodeSchema, "The code, or null where none is left"), ...writeProblems },
    }),
    async (c) => {
      const { key, contactId } = c.req.valid("json");
      const { ctx, record: pool } = await recordFrom(c, findPool, c.req.valid("param").id);
      const contact = await contactNamed(ctx, { contactId }, "");
      await armClock(ctx.env, ctx.shop.key, ctx.now);
      const code = await takeCode(ctx.db, ctx.shop.key, pool.key, key, ctx.now, contact?.key ?? null);
      const { id: poolId, fallbackCode } = pool;
      return c.json({ poolId, key, code, fallbackCode, contactId: contact?.id ?? null }, 200);
    },
  );
