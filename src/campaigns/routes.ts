import { createRoute } from "@hono/zod-openapi";

import { body, ctxFrom, json, listOf, readProblems, recordFrom, router, writeProblems } from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { createCampaign, deleteCampaign, updateCampaign } from "./change";
import { estimate } from "./estimate";
import { cancelCampaign, pauseCampaign, resumeCampaign } from "./hold";
import { findCampaign, listCampaigns, readProgress, showCampaign } from "./read";
import { campaignResults } from "./results";
import { CampaignPatch, CampaignSchema, EstimateSchema, NewCampaign, ProgressSchema, ResultsSchema } from "./schemas";
import { sendCampaign } from "./send";

const tags = ["Campaigns"];
const one = { params: IdParam, query: ShopQuery };
const shown = json(CampaignSchema, "The campaign");

export const campaignRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/campaigns",
      tags,
      summary: "Campaigns, newest first",
      request: { query: PageQuery },
      responses: { 200: json(listOf(CampaignSchema), "A page of campaigns"), ...readProblems },
    }),
    async (c) => c.json(await listCampaigns(await ctxFrom(c), c.req.valid("query")), 200),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/campaigns",
      tags,
      summary: "Add a campaign",
      description: "As a draft: nothing is sent before `/send`.",
      request: { body: body(NewCampaign), query: ShopQuery },
      responses: { 201: shown, ...writeProblems },
    }),
    async (c) => {
      const input = c.req.valid("json");
      return c.json(await createCampaign(await ctxFrom(c, input.shop), input), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/campaigns/{id}",
      tags,
      summary: "A campaign",
      request: one,
      responses: { 200: shown, ...readProblems },
    }),
    async (c) => c.json(showCampaign((await recordFrom(c, findCampaign, c.req.valid("param").id)).record), 200),
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/v1/campaigns/{id}",
      tags,
      summary: "Change a campaign",
      description: "Its name at any time, everything else while it is a draft.",
      request: { ...one, body: body(CampaignPatch) },
      responses: { 200: shown, ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findCampaign, c.req.valid("param").id);
      return c.json(await updateCampaign(ctx, record, c.req.valid("json")), 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/campaigns/{id}",
      tags,
      summary: "Delete a campaign",
      description: "409 while it is on its way. Its deliveries stay.",
      request: one,
      responses: { 204: { description: "Deleted" }, ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findCampaign, c.req.valid("param").id);
      await deleteCampaign(ctx, record);
      return c.body(null, 204);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/campaigns/{id}/estimate",
      tags,
      summary: "Who would get it now, and why the others would not",
      request: one,
      responses: { 200: json(EstimateSchema, "The estimate"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findCampaign, c.req.valid("param").id);
      return c.json(await estimate(ctx, record), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/campaigns/{id}/send",
      tags,
      summary: "Send a campaign, or put it on the clock",
      description:
        "The audience is taken down when it begins, each person once, with the templates and the sender of now.",
      request: one,
      responses: { 202: shown, ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findCampaign, c.req.valid("param").id);
      return c.json(await sendCampaign(ctx, record), 202);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/campaigns/{id}/pause",
      tags,
      summary: "Hold a campaign",
      description: "What is queued is held too, from this moment.",
      request: one,
      responses: { 200: shown, ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findCampaign, c.req.valid("param").id);
      return c.json(await pauseCampaign(ctx, record), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/campaigns/{id}/resume",
      tags,
      summary: "Go on with a campaign",
      request: one,
      responses: { 200: shown, ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findCampaign, c.req.valid("param").id);
      return c.json(await resumeCampaign(ctx, record), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/campaigns/{id}/cancel",
      tags,
      summary: "Cancel a campaign",
      description: "What is queued is not sent any more. One that has not begun is a draft again.",
      request: one,
      responses: { 200: shown, ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findCampaign, c.req.valid("param").id);
      return c.json(await cancelCampaign(ctx, record), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/campaigns/{id}/progress",
      tags,
      summary: "How far a campaign has come",
      request: one,
      responses: { 200: json(ProgressSchema, "Its messages by state"), ...readProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findCampaign, c.req.valid("param").id);
      return c.json(await readProgress(ctx, record), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/campaigns/{id}/results",
      tags,
      summary: "What came of a campaign",
      description: "Opens and clicks of machines count for nothing. Rates are fractions of what was delivered.",
      request: one,
      responses: { 200: json(ResultsSchema, "Counts and rates, together and by variant"), ...readProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findCampaign, c.req.valid("param").id);
      return c.json(await campaignResults(ctx, record), 200);
    },
  );
