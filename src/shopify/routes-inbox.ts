import { createRoute, z } from "@hono/zod-openapi";

import { audit } from "../api/audit";
import { ctxForRecord, ctxFrom, json, listOf, readProblems, router, writeProblems } from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { AppError } from "../errors";
import { armClock } from "../jobs";
import { unpackBody } from "./body";
import { replayInboxRow } from "./inbox";
import { findInboxEntry, listInbox } from "./inbox-read";
import { InboxEntrySchema, InboxState } from "./schemas";

export const inboxRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/webhook-inbox",
      tags: ["Webhook inbox"],
      summary: "Webhooks as they came, newest first",
      description: "`state=dead` is the list of those that failed for good; they can be replayed.",
      request: {
        query: PageQuery.extend({
          state: InboxState.optional(),
          topic: z.string().min(1).max(100).optional().openapi({ example: "orders/create" }),
        }),
      },
      responses: { 200: json(listOf(InboxEntrySchema), "A page of webhooks"), ...readProblems },
    }),
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid("query");
      return c.json(await listInbox(await ctxFrom(c), filter, { limit, cursor }), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/webhook-inbox/{id}",
      tags: ["Webhook inbox"],
      summary: "A webhook as it came",
      request: { params: IdParam, query: ShopQuery.extend({ include: z.enum(["body"]).optional() }) },
      responses: { 200: json(InboxEntrySchema, "The webhook"), ...readProblems },
    }),
    async (c) => {
      const found = await findInboxEntry(c.env.DB, c.req.valid("param").id);
      await ctxForRecord(c, found?.shop);
      if (!found) throw new AppError("not_found");
      if (c.req.valid("query").include !== "body") return c.json(found.entry, 200);
      return c.json({ ...found.entry, body: found.body === null ? null : await unpackBody(found.body) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/webhook-inbox/{id}/replay",
      tags: ["Webhook inbox"],
      summary: "Handle a webhook again",
      description: "422 once its body is gone. Handling is idempotent: a body that is known changes nothing.",
      request: { params: IdParam, query: ShopQuery },
      responses: { 202: json(InboxEntrySchema, "It waits for its turn"), ...writeProblems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const found = await findInboxEntry(c.env.DB, id);
      const ctx = await ctxForRecord(c, found?.shop);
      if (!found) throw new AppError("not_found");
      await armClock(ctx.env, ctx.shop.key, ctx.now);
      if (!(await replayInboxRow(ctx.db, ctx.shop.key, id, ctx.now))) {
        throw new AppError("unprocessable", "The body is no longer kept");
      }
      // Only a nudge: without it the clock brings the row.
      ctx.later(ctx.env.WEBHOOKS.send({ shop: ctx.shop.key, inbox: [found.key] }).catch(() => undefined));
      await audit(ctx, "webhook.replayed", id).run();
      const after = await findInboxEntry(ctx.db, id);
      if (!after) throw new AppError("not_found");
      return c.json(after.entry, 202);
    },
  );
