import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";

import { type ApiEnv, ctxForRecord, ctxFrom, json, listOf, readProblems, router } from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import type { Ctx } from "../context";
import { AppError } from "../errors";
import { contactFrom } from "../contacts/rest";
import { flushVisitor } from "./index";
import { flushContact, shopOfVisitor } from "./open";
import { findVisitor, listVisitors } from "./read";
import { TimelineItemSchema, VisitorSchema, VisitSchema } from "./schemas";
import { contactTimeline, visitorTimeline } from "./timeline";
import { contactVisits, visitorVisits } from "./visits";

const Include = z.enum(["hidden"]).optional().openapi({ description: "`hidden` adds `source`" });
const Person = z.coerce
  .number()
  .int()
  .min(1)
  .max(1_000_000)
  .optional()
  .openapi({ type: "integer", description: "Which person of the browser; the current one by default" });

/** Cursors name every persona of a contact, so they may be long. */
const TimelineQuery = PageQuery.extend({ cursor: z.string().min(1).max(8000).optional() });

const moved = { 308: { description: "The contact was merged; `Location` is the same about the survivor" } };

/** The shop of a browser: the key's own, the one that the operator names, or the only one that has seen it. */
async function ctxOfVisitor(c: Context<ApiEnv>, tracker: string): Promise<Ctx> {
  if (c.var.actor.kind === "key" || c.req.query("shop") !== undefined) return ctxFrom(c);
  return ctxForRecord(c, z.uuid().safeParse(tracker).success ? await shopOfVisitor(c.env, tracker) : null);
}

/** A browser's person, after what its object still holds has reached the database. */
async function visitorOf(ctx: Ctx, tracker: string, person: number | undefined, isFirstPage = true) {
  if (!z.uuid().safeParse(tracker).success) throw new AppError("not_found");
  if (isFirstPage) await flushVisitor(ctx.env, ctx.shop, tracker);
  const visitor = await findVisitor(ctx, tracker, person);
  if (!visitor) throw new AppError("not_found");
  return visitor;
}

export const visitorRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/visitors",
      tags: ["Visitors"],
      summary: "Visitors who are nobody's contact, newest first",
      description:
        "With `contactId`, those who became that contact. After an uninstall the list still answers: intake has " +
        "stopped, as the shop's `status` and `uninstalledAt` tell.",
      request: { query: PageQuery.extend({ contactId: z.string().min(1).max(100).optional(), include: Include }) },
      responses: { 200: json(listOf(VisitorSchema), "A page of visitors"), ...readProblems },
    }),
    async (c) => {
      const { limit, cursor, contactId, include } = c.req.valid("query");
      const ctx = await ctxFrom(c);
      return c.json(await listVisitors(ctx, { contactId }, { limit, cursor }, { hidden: include === "hidden" }), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/visitors/{id}",
      tags: ["Visitors"],
      summary: "A visitor, by the tracker's id",
      request: { params: IdParam, query: ShopQuery.extend({ person: Person, include: Include }) },
      responses: { 200: json(VisitorSchema, "The visitor"), ...readProblems },
    }),
    async (c) => {
      const { person, include } = c.req.valid("query");
      const { id } = c.req.valid("param");
      const visitor = await visitorOf(await ctxOfVisitor(c, id), id, person);
      return c.json(await visitor.show({ hidden: include === "hidden" }), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/visitors/{id}/timeline",
      tags: ["Visitors"],
      summary: "What a visitor did, newest first",
      request: { params: IdParam, query: TimelineQuery.extend({ person: Person }) },
      responses: { 200: json(listOf(TimelineItemSchema), "A page of the timeline"), ...readProblems },
    }),
    async (c) => {
      const { person, limit, cursor } = c.req.valid("query");
      const ctx = await ctxOfVisitor(c, c.req.valid("param").id);
      const { key } = await visitorOf(ctx, c.req.valid("param").id, person, cursor === undefined);
      return c.json(await visitorTimeline(ctx, [key], { limit, cursor }), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/visitors/{id}/visits",
      tags: ["Visitors"],
      summary: "A visitor's visits, latest first, each with its pages in their order",
      request: { params: IdParam, query: PageQuery.extend({ person: Person }) },
      responses: { 200: json(listOf(VisitSchema), "A page of visits"), ...readProblems },
    }),
    async (c) => {
      const { person, limit, cursor } = c.req.valid("query");
      const ctx = await ctxOfVisitor(c, c.req.valid("param").id);
      const { key } = await visitorOf(ctx, c.req.valid("param").id, person, cursor === undefined);
      return c.json(await visitorVisits(ctx, [key], { limit, cursor }), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/contacts/{id}/timeline",
      tags: ["Contacts"],
      summary: "Everything of a contact, newest first",
      description:
        "Events of all its browsers with their own times, also from before it was a contact; orders, carts, lifecycle.",
      request: { params: IdParam, query: TimelineQuery },
      responses: { 200: json(listOf(TimelineItemSchema), "A page of the timeline"), ...moved, ...readProblems },
    }),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const { ctx, key } = await contactFrom(c, c.req.valid("param").id);
      if (cursor === undefined) await flushContact(ctx, key);
      return c.json(await contactTimeline(ctx, key, { limit, cursor }), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/contacts/{id}/visits",
      tags: ["Contacts"],
      summary: "The visits of a contact's browsers, latest first, each with its pages in their order",
      request: { params: IdParam, query: PageQuery },
      responses: { 200: json(listOf(VisitSchema), "A page of visits"), ...moved, ...readProblems },
    }),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const { ctx, key } = await contactFrom(c, c.req.valid("param").id);
      if (cursor === undefined) await flushContact(ctx, key);
      return c.json(await contactVisits(ctx, key, { limit, cursor }), 200);
    },
  );
