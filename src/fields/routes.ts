import { createRoute } from "@hono/zod-openapi";

import { body, recordFrom, ctxFrom, json, listOf, readProblems, router, writeProblems } from "../api/route";
import { IdParam, ShopQuery } from "../api/schemas";
import { armClock } from "../jobs";
import { createField, deleteField, updateField } from "./change";
import { findField, listFields, showField } from "./read";
import { removeFieldValues } from "./remove-values";
import { ContactsChangeSchema, FieldPatch, FieldQuery, FieldSchema, NewField, StandardFieldSchema } from "./schemas";
import { STANDARD_FIELDS } from "./standard";

const tags = ["Fields"];

export const fieldRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/fields",
      tags,
      summary: "Custom fields of contacts, by name",
      description: "Those of a connected store (`system`) among them.",
      request: { query: FieldQuery },
      responses: { 200: json(listOf(FieldSchema), "A page of fields"), ...readProblems },
    }),
    async (c) => {
      const { shop: _, ...query } = c.req.valid("query");
      return c.json(await listFields(await ctxFrom(c), query), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/fields",
      tags,
      summary: "Declare a field",
      description:
        "From then on contacts' values under its name are held to its type; what they have already stays. 409 when the " +
        "name is taken.",
      request: { body: body(NewField), query: ShopQuery },
      responses: { 201: json(FieldSchema, "The field"), ...writeProblems },
    }),
    async (c) => {
      const input = c.req.valid("json");
      return c.json(await createField(await ctxFrom(c, input.shop), input), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/fields/standard",
      tags,
      summary: "Standard fields of contacts, with their labels",
      description:
        "Those with source `shopify` follow the store: an edit here lasts until Shopify's next change of it.",
      request: { query: ShopQuery },
      responses: { 200: json(listOf(StandardFieldSchema), "All of them"), ...readProblems },
    }),
    async (c) => {
      await ctxFrom(c);
      return c.json({ items: STANDARD_FIELDS, nextCursor: null }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/fields/{id}",
      tags,
      summary: "A field",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(FieldSchema, "The field"), ...readProblems },
    }),
    async (c) => c.json(showField((await recordFrom(c, findField, c.req.valid("param").id)).record), 200),
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/v1/fields/{id}",
      tags,
      summary: "Change a field's label or options",
      description:
        "Contacts keep a value that is no option any more until it is changed. 409 for a field of the store.",
      request: { params: IdParam, query: ShopQuery, body: body(FieldPatch) },
      responses: { 200: json(FieldSchema, "The field as it is now"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, record: field } = await recordFrom(c, findField, c.req.valid("param").id);
      return c.json(await updateField(ctx, field, c.req.valid("json")), 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/v1/fields/{id}",
      tags,
      summary: "Delete a field and its values",
      description: "409 for a field of the store. With many contacts the values follow (202), see `/v1/jobs/{id}`.",
      request: { params: IdParam, query: ShopQuery },
      responses: {
        204: { description: "Deleted" },
        202: json(ContactsChangeSchema, "Deleted; its values are being removed"),
        ...writeProblems,
      },
    }),
    async (c) => {
      const { ctx, record: field } = await recordFrom(c, findField, c.req.valid("param").id);
      await armClock(ctx.env, ctx.shop.key, ctx.now);
      const jobId = await deleteField(ctx, field);
      const state = await removeFieldValues(ctx.db, { id: jobId, shop: ctx.shop.key }, ctx.now);
      return state === "done" ? c.body(null, 204) : c.json({ jobId, state }, 202);
    },
  );
