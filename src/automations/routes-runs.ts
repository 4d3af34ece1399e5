import { createRoute } from "@hono/zod-openapi";

import { body, json, listOf, readProblems, recordFrom, router, writeProblems } from "../api/route";
import { IdParam, ShopQuery } from "../api/schemas";
import { contactFrom } from "../contacts/rest";
import { dryRun } from "./dry-run";
import { readDefinition } from "./names";
import { enrol, entranceOf, retryRun } from "./people";
import { previewAutomation } from "./preview";
import { countSteps, findAutomation, listRuns, listScoreChanges, readRunDetail } from "./read";
import {
  DryRunRequest,
  DryRunSchema,
  EnrolledSchema,
  Enrolment,
  PreviewRequest,
  PreviewSchema,
  RunDetailSchema,
  RunParams,
  RunQuery,
  RunSchema,
  ScoreChangeSchema,
  StepCountSchema,
} from "./schemas";

const tags = ["Automations"];

export const runRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/automations/{id}/runs",
      tags,
      summary: "Who is in an automation, and who was, newest first",
      description: "With `state=failed` the runs whose step could not be taken: they wait for a retry.",
      request: { params: IdParam, query: RunQuery },
      responses: { 200: json(listOf(RunSchema), "A page of runs"), ...readProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findAutomation, c.req.valid("param").id);
      return c.json(await listRuns(ctx, record.key, c.req.valid("query")), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/automations/{id}/runs",
      tags,
      summary: "Let people in by hand",
      description: "409 unless it is active and has a manual trigger. The filter and the re-entry rule hold.",
      request: { params: IdParam, query: ShopQuery, body: body(Enrolment) },
      responses: { 200: json(EnrolledSchema, "Who entered"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findAutomation, c.req.valid("param").id);
      return c.json(await enrol(ctx, record, c.req.valid("json")), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/automations/{id}/runs/{runId}",
      tags,
      summary: "A run and its log: why this person got what they got",
      request: { params: RunParams, query: ShopQuery },
      responses: { 200: json(RunDetailSchema, "The run"), ...readProblems },
    }),
    async (c) => {
      const { id, runId } = c.req.valid("param");
      const { ctx, record } = await recordFrom(c, findAutomation, id);
      return c.json(await readRunDetail(ctx, record.key, runId), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/automations/{id}/runs/{runId}/retry",
      tags,
      summary: "Try the step of a failed run again",
      request: { params: RunParams, query: ShopQuery },
      responses: { 204: { description: "It will be tried" }, ...writeProblems },
    }),
    async (c) => {
      const { id, runId } = c.req.valid("param");
      const { ctx, record } = await recordFrom(c, findAutomation, id);
      await retryRun(ctx, record, runId);
      return c.body(null, 204);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/automations/{id}/steps",
      tags,
      summary: "How many people are at each step now",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(listOf(StepCountSchema), "Counts by version and step"), ...readProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findAutomation, c.req.valid("param").id);
      return c.json(await countSteps(ctx, record.key), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/automations/{id}/preview",
      tags,
      summary: "The last ten events of its triggers, and who would enter",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(PreviewSchema, "Events with each filter's verdict"), ...readProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findAutomation, c.req.valid("param").id);
      return c.json(await previewAutomation(ctx, await entranceOf(ctx, record), record.key), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/automations/{id}/preview",
      tags,
      summary: "The same for a definition that is not saved yet",
      request: { params: IdParam, query: ShopQuery, body: body(PreviewRequest) },
      responses: { 200: json(PreviewSchema, "Events with each filter's verdict"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findAutomation, c.req.valid("param").id);
      const { definition } = c.req.valid("json");
      const automation = await (definition === undefined ? entranceOf(ctx, record) : readDefinition(ctx, definition));
      return c.json(await previewAutomation(ctx, automation, record.key), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/automations/{id}/test",
      tags,
      summary: "The way that one person would go",
      description: "Nothing is changed and nothing is sent; waits are over at once, random arms are this person's.",
      request: { params: IdParam, query: ShopQuery, body: body(DryRunRequest) },
      responses: { 200: json(DryRunSchema, "The way"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findAutomation, c.req.valid("param").id);
      return c.json(await dryRun(ctx, await entranceOf(ctx, record), c.req.valid("json")), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/contacts/{id}/score-changes",
      tags,
      summary: "What automations did to a contact's score, the latest first",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(listOf(ScoreChangeSchema), "The changes"), ...readProblems },
    }),
    async (c) => {
      const { ctx, key } = await contactFrom(c, c.req.valid("param").id);
      return c.json(await listScoreChanges(ctx, key), 200);
    },
  );
