import { createRoute, z } from "@hono/zod-openapi";

import { audit } from "../api/audit";
import { body, ctxFrom, json, router, writeProblems } from "../api/route";
import { IdParam, ShopQuery, TimeSchema } from "../api/schemas";
import { config } from "../config";
import { iso } from "../lib/time";
import { LINK_TOKEN_LIFE_MS, linkTokenSecret, makeLinkToken } from "../identity";
import { flushContact } from "../visitor/rest";
import { bulkContacts, BulkRequest, BulkResultSchema } from "./bulk";
import { eraseContact } from "./erase";
import { ContactExportSchema, exportContact } from "./export";
import { contactFrom, readContact } from "./locate";
import { mergeContacts } from "./merge-contacts";
import { ContactSchema } from "./schemas";
import { showContact } from "./show";

const tags = ["Contacts"];

const ErasureSchema = z.strictObject({ jobId: z.string(), state: z.enum(["running", "done"]) }).openapi("Erasure");

const LinkTokenSchema = z
  .strictObject({
    token: z.string().openapi({ description: "For `ff_id` in links to the shop" }),
    expiresAt: TimeSchema,
  })
  .openapi("LinkToken");

/** What is done with a person as a whole. */
export const personRoutes = router()
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/contacts/{id}/merge",
      tags,
      summary: "Merge another contact into this one",
      description:
        "This one survives with its own values; gaps are filled, everything moves, the strictest consent wins, and the " +
        "other's id leads here from now on. It cannot be undone.",
      request: { params: IdParam, query: ShopQuery, body: body(z.strictObject({ from: z.string().min(1).max(100) })) },
      responses: { 200: json(ContactSchema, "The contact that survives"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, ...winner } = await contactFrom(c, c.req.valid("param").id);
      await mergeContacts(ctx, winner, c.req.valid("json").from);
      return c.json(showContact(await readContact(ctx, winner.key), ctx.shop), 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/contacts/{id}/erase",
      tags,
      summary: "Erase a person",
      description:
        "For good, everywhere, with the visits that were theirs. Orders stay as figures without the person. 202 when it " +
        "takes longer; see `/v1/jobs/{id}`.",
      request: { params: IdParam, query: ShopQuery },
      responses: {
        200: json(ErasureSchema, "Erased"),
        202: json(ErasureSchema, "Hidden, and being erased"),
        ...writeProblems,
      },
    }),
    async (c) => {
      const { ctx, ...contact } = await contactFrom(c, c.req.valid("param").id, "any");
      const erasure = await eraseContact(ctx, contact);
      return erasure.state === "done" ? c.json(erasure, 200) : c.json(erasure, 202);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/contacts/{id}/export",
      tags,
      summary: "Everything that is stored about a person",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(ContactExportSchema, "One document"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, key, id } = await contactFrom(c, c.req.valid("param").id);
      await flushContact(ctx, key);
      const document = await exportContact(ctx, key);
      await audit(ctx, "contact.exported", id).run();
      return c.json(document, 200);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/contacts/{id}/link-token",
      tags,
      summary: "A signed token for links in messages",
      description:
        "Whoever opens the shop with it is tied to this contact, on at most five browsers and only where nobody is known " +
        "yet. It shows nothing about the person and lasts 30 days.",
      request: {
        params: IdParam,
        query: ShopQuery,
        body: {
          required: false,
          content: {
            "application/json": {
              schema: z
                .strictObject({
                  delivery: z
                    .string()
                    .regex(/^[\w-]{1,100}$/)
                    .optional(),
                })
                .openapi("LinkTokenRequest"),
            },
          },
        },
      },
      responses: { 201: json(LinkTokenSchema, "The token"), ...writeProblems },
    }),
    async (c) => {
      const { ctx, id } = await contactFrom(c, c.req.valid("param").id);
      const expiresAt = ctx.now + LINK_TOKEN_LIFE_MS;
      const secret = await linkTokenSecret(config(c.env).encryptionKey);
      const { delivery = null } = c.req.valid("json");
      const token = await makeLinkToken(secret, { shop: ctx.shop.id, contact: id, delivery, expiresAt });
      return c.json({ token, expiresAt: iso(expiresAt) }, 201);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/contacts/bulk",
      tags,
      summary: "Do one thing to every contact of a filter",
      description: "At most 5,000 at once (200); with more, the rest follows (202), see `/v1/jobs/{id}`.",
      request: { body: body(BulkRequest), query: ShopQuery },
      responses: {
        200: json(BulkResultSchema, "Done"),
        202: json(BulkResultSchema, "Begun"),
        ...writeProblems,
      },
    }),
    async (c) => {
      const input = c.req.valid("json");
      const result = await bulkContacts(await ctxFrom(c, input.shop), input);
      return result.state === "done" ? c.json(result, 200) : c.json(result, 202);
    },
  );
