import { createRoute } from "@hono/zod-openapi";

import { body, recordFrom, ctxFrom, json, listOf, readProblems, router, writeProblems } from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { createList, deleteList, readRow, renameList, segmentKey } from "./change";
import { changeMembers } from "./members";
import { findList, listLists, listMembers, showList } from "./read";
import { ListChange, ListChangedSchema, ListMemberSchema, ListPatch, ListSchema, NewList } from "./schemas";

const tags = ["Lists"];

export const listRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/lists",
      tags,
      summary: "Lists, newest first",
      request: { query: PageQuery },
      responses: { 200: json(listOf(ListSchema), "A page of lists"), ...readProblems },
    }),
    async (c) => c.json(await listLists(await ctxFrom(c), c.req.valid("query")), 200),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/lists",
      tags,
      summary: "Add a list",
      description: "Empty, or with the members that a segment has now; those of a large one follow.",
      request: { body: body(NewList), query: ShopQuery },
      responses: { 201: json(ListSchema, "The list"), ...writeProblems },
    }),
    async (c) => {
      const { shop, name, segment } = c.req.valid("json");
      const ctx = await ctxFrom(c, shop);
      if (segment !== undefined) await segmentKey(ctx, segment);
      const list = await createList(ctx, name);
      if (segment !== undefined) await changeMembers(ctx, list, { action: "add", segment });
      return c.json(showList(await readRow(ctx, list.id)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/lists/{id}",
      tags,
      summary: "A list",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(ListSchema, "The list"), ...readProblems },
    }),
    async (c) => c.json(showList((await recordFrom(c, findList, c.req.valid("param").id)).record), 200),
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/v1/lists/{id}",
      tags,
      summary: "Rename a list",
      request: { params: IdParam, query: ShopQuery, body: body(ListPatch) },
      responses: { 200: json(ListSchema, "The list"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, record: list } = await recordFrom(c, findList, c.req.valid("param").id);
      return c.json(await renameList(ctx, list, c.req.valid("json").name), 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/lists/{id}",
      tags,
      summary: "Delete a list",
      description: "409 while a segment refers to it. Nobody who is on it changes otherwise.",
      request: { params: IdParam, query: ShopQuery },
      responses: { 204: { description: "Deleted" }, ...writeProblems },
    }),
    async (c) => {
      const { ctx, record: list } = await recordFrom(c, findList, c.req.valid("param").id);
      await deleteList(ctx, list);
      return c.body(null, 204);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/lists/{id}/members",
      tags,
      summary: "Who is on a list",
      request: { params: IdParam, query: PageQuery },
      responses: { 200: json(listOf(ListMemberSchema), "A page of members"), ...readProblems },
    }),
    async (c) => {
      const { ctx, record: list } = await recordFrom(c, findList, c.req.valid("param").id);
      return c.json(await listMembers(ctx, list, c.req.valid("query")), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/lists/{id}/members",
      tags,
      summary: "Put people on a list, or take them off",
      description:
        "By ids (at most 1,000 of each kind), everybody of a filter of contacts, or a segment's members as they are " +
        "now. A large change goes on as the job that is named.",
      request: { params: IdParam, query: ShopQuery, body: body(ListChange) },
      responses: {
        200: json(ListChangedSchema, "Done"),
        202: json(ListChangedSchema, "Going on"),
        ...writeProblems,
      },
    }),
    async (c) => {
      const { ctx, record: list } = await recordFrom(c, findList, c.req.valid("param").id);
      const changed = await changeMembers(ctx, list, c.req.valid("json"));
      return changed.state === "done" ? c.json(changed, 200) : c.json(changed, 202);
    },
  );
