import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import type { ZodType } from "zod";

import type { Actor, Ctx } from "../context";
import { AppError } from "../errors";
import { findShop, getShopOrThrow, type Shop } from "../shops";
import { ProblemSchema } from "./schemas";

/** What the API's middleware gives to every route. */
export interface ApiEnv {
  Bindings: Env;
  Variables: {
    actor: Actor;
    now: number;
    requestId: string;
    /** Key of the shop that the request turned out to be about. */
    shop?: number;
  };
}

type Body = "json" | "query" | "param" | "header" | "cookie" | "form";

/** Where a wrong field is: a JSON pointer into the body, or the parameter's name. */
function pointer(target: Body, path: PropertyKey[]): string {
  if (target !== "json") return path.map(String).join(".");
  return path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** A feature's part of the API. Its routes name their whole path (`/v1/...`). */
export function router() {
  return new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      throw new AppError("validation_failed", undefined, {
        errors: result.error.issues.slice(0, 50).map((issue) => ({
          pointer: pointer(result.target, issue.path),
          detail: issue.message,
        })),
      });
    },
  });
}

/** A JSON answer in a route's `responses`. */
export function json<S extends ZodType>(schema: S, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** A JSON body in a route's `request`. */
export function body<S extends ZodType>(schema: S) {
  return { required: true, content: { "application/json": { schema } } };
}

/** The answer of a list. */
export function listOf<S extends ZodType>(item: S) {
  return z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() });
}

function problem(description: string) {
  return { description, content: { "application/problem+json": { schema: ProblemSchema } } };
}

/** The error answers of every GET route. */
export const readProblems = {
  400: problem("The request is malformed or does not fit its schema"),
  401: problem("No valid key"),
  403: problem("The key may not do that"),
  404: problem("Nothing here, or it belongs to another shop"),
  429: problem("Too many requests; see Retry-After"),
  500: problem("Our fault; nothing about it is told"),
  503: problem("The store of this data does not answer"),
};

/** The error answers of every route that changes something. */
export const writeProblems = {
  ...readProblems,
  409: problem("It conflicts with what is stored"),
  413: problem("The body is over 1 MB"),
  415: problem("The body is not JSON"),
  422: problem("Understood, but it cannot be carried out"),
};

/** Put into `middleware` of routes that only the operator may use. */
export const operatorOnly: MiddlewareHandler<ApiEnv> = async (c, next) => {
  if (c.var.actor.kind !== "operator") throw new AppError("forbidden", "Only the operator may do that");
  await next();
};

function ctxOf(c: Context<ApiEnv>, shop: Shop): Ctx {
  c.set("shop", shop.key);
  return {
    env: c.env,
    db: c.env.DB,
    now: c.var.now,
    shop,
    actor: c.var.actor,
    requestId: c.var.requestId,
    later: (work) => c.executionCtx.waitUntil(work),
  };
}

/**
 * The context of a request that names its shop: the key's own; with the operator token the one of `?shop=` or of the
 * body. Throws 400 when the operator names none and 404 when it is unknown or another than the key's.
 */
export async function ctxFrom(c: Context<ApiEnv>, inBody?: string): Promise<Ctx> {
  const { actor } = c.var;
  const ref = inBody ?? c.req.query("shop");
  if (actor.kind === "key") {
    const own = await getShopOrThrow(c.env.DB, actor.shop);
    if (ref !== undefined && ref !== own.id && ref.toLowerCase() !== own.domain) throw new AppError("shop_not_found");
    return ctxOf(c, own);
  }
  if (!ref) {
    throw new AppError("validation_failed", "Name the shop", {
      errors: [{ pointer: c.req.method === "GET" ? "shop" : "/shop", detail: "is needed with the operator token" }],
    });
  }
  return ctxOf(c, await getShopOrThrow(c.env.DB, ref));
}

/**
 * The context of a request about one record: the record's shop. Throws 404 when there is no such record, when it
 * belongs to another shop than the key's, or to another than `?shop=` names.
 *
 * @param shop the record's `shop` column; undefined or null when the record was not found
 */
export async function ctxForRecord(c: Context<ApiEnv>, shop: number | null | undefined): Promise<Ctx> {
  const { actor } = c.var;
  if (shop === null || shop === undefined || (actor.kind === "key" && actor.shop !== shop)) {
    throw new AppError("not_found");
  }
  const owner = await findShop(c.env.DB, shop);
  const ref = c.req.query("shop");
  if (!owner || (ref !== undefined && ref !== owner.id && ref.toLowerCase() !== owner.domain)) {
    throw new AppError("not_found");
  }
  return ctxOf(c, owner);
}

/** A record named by a request, with its shop's context. Throws 404 as `ctxForRecord` does. */
export async function recordFrom<R extends { shop: number }>(
  c: Context<ApiEnv>,
  find: (db: D1Database, id: string) => Promise<R | null | undefined>,
  id: string,
): Promise<{ ctx: Ctx; record: R }> {
  const record = await find(c.env.DB, id);
  const ctx = await ctxForRecord(c, record?.shop);
  if (!record) throw new AppError("not_found");
  return { ctx, record };
}
