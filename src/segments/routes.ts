import { createRoute } from "@hono/zod-openapi";

import { body, recordFrom, ctxFrom, json, listOf, readProblems, router, writeProblems } from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { createSegment, deleteSegment, updateSegment } from "./change";
import { previewAudience } from "./preview";
import { catalogue, findSegment, listMembers, listSegments, listSizes, listTransitions, showSegment } from "./read";
import {
  CatalogSchema,
  MemberQuery,
  MemberSchema,
  NewSegment,
  PreviewQuery,
  PreviewRequest,
  PreviewSchema,
  SegmentPatch,
  SegmentSchema,
  SizeSchema,
  TransitionSchema,
} from "./schemas";

const tags = ["Segments"];

export const segmentRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/segments/catalog",
      tags,
      summary: "Everything that a segment of the shop can ask",
      description: "What needs a store is there once one is connected or has told of orders.",
      request: { query: ShopQuery },
      responses: { 200: json(CatalogSchema, "Fields by group, and events"), ...readProblems },
    }),
    async (c) => c.json(await catalogue(await ctxFrom(c)), 200),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/segments/preview",
      tags,
      summary: "How many an audience has now, and ten of them",
      description:
        "A definition, or who is in any of `include`; without the members of `exclude`. Nothing is stored. Errors " +
        "point at the condition.",
      request: { body: body(PreviewRequest), query: PreviewQuery },
      responses: { 200: json(PreviewSchema, "The count and a sample"), ...writeProblems },
    }),
    async (c) => {
      const { shop, ...request } = c.req.valid("json");
      const { explain } = c.req.valid("query");
      return c.json(await previewAudience(await ctxFrom(c, shop), request, { explain }), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/segments",
      tags,
      summary: "Segments, newest first",
      request: { query: PageQuery },
      responses: { 200: json(listOf(SegmentSchema), "A page of segments"), ...readProblems },
    }),
    async (c) => c.json(await listSegments(await ctxFrom(c), c.req.valid("query")), 200),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/segments",
      tags,
      summary: "Add a segment",
      description:
        "It is filled at once, that of a large shop in pieces (`state` is `filling`), and kept up to date from then on.",
      request: { body: body(NewSegment), query: ShopQuery },
      responses: { 201: json(SegmentSchema, "The segment"), ...writeProblems },
    }),
    async (c) => {
      const { shop, ...input } = c.req.valid("json");
      return c.json(await createSegment(await ctxFrom(c, shop), input), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/segments/{id}",
      tags,
      summary: "A segment",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(SegmentSchema, "The segment"), ...readProblems },
    }),
    async (c) => c.json(showSegment((await recordFrom(c, findSegment, c.req.valid("param").id)).record), 200),
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/v1/segments/{id}",
      tags,
      summary: "Change a segment",
      description:
        "Another definition is a new version and is filled again. 422 when it would lead back to the segment itself.",
      request: { params: IdParam, query: ShopQuery, body: body(SegmentPatch) },
      responses: { 200: json(SegmentSchema, "The segment as it is now"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, record: segment } = await recordFrom(c, findSegment, c.req.valid("param").id);
      return c.json(await updateSegment(ctx, segment, c.req.valid("json")), 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/segments/{id}",
      tags,
      summary: "Delete a segment",
      description: "409 while another segment refers to it.",
      request: { params: IdParam, query: ShopQuery },
      responses: { 204: { description: "Deleted" }, ...writeProblems },
    }),
    async (c) => {
      const { ctx, record: segment } = await recordFrom(c, findSegment, c.req.valid("param").id);
      await deleteSegment(ctx, segment);
      return c.body(null, 204);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/segments/{id}/members",
      tags,
      summary: "Who is in it, as stored",
      description: "Contacts first. Of an anonymous visitor the id is all that is told.",
      request: { params: IdParam, query: MemberQuery },
      responses: { 200: json(listOf(MemberSchema), "A page of members"), ...readProblems },
    }),
    async (c) => {
      const { ctx, record: segment } = await recordFrom(c, findSegment, c.req.valid("param").id);
      return c.json(await listMembers(ctx, segment, c.req.valid("query")), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/segments/{id}/history",
      tags,
      summary: "Who entered and left, the latest first",
      description: "Without those whom the first fill found. The id is null for somebody who was erased.",
      request: { params: IdParam, query: PageQuery },
      responses: { 200: json(listOf(TransitionSchema), "A page of changes"), ...readProblems },
    }),
    async (c) => {
      const { ctx, record: segment } = await recordFrom(c, findSegment, c.req.valid("param").id);
      return c.json(await listTransitions(ctx, segment, c.req.valid("query")), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/segments/{id}/sizes",
      tags,
      summary: "Its size over time, the latest first",
      description: "At the end of each local day on which it changed; between two of them it stayed the same.",
      request: { params: IdParam, query: PageQuery },
      responses: { 200: json(listOf(SizeSchema), "A page of days"), ...readProblems },
    }),
    async (c) => {
      const { ctx, record: segment } = await recordFrom(c, findSegment, c.req.valid("param").id);
      return c.json(await listSizes(ctx, segment, c.req.valid("query")), 200);
    },
  );
