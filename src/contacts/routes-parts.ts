import { createRoute, z } from "@hono/zod-openapi";

import { audit } from "../api/audit";
import { body, json, listOf, readProblems, router, writeProblems } from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { flushContact } from "../visitor/rest";
import { addTags, removeTags } from "./decisions";
import { lifecycleRows } from "./export";
import { contactLinks, ContactLinkSchema, undoContactLink } from "./links";
import { contactFrom, readContact } from "./locate";
import { ContactPageSchema, contactPages } from "./pages";
import { ContactSchema, LifecycleEntrySchema, Tags } from "./schemas";
import { showContact } from "./show";

const tags = ["Contacts"];
const TagsBody = z.strictObject({ tags: Tags.min(1) });
const merged = { 308: { description: "Merged: the survivor's address" } };

/** What hangs on a contact. */
export const contactPartRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/contacts/{id}/pages",
      tags,
      summary: "Pages that the contact saw, the one seen last first",
      request: { params: IdParam, query: PageQuery },
      responses: { 200: json(listOf(ContactPageSchema), "A page of pages"), ...merged, ...readProblems },
    }),
    async (c) => {
      const { ctx, key } = await contactFrom(c, c.req.valid("param").id);
      await flushContact(ctx, key);
      return c.json(await contactPages(ctx, key, c.req.valid("query")), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/contacts/{id}/links",
      tags,
      summary: "Browsers linked by nothing but a claim",
      request: { params: IdParam, query: PageQuery },
      responses: { 200: json(listOf(ContactLinkSchema), "A page of links"), ...merged, ...readProblems },
    }),
    async (c) => {
      const { ctx, key } = await contactFrom(c, c.req.valid("param").id);
      return c.json(await contactLinks(ctx, key, c.req.valid("query")), 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/contacts/{id}/links/{linkId}",
      tags,
      summary: "Take a claimed link back",
      description: "The browser's history is anonymous again.",
      request: { params: IdParam.extend({ linkId: z.string().min(1).max(100) }), query: ShopQuery },
      responses: { 204: { description: "Taken back" }, ...writeProblems },
    }),
    async (c) => {
      const { id, linkId } = c.req.valid("param");
      const { ctx, ...contact } = await contactFrom(c, id);
      await undoContactLink(ctx, contact, linkId);
      return c.body(null, 204);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/contacts/{id}/lifecycle",
      tags,
      summary: "Every stage and status that the contact has had, newest first",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(listOf(LifecycleEntrySchema), "The history"), ...merged, ...readProblems },
    }),
    async (c) => {
      const { ctx, key } = await contactFrom(c, c.req.valid("param").id);
      return c.json({ items: await lifecycleRows(ctx, key), nextCursor: null }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/contacts/{id}/tags",
      tags,
      summary: "Add tags",
      request: { params: IdParam, query: ShopQuery, body: body(TagsBody) },
      responses: { 200: json(ContactSchema, "The contact"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, key, id } = await contactFrom(c, c.req.valid("param").id);
      await ctx.db.batch([
        addTags(ctx.db, ctx.shop.key, key, c.req.valid("json").tags, ctx.now),
        audit(ctx, "contact.updated", id, ["tags"]),
      ]);
      return c.json(showContact(await readContact(ctx, key), ctx.shop), 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/contacts/{id}/tags",
      tags,
      summary: "Remove tags",
      request: { params: IdParam, query: ShopQuery, body: body(TagsBody) },
      responses: { 200: json(ContactSchema, "The contact"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, key, id } = await contactFrom(c, c.req.valid("param").id);
      await ctx.db.batch([
        removeTags(ctx.db, ctx.shop.key, key, c.req.valid("json").tags),
        audit(ctx, "contact.updated", id, ["tags"]),
      ]);
      return c.json(showContact(await readContact(ctx, key), ctx.shop), 200);
    },
  );
