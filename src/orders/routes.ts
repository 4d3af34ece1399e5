import { createRoute, z } from "@hono/zod-openapi";

import { body, ctxForRecord, ctxFrom, json, listOf, readProblems, router, writeProblems } from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { contactFrom } from "../contacts/rest";
import { contactCommerce, SORTS } from "./commerce";
import { putOrder } from "./put";
import { findOrder, listOrders } from "./read";
import { CommerceSchema, NewOrder, OrderSchema, OrderState } from "./schemas";

const OrderQuery = PageQuery.extend({
  contactId: z.string().min(1).max(100).optional(),
  state: OrderState.optional(),
  test: z
    .enum(["true", "false"])
    .transform((value) => value === "true")
    .optional()
    .openapi({ type: "string", enum: ["true", "false"] }),
});

const CommerceQuery = PageQuery.extend({
  activity: z.enum(["completed", "abandoned"]).optional(),
  sort: z.enum(SORTS).default("-at"),
  store: z.string().min(1).max(100).optional().openapi({ description: "Id of a shop, or `all`" }),
});

export const orderRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/orders",
      tags: ["Orders"],
      summary: "Orders, newest first",
      description: "With `contactId` by the time they were placed, latest first.",
      request: { query: OrderQuery },
      responses: { 200: json(listOf(OrderSchema), "A page of orders"), ...readProblems },
    }),
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid("query");
      return c.json(await listOrders(await ctxFrom(c), filter, { limit, cursor }), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/orders",
      tags: ["Orders"],
      summary: "Tell an order by its external id",
      description:
        "For shops that are not on Shopify. The same `externalId` again changes that order and answers 200. The " +
        "person is named by `contactId`, `email` or `phone` and made when new; `visitorId` or `cartToken` join the browser.",
      request: { body: body(NewOrder) },
      responses: {
        200: json(OrderSchema, "The order, which was known"),
        201: json(OrderSchema, "The order"),
        ...writeProblems,
      },
    }),
    async (c) => {
      const input = c.req.valid("json");
      const { order, isNew } = await putOrder(await ctxFrom(c, input.shop), input);
      return isNew ? c.json(order, 201) : c.json(order, 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/orders/{id}",
      tags: ["Orders"],
      summary: "An order",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(OrderSchema, "The order"), ...readProblems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const row = await sql(c.env.DB, "select shop from orders where id = ?", id).first<{ shop: number }>();
      const order = await findOrder(await ctxForRecord(c, row?.shop), id);
      if (!order) throw new AppError("not_found");
      return c.json(order, 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/contacts/{id}/commerce",
      tags: ["Contacts"],
      summary: "What a contact bought and left behind",
      description:
        "Orders and abandoned carts in one list, and metrics over completed purchases. `store=all` adds the same " +
        "verified e-mail address in every shop that the caller may read, with totals per currency.",
      request: { params: IdParam, query: CommerceQuery },
      responses: {
        200: json(CommerceSchema, "Metrics and a page of orders and carts"),
        308: { description: "The contact was merged; `Location` is the same about the survivor" },
        ...readProblems,
      },
    }),
    async (c) => {
      const { ctx, key } = await contactFrom(c, c.req.valid("param").id);
      return c.json(await contactCommerce(ctx, key, c.req.valid("query")), 200);
    },
  );
