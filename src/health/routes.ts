import { createRoute } from "@hono/zod-openapi";

import { ctxFrom, json, listOf, readProblems, router } from "../api/route";
import { PageQuery } from "../api/schemas";
import { listAlerts } from "./read";
import { AlertKind, AlertSchema, AlertState } from "./schemas";

export const alertRoutes = router().openapi(
  createRoute({
    method: "get",
    path: "/v1/alerts",
    tags: ["Alerts"],
    summary: "What a person should look at, newest first",
    description: "An alert closes by itself when it is over. Outgoing webhooks tell of both.",
    request: { query: PageQuery.extend({ state: AlertState.optional(), kind: AlertKind.optional() }) },
    responses: { 200: json(listOf(AlertSchema), "A page of alerts"), ...readProblems },
  }),
  async (c) => c.json(await listAlerts(await ctxFrom(c), c.req.valid("query")), 200),
);
