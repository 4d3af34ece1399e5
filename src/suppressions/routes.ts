import { createRoute } from "@hono/zod-openapi";

import { body, ctxFrom, json, listOf, readProblems, recordFrom, router, writeProblems } from "../api/route";
import { IdParam, ShopQuery } from "../api/schemas";
import { addSuppression, findSuppression, listSuppressions, removeSuppression, showSuppression } from "./read";
import { NewSuppressionInput, SuppressionQuery, SuppressionSchema } from "./schemas";

const tags = ["Suppressions"];

export const suppressionRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/suppressions",
      tags,
      summary: "Addresses that get no marketing, or nothing, newest first",
      request: { query: SuppressionQuery },
      responses: { 200: json(listOf(SuppressionSchema), "A page of suppressions"), ...readProblems },
    }),
    async (c) => c.json(await listSuppressions(await ctxFrom(c), c.req.valid("query")), 200),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/suppressions",
      tags,
      summary: "Suppress an address",
      description:
        "Outlives the contact, imports, merges and another sync. A person's own later subscription lifts all but " +
        "HARD_BOUNCE, INVALID_EMAIL and PROVIDER.",
      request: { body: body(NewSuppressionInput), query: ShopQuery },
      responses: { 201: json(SuppressionSchema, "The suppression"), ...writeProblems },
    }),
    async (c) => {
      const input = c.req.valid("json");
      return c.json(await addSuppression(await ctxFrom(c, input.shop), input), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/suppressions/{id}",
      tags,
      summary: "A suppression",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(SuppressionSchema, "The suppression"), ...readProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findSuppression, c.req.valid("param").id);
      return c.json(await showSuppression(ctx, record), 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/suppressions/{id}",
      tags,
      summary: "Take a suppression away",
      description: "The contact's own consent stays as it is: who has unsubscribed stays unsubscribed.",
      request: { params: IdParam, query: ShopQuery },
      responses: { 204: { description: "Taken away" }, ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findSuppression, c.req.valid("param").id);
      await removeSuppression(ctx, record);
      return c.body(null, 204);
    },
  );
