import { createRoute } from "@hono/zod-openapi";

import { body, ctxFrom, json, listOf, readProblems, recordFrom, router, writeProblems } from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { checkDomain } from "./domain";
import { listSenders, showSender } from "./read";
import { DomainCheckSchema, NewSender, SenderPatch, SenderSchema, SenderTest, SenderTestedSchema } from "./schemas";
import { findSender } from "./sender";
import { testSender } from "./test-message";
import { createSender, deleteSender, updateSender } from "./write";

const tags = ["Senders"];

export const senderRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/senders",
      tags,
      summary: "Whom messages come from, newest first",
      request: { query: PageQuery },
      responses: { 200: json(listOf(SenderSchema), "A page of senders"), ...readProblems },
    }),
    async (c) => c.json(await listSenders(await ctxFrom(c), c.req.valid("query"), c.req.url), 200),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/senders",
      tags,
      summary: "Add a sender",
      description: "400 where something does not fit together, such as marketing with a provider that forbids it.",
      request: { body: body(NewSender), query: ShopQuery },
      responses: { 201: json(SenderSchema, "The sender"), ...writeProblems },
    }),
    async (c) => {
      const input = c.req.valid("json");
      const ctx = await ctxFrom(c, input.shop);
      return c.json(showSender(ctx, await createSender(ctx, input), c.req.url), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/senders/{id}",
      tags,
      summary: "A sender",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(SenderSchema, "The sender"), ...readProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findSender, c.req.valid("param").id);
      return c.json(showSender(ctx, record, c.req.url), 200);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/v1/senders/{id}",
      tags,
      summary: "Change a sender",
      request: { params: IdParam, query: ShopQuery, body: body(SenderPatch) },
      responses: { 200: json(SenderSchema, "The sender"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findSender, c.req.valid("param").id);
      return c.json(showSender(ctx, await updateSender(ctx, record, c.req.valid("json")), c.req.url), 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/senders/{id}",
      tags,
      summary: "Delete a sender and its credentials",
      request: { params: IdParam, query: ShopQuery },
      responses: { 204: { description: "Deleted" }, ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findSender, c.req.valid("param").id);
      await deleteSender(ctx, record);
      return c.body(null, 204);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/senders/{id}/test",
      tags,
      summary: "Send a test to yourself now",
      description: "The answer tells what the provider said. Nothing is tried again.",
      request: { params: IdParam, query: ShopQuery, body: body(SenderTest) },
      responses: { 201: json(SenderTestedSchema, "What the provider said"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findSender, c.req.valid("param").id);
      return c.json(await testSender(ctx, record, c.req.valid("json").to), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/senders/{id}/domain",
      tags,
      summary: "Check the sending domain: SPF, DKIM and DMARC, and the records to paste",
      request: { params: IdParam, query: ShopQuery },
      responses: {
        200: json(DomainCheckSchema, "What DNS says now"),
        422: writeProblems[422],
        ...readProblems,
      },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findSender, c.req.valid("param").id);
      return c.json(await checkDomain(ctx, record), 200);
    },
  );
