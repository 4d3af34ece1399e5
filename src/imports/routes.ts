import { createRoute, z } from "@hono/zod-openapi";

import { body, ctxFrom, json, listOf, readProblems, recordFrom, router, writeProblems } from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { createImport, deleteImport, startImport, storePart } from "./begin";
import { createExport, deleteExport, findExport, listExports, showExport } from "./exports";
import { errorFile, findImport, listImports, showImport } from "./read";
import { ExportSchema, ImportSchema, NewExport, NewImport, PartParam, PartSchema, StartImport } from "./schemas";

const tags = ["Imports and exports"];

export const importRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/imports",
      tags,
      summary: "Imports, newest first",
      request: { query: PageQuery },
      responses: { 200: json(listOf(ImportSchema), "A page of imports"), ...readProblems },
    }),
    async (c) => c.json(await listImports(await ctxFrom(c), c.req.valid("query")), 200),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/imports",
      tags,
      summary: "Import people with their consents, unsubscribes and suppressions",
      description:
        "CSV or JSONL in UTF-8: our own exports, Klaviyo's, ActiveCampaign's and Mautic's are recognised, other columns " +
        "are mapped. A small file comes along as `content`; a large one (100 MB at most) is sent in parts and then " +
        "started. Nothing in a file subscribes somebody who has left. No domain event tells of the people added.",
      request: { body: body(NewImport), query: ShopQuery },
      responses: { 201: json(ImportSchema, "The import"), ...writeProblems },
    }),
    async (c) => {
      const input = c.req.valid("json");
      const ctx = await ctxFrom(c, input.shop);
      return c.json(await showImport(ctx.db, await createImport(ctx, input)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/imports/{id}",
      tags,
      summary: "An import, what became of its rows and the first errors",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(ImportSchema, "The import"), ...readProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findImport, c.req.valid("param").id);
      return c.json(await showImport(ctx.db, record), 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/imports/{id}",
      tags,
      summary: "Stop an import and let its file go",
      description: "What it has done stays.",
      request: { params: IdParam, query: ShopQuery },
      responses: { 204: { description: "Stopped" }, ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findImport, c.req.valid("param").id);
      await deleteImport(ctx, record);
      return c.body(null, 204);
    },
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/v1/imports/{id}/parts/{no}",
      tags,
      summary: "Send a part of the file",
      description:
        "The bytes themselves, of any content type, in parts numbered from 1 that may be cut anywhere. A part that broke " +
        "off is sent again; the others stay.",
      request: {
        params: PartParam,
        query: ShopQuery,
        body: { content: { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } } },
      },
      responses: { 200: json(PartSchema, "What was stored"), ...writeProblems },
    }),
    async (c) => {
      const { id, no } = c.req.valid("param");
      const { ctx, record } = await recordFrom(c, findImport, id);
      return c.json({ importId: id, part: no, bytes: await storePart(ctx, record, no, c.req.raw.body) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/imports/{id}/start",
      tags,
      summary: "Begin, or only try",
      description: "After a dry run, which writes nothing but its figures, the same file can be imported.",
      request: { params: IdParam, query: ShopQuery, body: body(StartImport) },
      responses: { 202: json(ImportSchema, "The import; its job goes on"), ...writeProblems },
    }),
    async (c) => {
      const { dryRun } = c.req.valid("json");
      const { ctx, record } = await recordFrom(c, findImport, c.req.valid("param").id);
      return c.json(await showImport(ctx.db, await startImport(ctx, record, dryRun)), 202);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/imports/{id}/errors",
      tags,
      summary: "What was wrong with its rows",
      description: "A CSV of row, column, problem and what was left out, at most 10,000 rows, kept for 30 days.",
      request: { params: IdParam, query: ShopQuery },
      responses: {
        200: { description: "The file", content: { "text/csv": { schema: z.string() } } },
        ...readProblems,
      },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findImport, c.req.valid("param").id);
      return c.body(errorFile(ctx.db, record), 200, {
        "content-type": "text/csv; charset=utf-8",
        "content-disposition": `attachment; filename="${record.id}-errors.csv"`,
        "cache-control": "no-store",
      });
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/exports",
      tags,
      summary: "Exports, newest first",
      request: { query: PageQuery },
      responses: { 200: json(listOf(ExportSchema), "A page of exports"), ...readProblems },
    }),
    async (c) => c.json(await listExports(await ctxFrom(c), c.req.valid("query"), new URL(c.req.url).origin), 200),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/exports",
      tags,
      summary: "Export contacts with their consents and suppressions",
      description:
        "Everybody, a segment or a list, as a file that can be imported again without a change. Its link works for a day; " +
        "an erasure takes it at once.",
      request: { body: body(NewExport), query: ShopQuery },
      responses: { 202: json(ExportSchema, "The export; its job goes on"), ...writeProblems },
    }),
    async (c) => {
      const input = c.req.valid("json");
      const ctx = await ctxFrom(c, input.shop);
      return c.json(await showExport(c.env, await createExport(ctx, input), new URL(c.req.url).origin), 202);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/exports/{id}",
      tags,
      summary: "An export and where to fetch it",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(ExportSchema, "The export"), ...readProblems },
    }),
    async (c) => {
      const { record } = await recordFrom(c, findExport, c.req.valid("param").id);
      return c.json(await showExport(c.env, record, new URL(c.req.url).origin), 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/exports/{id}",
      tags,
      summary: "Stop an export and let its file go",
      request: { params: IdParam, query: ShopQuery },
      responses: { 204: { description: "Gone" }, ...writeProblems },
    }),
    async (c) => {
      const { ctx, record } = await recordFrom(c, findExport, c.req.valid("param").id);
      await deleteExport(ctx, record);
      return c.body(null, 204);
    },
  );
