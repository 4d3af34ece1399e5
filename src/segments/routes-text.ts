import { createRoute, z } from "@hono/zod-openapi";

import { body, ctxFrom, json, router, writeProblems } from "../api/route";
import { ShopQuery, ShopRef } from "../api/schemas";
import { AppError } from "../errors";
import { parseDefinition } from "./definition";
import { importKlaviyo } from "./klaviyo";
import { customFieldsOf, vocabulary } from "./membership/load";
import { AudienceSchema, DefinitionSchema } from "./schemas";
import { MOST_TEXT, parseText, printText } from "./text";

const tags = ["Segments"];

const asked = { shop: ShopRef.optional(), audience: AudienceSchema.default("contacts") };

const NoteSchema = z.strictObject({ offset: z.int(), line: z.int(), column: z.int(), detail: z.string() });

const ParsedSchema = z
  .strictObject({
    definition: DefinitionSchema,
    notes: z.array(NoteSchema).openapi({ description: "Where a filter became one that is not wholly the same" }),
  })
  .openapi("ParsedSegmentText");

const Placed = z.strictObject({ pointer: z.string(), detail: z.string() });

const ImportedSchema = z
  .strictObject({
    definition: z.union([DefinitionSchema, z.null()]).openapi({
      description: "What was accepted; the whole segment only where nothing was refused",
    }),
    refused: z.array(Placed),
    notes: z.array(Placed),
  })
  .openapi("ImportedSegment");

const KlaviyoImport = z
  .strictObject({
    ...asked,
    definition: DefinitionSchema.openapi({ description: "Klaviyo's `SegmentDefinition`" }),
    metrics: z
      .array(z.strictObject({ id: z.string().max(100), name: z.string().max(200) }))
      .max(500)
      .default([])
      .openapi({ description: "Names of the account's metrics" }),
    groups: z
      .array(
        z.union([
          z.strictObject({ id: z.string().max(100), segment: z.string().max(100) }),
          z.strictObject({ id: z.string().max(100), list: z.string().max(100) }),
        ]),
      )
      .max(500)
      .default([])
      .openapi({ description: "Segments and lists here that stand for those of the account" }),
  })
  .openapi("KlaviyoImport");

export const segmentTextRoutes = router()
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/segments/parse",
      tags,
      summary: "Read a segment that is written as text",
      description:
        "In Shopify's segment query language, or our extension of it. 400 tells what is wrong, each with line and column.",
      request: {
        query: ShopQuery,
        body: body(z.strictObject({ ...asked, text: z.string().min(1).max(MOST_TEXT) }).openapi("SegmentText")),
      },
      responses: { 200: json(ParsedSchema, "The definition"), ...writeProblems },
    }),
    async (c) => {
      const { shop: ref, audience, text } = c.req.valid("json");
      const { db, shop } = await ctxFrom(c, ref);
      const { currency, timezone } = shop;
      const outcome = parseText(text, {
        ...vocabulary(shop, audience, await customFieldsOf(db, shop.key)),
        currency,
        timezone,
      });
      if ("problems" in outcome) {
        throw new AppError("validation_failed", "The text is no segment", {
          errors: outcome.problems.map(({ line, column, detail }) => ({
            pointer: "/text",
            detail: `line ${line}, column ${column}: ${detail}`,
          })),
        });
      }
      return c.json(outcome, 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/segments/print",
      tags,
      summary: "Write a definition as text",
      description: "`/v1/segments/parse` reads it as the same definition.",
      request: {
        query: ShopQuery,
        body: body(z.strictObject({ ...asked, definition: DefinitionSchema }).openapi("SegmentToPrint")),
      },
      responses: { 200: json(z.strictObject({ text: z.string() }), "The text"), ...writeProblems },
    }),
    async (c) => {
      const { shop: ref, audience, definition } = c.req.valid("json");
      const { db, shop } = await ctxFrom(c, ref);
      parseDefinition(definition, vocabulary(shop, audience, await customFieldsOf(db, shop.key)));
      return c.json({ text: printText(definition, shop) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/segments/import/klaviyo",
      tags,
      summary: "Read a segment of Klaviyo's",
      description: "Each condition is accepted as it is or named as refused, never changed. Nothing is stored.",
      request: { query: ShopQuery, body: body(KlaviyoImport) },
      responses: { 200: json(ImportedSchema, "What was accepted and what refused"), ...writeProblems },
    }),
    async (c) => {
      const { shop: ref, audience, definition, metrics, groups } = c.req.valid("json");
      const { db, shop } = await ctxFrom(c, ref);
      const imported = importKlaviyo(definition, {
        ...vocabulary(shop, audience, await customFieldsOf(db, shop.key)),
        currency: shop.currency,
        metrics: Object.fromEntries(metrics.map(({ id, name }) => [id, name])),
        groups: Object.fromEntries(groups.map(({ id, ...ours }) => [id, ours])),
      });
      return c.json(imported, 200);
    },
  );
