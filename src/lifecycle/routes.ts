import { createRoute } from "@hono/zod-openapi";

import { body, ctxFrom, json, listOf, readProblems, router, writeProblems } from "../api/route";
import { IdParam, ShopQuery } from "../api/schemas";
import { ContactsChangeSchema } from "../fields/schemas";
import { armClock } from "../jobs";
import { createStage, deleteStage, updateStage } from "./change";
import { listStages } from "./read";
import { lifecycleReport } from "./report";
import { NewStage, ReportQuery, ReportSchema, StageDeletion, StagePatch, StageQuery, StageSchema } from "./schemas";

const tags = ["Lifecycle"];

export const lifecycleRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/lifecycle-stages",
      tags,
      summary: "The ladder from lead to customer, from its top",
      request: { query: StageQuery },
      responses: { 200: json(listOf(StageSchema), "A page of stages"), ...readProblems },
    }),
    async (c) => c.json(await listStages(await ctxFrom(c), c.req.valid("query")), 200),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/lifecycle-stages",
      tags,
      summary: "Add a stage",
      request: { body: body(NewStage), query: ShopQuery },
      responses: { 201: json(StageSchema, "The stage"), ...writeProblems },
    }),
    async (c) => {
      const input = c.req.valid("json");
      return c.json(await createStage(await ctxFrom(c, input.shop), input), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/lifecycle-stages/report",
      tags,
      summary: "Contacts by stage now, and moves in a window of time",
      description: "At most 366 days. A change of status within a stage is no move.",
      request: { query: ReportQuery },
      responses: { 200: json(ReportSchema, "The report"), ...readProblems },
    }),
    async (c) => c.json(await lifecycleReport(await ctxFrom(c), c.req.valid("query")), 200),
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/v1/lifecycle-stages/{id}",
      tags,
      summary: "Rename or move a stage",
      request: { params: IdParam, query: ShopQuery, body: body(StagePatch) },
      responses: { 200: json(StageSchema, "The stage as it is now"), ...writeProblems },
    }),
    async (c) => c.json(await updateStage(await ctxFrom(c), c.req.valid("param").id, c.req.valid("json")), 200),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/lifecycle-stages/{id}",
      tags,
      summary: "Delete a stage",
      description:
        "Its contacts go to `moveTo`; with many of them that goes on (202), see `/v1/jobs/{id}`. 409 for `lead`, for " +
        "`customer` while a store is connected, and without `moveTo` where contacts stand at it.",
      request: { params: IdParam, query: StageDeletion },
      responses: {
        204: { description: "Deleted" },
        202: json(ContactsChangeSchema, "Deleted; its contacts are being moved"),
        ...writeProblems,
      },
    }),
    async (c) => {
      const ctx = await ctxFrom(c);
      await armClock(ctx.env, ctx.shop.key, ctx.now);
      const job = await deleteStage(ctx, c.req.valid("param").id, c.req.valid("query").moveTo);
      return job?.state === "running" ? c.json(job, 202) : c.body(null, 204);
    },
  );
