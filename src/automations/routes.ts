import { createRoute } from "@hono/zod-openapi";

import { body, ctxFrom, json, listOf, readProblems, recordFrom, router, writeProblems } from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { catalogue } from "./catalogue";
import { changeActivation } from "./activation";
import { createAutomation, deleteAutomation, updateAutomation } from "./change";
import { findAutomation, listAutomations, listVersions, showAutomation } from "./read";
import { Activation, AutomationPatch, AutomationSchema, CatalogSchema, NewAutomation, VersionSchema } from "./schemas";

const tags = ["Automations"];

export const automationRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/automations/catalog",
      tags,
      summary: "Everything that an automation can be made of",
      request: { query: ShopQuery },
      responses: { 200: json(CatalogSchema, "Triggers, conditions and steps by group"), ...readProblems },
    }),
    async (c) => {
      await ctxFrom(c);
      return c.json(catalogue(), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/automations",
      tags,
      summary: "Automations, newest first",
      request: { query: PageQuery },
      responses: { 200: json(listOf(AutomationSchema), "A page of automations"), ...readProblems },
    }),
    async (c) => c.json(await listAutomations(await ctxFrom(c), c.req.valid("query")), 200),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/automations",
      tags,
      summary: "Add an automation",
      description: "As a draft: nobody enters before it is activated. Errors point at the part of the definition.",
      request: { body: body(NewAutomation), query: ShopQuery },
      responses: { 201: json(AutomationSchema, "The automation"), ...writeProblems },
    }),
    async (c) => {
      const { shop, ...input } = c.req.valid("json");
      return c.json(await createAutomation(await ctxFrom(c, shop), input), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/automations/{id}",
      tags,
      summary: "An automation",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(AutomationSchema, "The automation"), ...readProblems },
    }),
    async (c) => {
      const { record } = await recordFrom(c, findAutomation, c.req.valid("param").id);
      return c.json(showAutomation(record), 200);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/v1/automations/{id}",
      tags,
      summary: "Change an automation",
      description:
        "Another definition is a new version; people who are in it stay on theirs. 409 where people stand at steps that " +
        "would be no more and `onRemovedSteps` does not say what becomes of them.",
      request: { params: IdParam, query: ShopQuery, body: body(AutomationPatch) },
      responses: { 200: json(AutomationSchema, "The automation"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findAutomation, c.req.valid("param").id);
      return c.json(await updateAutomation(ctx, record, c.req.valid("json")), 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/automations/{id}",
      tags,
      summary: "Delete an automation",
      description: "Whoever is in it leaves. 409 while another automation names it.",
      request: { params: IdParam, query: ShopQuery },
      responses: { 204: { description: "Deleted" }, ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findAutomation, c.req.valid("param").id);
      await deleteAutomation(ctx, record);
      return c.body(null, 204);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/automations/{id}/activation",
      tags,
      summary: "Activate, pause, resume, drain or stop an automation",
      description: "Only what happens after it was activated lets anybody in.",
      request: { params: IdParam, query: ShopQuery, body: body(Activation) },
      responses: { 200: json(AutomationSchema, "The automation"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findAutomation, c.req.valid("param").id);
      return c.json(await changeActivation(ctx, record, c.req.valid("json").action), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/automations/{id}/versions",
      tags,
      summary: "Versions of an automation, the latest first, and how many people are on each",
      request: { params: IdParam, query: PageQuery },
      responses: { 200: json(listOf(VersionSchema), "A page of versions"), ...readProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findAutomation, c.req.valid("param").id);
      return c.json(await listVersions(ctx, record.key, c.req.valid("query")), 200);
    },
  );
