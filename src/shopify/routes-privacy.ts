import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";

import { audit } from "../api/audit";
import {
  type ApiEnv,
  body,
  ctxForRecord,
  ctxFrom,
  json,
  listOf,
  readProblems,
  router,
  writeProblems,
} from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { AppError } from "../errors";
import { compileData } from "./privacy/compile";
import { decideHeld } from "./privacy/held";
import { findRequest, listRequests } from "./privacy/read";
import { PersonDataSchema, PrivacyRequestSchema, RequestKind, RequestState } from "./privacy/schemas";

const tags = ["Privacy requests"];

const ListQuery = PageQuery.extend({ kind: RequestKind.optional(), state: RequestState.optional() });

export const privacyRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/privacy-requests",
      tags,
      summary: "Requests of the privacy law that Shopify passed on, newest first",
      description:
        "Each with its receipt. The operator may ask for `kind=shop_redact` without a shop: receipts of shops that are gone.",
      request: { query: ListQuery },
      responses: { 200: json(listOf(PrivacyRequestSchema), "A page of requests"), ...readProblems },
    }),
    async (c) => {
      const query = c.req.valid("query");
      return c.json(await listRequests(c.env.DB, await shopAskedFor(c, query), query, query, c.var.now), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/privacy-requests/{id}",
      tags,
      summary: "A request and its receipt",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(PrivacyRequestSchema, "The request"), ...readProblems },
    }),
    async (c) => {
      const found = await findRequest(c.env.DB, c.req.valid("param").id, c.var.now);
      if (!found) throw new AppError("not_found");
      // The receipt of a shop that is gone belongs to nobody but the operator.
      const isOperators = found.entry.kind === "shop_redact" && c.var.actor.kind === "operator";
      if (!isOperators) await ctxForRecord(c, found.shop);
      return c.json(found.entry, 200);
    },
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/v1/privacy-requests/{id}/decision",
      tags,
      summary: "Decide on a request that is held",
      description:
        "A redaction is held when the same one was carried out before and it would now take somebody who came since. It is carried out in time for the law unless it is put away here. 409 for a request that is not held.",
      request: { params: IdParam, query: ShopQuery, body: body(z.strictObject({ carryOut: z.boolean() })) },
      responses: { 200: json(PrivacyRequestSchema, "The request"), ...writeProblems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const ctx = await ctxForRecord(c, (await findRequest(c.env.DB, id, c.var.now))?.shop);
      await decideHeld(ctx, id, c.req.valid("json").carryOut);
      const found = await findRequest(c.env.DB, id, c.var.now);
      if (!found) throw new AppError("not_found");
      return c.json(found.entry, 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/privacy-requests/{id}/data",
      tags,
      summary: "What a data request found, to hand to the person",
      description:
        "As it is stored now, until `dataUntil`; it is sent nowhere by itself. 404 while the request is running, after " +
        "that time, and once the person was erased.",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(PersonDataSchema, "One document"), ...readProblems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const found = await findRequest(c.env.DB, id, c.var.now);
      const ctx = await ctxForRecord(c, found?.shop);
      if (!found || found.entry.dataUntil === null) throw new AppError("not_found");
      const data = await compileData(ctx, id);
      if (!data) throw new AppError("not_found", "Nothing is kept of what was found");
      await audit(ctx, "privacy_request.data_read", id).run();
      c.header("content-disposition", `attachment; filename="${id}.json"`);
      c.header("cache-control", "no-store");
      return c.json(data, 200);
    },
  );

async function shopAskedFor(c: Context<ApiEnv>, query: z.infer<typeof ListQuery>): Promise<number | null> {
  const isOperators = c.var.actor.kind === "operator" && query.shop === undefined && query.kind === "shop_redact";
  return isOperators ? null : (await ctxFrom(c)).shop.key;
}
