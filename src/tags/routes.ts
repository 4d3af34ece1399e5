import { createRoute } from "@hono/zod-openapi";

import { body, recordFrom, ctxFrom, json, listOf, readProblems, router, writeProblems } from "../api/route";
import { IdParam, ShopQuery } from "../api/schemas";
import type { Ctx } from "../context";
import { AppError } from "../errors";
import { ContactsChangeSchema } from "../fields/schemas";
import { armClock } from "../jobs";
import { continueTagChange } from "./carry-over";
import { createTag, deleteTag, mergeTags, readTag, renameTag } from "./change";
import { findTag, listTags, showTag } from "./read";
import { type ChangedTag, ChangedTagSchema, NewTag, TagMerge, TagPatch, TagQuery, TagSchema } from "./schemas";

const tags = ["Tags"];

/** Carries a change out as far as one request goes. */
async function carriedOut(ctx: Ctx, id: string, jobId: string | null): Promise<ChangedTag> {
  const state = jobId === null ? "done" : await continueTagChange(ctx.db, { id: jobId, shop: ctx.shop.key }, ctx.now);
  return { ...(await readTag(ctx, id)), jobId: state === "done" ? null : jobId };
}

export const tagRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/tags",
      tags,
      summary: "Tags in alphabetical order, with how many contacts carry each",
      request: { query: TagQuery },
      responses: { 200: json(listOf(TagSchema), "A page of tags"), ...readProblems },
    }),
    async (c) => c.json(await listTags(await ctxFrom(c), c.req.valid("query")), 200),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/tags",
      tags,
      summary: "Add a tag that nobody carries yet",
      description: "Tags that a contact is given are added by themselves.",
      request: { body: body(NewTag), query: ShopQuery },
      responses: { 201: json(TagSchema, "The tag"), ...writeProblems },
    }),
    async (c) => {
      const input = c.req.valid("json");
      return c.json(await createTag(await ctxFrom(c, input.shop), input.label), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/tags/{id}",
      tags,
      summary: "A tag",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(TagSchema, "The tag"), ...readProblems },
    }),
    async (c) => c.json(showTag((await recordFrom(c, findTag, c.req.valid("param").id)).record), 200),
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/v1/tags/{id}",
      tags,
      summary: "Rename a tag",
      description:
        "On every contact; what the store goes on sending under the old name comes in under the new one. 409 when " +
        "another tag has the name: merge them.",
      request: { params: IdParam, query: ShopQuery, body: body(TagPatch) },
      responses: {
        200: json(ChangedTagSchema, "Renamed"),
        202: json(ChangedTagSchema, "Renamed; contacts follow"),
        ...writeProblems,
      },
    }),
    async (c) => {
      const { ctx, record: tag } = await recordFrom(c, findTag, c.req.valid("param").id);
      await armClock(ctx.env, ctx.shop.key, ctx.now);
      const jobId = await renameTag(ctx, tag, c.req.valid("json").label);
      const changed = await carriedOut(ctx, tag.id, jobId);
      return changed.jobId === null ? c.json(changed, 200) : c.json(changed, 202);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/tags/{id}/merge",
      tags,
      summary: "Merge a tag into another",
      description: "Who carries it carries the other from then on, also when the store goes on sending it.",
      request: { params: IdParam, query: ShopQuery, body: body(TagMerge) },
      responses: {
        200: json(ChangedTagSchema, "The tag that stays"),
        202: json(ChangedTagSchema, "The tag that stays; contacts follow"),
        ...writeProblems,
      },
    }),
    async (c) => {
      const { ctx, record: tag } = await recordFrom(c, findTag, c.req.valid("param").id);
      const into = await findTag(ctx.db, c.req.valid("json").into);
      if (!into || into.shop !== ctx.shop.key) throw new AppError("not_found", "There is no tag to merge into");
      await armClock(ctx.env, ctx.shop.key, ctx.now);
      const jobId = await mergeTags(ctx, tag, into);
      const changed = await carriedOut(ctx, into.id, jobId);
      return changed.jobId === null ? c.json(changed, 200) : c.json(changed, 202);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/tags/{id}",
      tags,
      summary: "Delete a tag",
      description: "From every contact; it does not come back when the store goes on sending it.",
      request: { params: IdParam, query: ShopQuery },
      responses: {
        204: { description: "Deleted" },
        202: json(ContactsChangeSchema, "Being deleted"),
        ...writeProblems,
      },
    }),
    async (c) => {
      const { ctx, record: tag } = await recordFrom(c, findTag, c.req.valid("param").id);
      await armClock(ctx.env, ctx.shop.key, ctx.now);
      const jobId = await deleteTag(ctx, tag);
      const state = await continueTagChange(ctx.db, { id: jobId, shop: ctx.shop.key }, ctx.now);
      return state === "done" ? c.body(null, 204) : c.json({ jobId, state }, 202);
    },
  );
