import { createRoute } from "@hono/zod-openapi";

import { body, ctxFrom, json, listOf, readProblems, recordFrom, router, writeProblems } from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { templateCatalogue } from "./catalogue";
import { contentOf, createTemplate, deleteTemplate, updateTemplate } from "./change";
import { compileContent } from "./compile";
import { previewTemplate } from "./preview";
import { findTemplate, listTemplates, listVersions, showTemplate } from "./read";
import {
  CatalogueSchema,
  DraftPreviewRequest,
  NewTemplate,
  PreviewRequest,
  PreviewSchema,
  TemplateItem,
  TemplatePatch,
  TemplateQuery,
  TemplateSchema,
  TranslatedSchema,
  TranslateRequest,
  VersionSchema,
} from "./schemas";
import { translateTags } from "./translate";

const tags = ["Templates"];

export const templateRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/templates/catalog",
      tags,
      summary: "What templates can name",
      description: "Values, blocks, filters and tags of Liquid, and the languages that the blocks speak.",
      request: { query: ShopQuery },
      responses: { 200: json(CatalogueSchema, "The catalogue"), ...readProblems },
    }),
    async (c) => {
      await ctxFrom(c);
      return c.json(templateCatalogue(), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/templates/preview",
      tags,
      summary: "Preview a template that is not saved",
      request: { body: body(DraftPreviewRequest), query: ShopQuery },
      responses: { 200: json(PreviewSchema, "The message"), ...writeProblems },
    }),
    async (c) => {
      const { shop, channel, contactId, about, language, ...input } = c.req.valid("json");
      const ctx = await ctxFrom(c, shop);
      const content = contentOf(channel, input);
      const version = { content, compiled: compileContent(content) };
      return c.json(await previewTemplate(ctx, version, { contactId, about, language }), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/templates/translate",
      tags,
      summary: "Turn %TAGS% into Liquid",
      description:
        "ActiveCampaign's personalisation tags with their fallbacks; those that are not known stay, and are named.",
      request: { body: body(TranslateRequest), query: ShopQuery },
      responses: { 200: json(TranslatedSchema, "The text"), ...writeProblems },
    }),
    async (c) => {
      await ctxFrom(c);
      return c.json(translateTags(c.req.valid("json").text), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/templates",
      tags,
      summary: "Templates, newest first",
      request: { query: TemplateQuery },
      responses: { 200: json(listOf(TemplateItem), "A page of templates"), ...readProblems },
    }),
    async (c) => c.json(await listTemplates(await ctxFrom(c), c.req.valid("query")), 200),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/templates",
      tags,
      summary: "Add a template",
      request: { body: body(NewTemplate), query: ShopQuery },
      responses: { 201: json(TemplateSchema, "The template"), ...writeProblems },
    }),
    async (c) => {
      const input = c.req.valid("json");
      return c.json(showTemplate(await createTemplate(await ctxFrom(c, input.shop), input)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/templates/{id}",
      tags,
      summary: "A template with its newest version",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(TemplateSchema, "The template"), ...readProblems },
    }),
    async (c) => c.json(showTemplate((await recordFrom(c, findTemplate, c.req.valid("param").id)).record), 200),
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/v1/templates/{id}",
      tags,
      summary: "Change a template",
      description: "A change of what it says is a new version; automations and campaigns keep the one they pinned.",
      request: { params: IdParam, query: ShopQuery, body: body(TemplatePatch) },
      responses: { 200: json(TemplateSchema, "The template"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findTemplate, c.req.valid("param").id);
      return c.json(showTemplate(await updateTemplate(ctx, record, c.req.valid("json"))), 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/templates/{id}",
      tags,
      summary: "Delete a template",
      description: "What is pinned to one of its versions goes on with it.",
      request: { params: IdParam, query: ShopQuery },
      responses: { 204: { description: "Deleted" }, ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findTemplate, c.req.valid("param").id);
      await deleteTemplate(ctx, record);
      return c.body(null, 204);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/templates/{id}/versions",
      tags,
      summary: "Versions of a template, newest first",
      request: { params: IdParam, query: PageQuery },
      responses: { 200: json(listOf(VersionSchema), "A page of versions"), ...readProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findTemplate, c.req.valid("param").id);
      return c.json(await listVersions(ctx, record, c.req.valid("query")), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/templates/{id}/preview",
      tags,
      summary: "Preview a template on a contact",
      description: "With real data, and every value that is missing. Sends nothing and uses no code up.",
      request: { params: IdParam, query: ShopQuery, body: body(PreviewRequest) },
      responses: { 200: json(PreviewSchema, "The message"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findTemplate, c.req.valid("param").id);
      const version = { content: JSON.parse(record.content), compiled: JSON.parse(record.compiled) };
      return c.json(await previewTemplate(ctx, version, c.req.valid("json")), 200);
    },
  );
