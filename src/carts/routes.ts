import { createRoute, z } from "@hono/zod-openapi";

import { body, ctxForRecord, ctxFrom, json, listOf, readProblems, router, writeProblems } from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { putCart } from "./put";
import { findCart, listCarts } from "./read";
import { CartSchema, CartState, NewCart } from "./schemas";

const CartQuery = PageQuery.extend({
  state: CartState.optional(),
  visitorId: z.string().min(1).max(100).optional(),
  contactId: z.string().min(1).max(100).optional(),
});

export const cartRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/carts",
      tags: ["Carts"],
      summary: "Carts, newest first",
      request: { query: CartQuery },
      responses: { 200: json(listOf(CartSchema), "A page of carts"), ...readProblems },
    }),
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid("query");
      return c.json(await listCarts(await ctxFrom(c), filter, { limit, cursor }), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/carts",
      tags: ["Carts"],
      summary: "Tell a cart by its token",
      description: "The same `token` again changes that cart and answers 200; an older `updatedAt` changes nothing.",
      request: { body: body(NewCart) },
      responses: {
        200: json(CartSchema, "The cart, which was known"),
        201: json(CartSchema, "The cart"),
        ...writeProblems,
      },
    }),
    async (c) => {
      const input = c.req.valid("json");
      const { cart, isNew } = await putCart(await ctxFrom(c, input.shop), input);
      return isNew ? c.json(cart, 201) : c.json(cart, 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/carts/{id}",
      tags: ["Carts"],
      summary: "A cart",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(CartSchema, "The cart"), ...readProblems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const row = await sql(c.env.DB, "select shop from carts where id = ?", id).first<{ shop: number }>();
      const cart = await findCart(await ctxForRecord(c, row?.shop), id);
      if (!cart) throw new AppError("not_found");
      return c.json(cart, 200);
    },
  );
