import { createRoute } from "@hono/zod-openapi";

import { body, ctxForRecord, ctxFrom, json, listOf, readProblems, router, writeProblems } from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { listDeliveries, redeliver, sendTest } from "./deliveries";
import {
  createEndpoint,
  deleteEndpoint,
  findEndpoint,
  listEndpoints,
  readEndpoint,
  rotateSecret,
  updateEndpoint,
} from "./endpoints";
import {
  CreatedEndpointSchema,
  DeliverySchema,
  DeliveryState,
  EndpointPatch,
  EndpointSchema,
  NewEndpoint,
  RotatedSecretSchema,
} from "./schemas";

const tags = ["Webhook endpoints"];

export const endpointRoutes = router()
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/webhook-endpoints",
      tags,
      summary: "Have events sent to an address",
      description: "Signed by Standard Webhooks. The secret is shown once.",
      request: { body: body(NewEndpoint), query: ShopQuery },
      responses: { 201: json(CreatedEndpointSchema, "The endpoint and its secret"), ...writeProblems },
    }),
    async (c) => {
      const input = c.req.valid("json");
      return c.json(await createEndpoint(await ctxFrom(c, input.shop), input), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/webhook-endpoints",
      tags,
      summary: "The addresses that events are sent to, newest first",
      request: { query: PageQuery },
      responses: { 200: json(listOf(EndpointSchema), "A page of endpoints"), ...readProblems },
    }),
    async (c) => c.json(await listEndpoints(await ctxFrom(c), c.req.valid("query")), 200),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/webhook-endpoints/{id}",
      tags,
      summary: "An endpoint",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(EndpointSchema, "The endpoint"), ...readProblems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const ctx = await ctxForRecord(c, (await findEndpoint(c.env.DB, id))?.shop);
      return c.json(await readEndpoint(ctx, id), 200);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/v1/webhook-endpoints/{id}",
      tags,
      summary: "Change an endpoint, enable or disable it",
      request: { params: IdParam, query: ShopQuery, body: body(EndpointPatch) },
      responses: { 200: json(EndpointSchema, "The endpoint"), ...writeProblems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const ctx = await ctxForRecord(c, (await findEndpoint(c.env.DB, id))?.shop);
      return c.json(await updateEndpoint(ctx, id, c.req.valid("json")), 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/webhook-endpoints/{id}",
      tags,
      summary: "Send nothing more to an endpoint",
      request: { params: IdParam, query: ShopQuery },
      responses: { 204: { description: "Deleted" }, ...writeProblems },
    }),
    async (c) => {
      const row = await findEndpoint(c.env.DB, c.req.valid("param").id);
      const ctx = await ctxForRecord(c, row?.shop);
      if (row) await deleteEndpoint(ctx, row);
      return c.body(null, 204);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/webhook-endpoints/{id}/rotate-secret",
      tags,
      summary: "Give an endpoint a new secret",
      description: "The one before signs beside it for a day.",
      request: { params: IdParam, query: ShopQuery },
      responses: { 201: json(RotatedSecretSchema, "The new secret"), ...writeProblems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const ctx = await ctxForRecord(c, (await findEndpoint(c.env.DB, id))?.shop);
      return c.json(await rotateSecret(ctx, id), 201);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/webhook-endpoints/{id}/test",
      tags,
      summary: "Send an event of the type test now",
      description: "The answer tells what came back. One that fails is tried again like any other.",
      request: { params: IdParam, query: ShopQuery },
      responses: { 201: json(DeliverySchema, "The delivery"), ...writeProblems },
    }),
    async (c) => {
      const row = await findEndpoint(c.env.DB, c.req.valid("param").id);
      const ctx = await ctxForRecord(c, row?.shop);
      return c.json(await sendTest(ctx, { key: row?.key ?? 0, id: row?.id ?? "" }), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/webhook-endpoints/{id}/deliveries",
      tags,
      summary: "What was sent to an endpoint, and what waits, newest first",
      description: "Kept for 30 days.",
      request: { params: IdParam, query: PageQuery.extend({ state: DeliveryState.optional() }) },
      responses: { 200: json(listOf(DeliverySchema), "A page of deliveries"), ...readProblems },
    }),
    async (c) => {
      const row = await findEndpoint(c.env.DB, c.req.valid("param").id);
      const ctx = await ctxForRecord(c, row?.shop);
      return c.json(await listDeliveries(ctx, row?.key ?? 0, c.req.valid("query")), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/webhook-endpoints/{id}/deliveries/{delivery}/redeliver",
      tags,
      summary: "Send a delivery once more",
      request: { params: IdParam.extend({ delivery: IdParam.shape.id }), query: ShopQuery },
      responses: { 202: { description: "It is under way" }, ...writeProblems },
    }),
    async (c) => {
      const { id, delivery } = c.req.valid("param");
      const row = await findEndpoint(c.env.DB, id);
      const ctx = await ctxForRecord(c, row?.shop);
      await redeliver(ctx, row?.key ?? 0, delivery);
      return c.body(null, 202);
    },
  );
