import { createRoute } from "@hono/zod-openapi";

import { body, ctxFrom, json, listOf, readProblems, recordFrom, router, writeProblems } from "../api/route";
import { IdParam, ShopQuery } from "../api/schemas";
import { findDelivery, listDeliveries, readBody, readDelivery } from "./read";
import { retryDelivery } from "./retry";
import { DeliveryBodySchema, DeliveryDetailSchema, DeliveryQuery, DeliverySchema, RetryRequest } from "./schemas";

const tags = ["Messages"];

export const deliveryRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/deliveries",
      tags,
      summary: "Messages that were sent, wait, or were not sent, newest first",
      request: { query: DeliveryQuery },
      responses: { 200: json(listOf(DeliverySchema), "A page of deliveries"), ...readProblems },
    }),
    async (c) => c.json(await listDeliveries(await ctxFrom(c), c.req.valid("query")), 200),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/deliveries/{id}",
      tags,
      summary: "A message, what happened to it, and the orders that it brought",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(DeliveryDetailSchema, "The delivery"), ...readProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findDelivery, c.req.valid("param").id);
      return c.json(await readDelivery(ctx, record), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/deliveries/{id}/body",
      tags,
      summary: "What a message says, as it was sent",
      description: "Kept for `messageBodyRetentionDays` of the shop's settings.",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(DeliveryBodySchema, "Subject, HTML and text"), ...readProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findDelivery, c.req.valid("param").id);
      return c.json(await readBody(ctx, record), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/deliveries/{id}/retry",
      tags,
      summary: "Try a failed or skipped message once more",
      description: "Consent, suppression, caps and exits are asked anew. 409 for one that is sent or still waits.",
      request: { params: IdParam, query: ShopQuery, body: body(RetryRequest) },
      responses: { 202: { description: "It is under way" }, ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findDelivery, c.req.valid("param").id);
      await retryDelivery(ctx, record, c.req.valid("json").mayBeTwice);
      return c.body(null, 202);
    },
  );
