import { HTTPException } from "hono/http-exception";
import type { MiddlewareHandler } from "hono";

import { authenticate } from "../auth";
import { apiKeyRoutes } from "../auth/routes";
import { catchUp } from "../jobs";
import { AppError, asAppError, toProblem } from "../errors";
import { rememberOrigin } from "../installation";
import { newId } from "../lib/ids";
import { logFailure } from "../lib/log";
import { automationRoutes } from "../automations/routes";
import { runRoutes } from "../automations/routes-runs";
import { recipeRoutes } from "../automations/routes-recipes";
import { campaignRoutes } from "../campaigns/routes";
import { cartRoutes } from "../carts/routes";
import { dropRoutes } from "../collect/routes";
import { discountRoutes } from "../discounts/routes";
import { contactRoutes } from "../contacts/routes";
import { contactPartRoutes } from "../contacts/routes-parts";
import { personRoutes } from "../contacts/routes-person";
import { endpointRoutes } from "../endpoints/routes";
import { eventRoutes } from "../events/routes";
import { alertRoutes } from "../health/routes";
import { fieldRoutes } from "../fields/routes";
import { identityRoutes } from "../identity/routes";
import { importRoutes } from "../imports/routes";
import { jobRoutes } from "../jobs/routes";
import { lifecycleRoutes } from "../lifecycle/routes";
import { listRoutes } from "../lists/routes";
import { deliveryRoutes } from "../messages/routes";
import { orderRoutes } from "../orders/routes";
import { productRoutes } from "../products/routes";
import { segmentRoutes } from "../segments/routes";
import { segmentTextRoutes } from "../segments/routes-text";
import { connectRoutes } from "../shopify/routes-connect";
import { inboxRoutes } from "../shopify/routes-inbox";
import { privacyRoutes } from "../shopify/routes-privacy";
import { syncRoutes } from "../shopify/sync/routes";
import { senderRoutes } from "../senders/routes";
import { shopRoutes } from "../shops/routes";
import { storefrontRoutes } from "../storefront/routes";
import { suppressionRoutes } from "../suppressions/routes";
import { tagRoutes } from "../tags/routes";
import { templateRoutes } from "../templates/routes";
import { visitorRoutes } from "../visitor/routes";
import { auditRoutes } from "./audit-routes";
import { docsPage } from "./docs";
import { idempotency } from "./idempotency";
import { openApiDocument } from "./openapi";
import { rateLimit } from "./rate-limit";
import { limitBody, requireJson } from "./request-body";
import { type ApiEnv, router } from "./route";

let built: ReturnType<typeof build> | null = null;

/** The REST API under `/v1` and its documentation at `/docs`. Built once per isolate, at the first request for it. */
export function api() {
  built ??= build();
  return built;
}

function build() {
  const app = router();
  let document: string | null = null;

  app.onError((error, c) => {
    const problem = known(error, c.var.requestId);
    const survivor = problem.code === "contact_merged" ? problem.extra?.survivorId : undefined;
    if (survivor && c.req.method === "GET") return c.redirect(survivorAddress(c.req.url, survivor), 308);
    return toProblem(problem, c.var.requestId);
  });
  app.notFound((c) => toProblem(new AppError("not_found"), c.var.requestId));

  app.use(identifyRequest);
  app.get("/docs", (c) => {
    c.header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'");
    return c.html(docsPage(openApiDocument(app)));
  });
  app.get("/v1/openapi.json", (c) => {
    document ??= JSON.stringify(openApiDocument(app));
    return c.body(document, 200, { "content-type": "application/json", "cache-control": "public, max-age=60" });
  });

  app.use("/v1/*", requireKey, keepMemberships, rateLimit(), limitBody, requireJson, idempotency);

  app.route("/", shopRoutes);
  app.route("/", dropRoutes);
  app.route("/", storefrontRoutes);
  app.route("/", identityRoutes);
  app.route("/", apiKeyRoutes);
  app.route("/", auditRoutes);
  app.route("/", personRoutes);
  app.route("/", contactRoutes);
  app.route("/", contactPartRoutes);
  app.route("/", fieldRoutes);
  app.route("/", lifecycleRoutes);
  app.route("/", tagRoutes);
  app.route("/", segmentTextRoutes);
  app.route("/", segmentRoutes);
  app.route("/", listRoutes);
  app.route("/", recipeRoutes);
  app.route("/", automationRoutes);
  app.route("/", runRoutes);
  app.route("/", campaignRoutes);
  app.route("/", discountRoutes);
  app.route("/", templateRoutes);
  app.route("/", visitorRoutes);
  app.route("/", orderRoutes);
  app.route("/", cartRoutes);
  app.route("/", productRoutes);
  app.route("/", jobRoutes);
  app.route("/", importRoutes);
  app.route("/", eventRoutes);
  app.route("/", inboxRoutes);
  app.route("/", syncRoutes);
  app.route("/", privacyRoutes);
  app.route("/", connectRoutes);
  app.route("/", endpointRoutes);
  app.route("/", senderRoutes);
  app.route("/", alertRoutes);
  app.route("/", deliveryRoutes);
  app.route("/", suppressionRoutes);
  return app;
}

const identifyRequest: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const now = Date.now();
  const given = c.req.header("x-request-id") ?? "";
  c.set("now", now);
  c.set("requestId", /^[\w-]{8,64}$/.test(given) ? given : newId("req", now));
  await next();
  c.res.headers.set("x-request-id", c.var.requestId);
};

/** 401 comes before everything else, so that nobody can tell which addresses exist; then the scope of the key. */
const requireKey: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const actor = await authenticate(c.env, c.req.header("authorization"), c.var.now);
  if (!actor) throw new AppError("unauthorized", undefined, { headers: { "www-authenticate": "Bearer" } });
  const needed = c.req.method === "GET" || c.req.method === "HEAD" ? "read" : "write";
  if (actor.kind === "key" && !actor.scopes.includes(needed)) {
    throw new AppError("forbidden", `This needs a key with the scope ${needed}`);
  }
  c.set("actor", actor);
  const { origin } = new URL(c.req.url);
  c.executionCtx.waitUntil(rememberOrigin(c.env, origin).catch((error: unknown) => logFailure("api", error)));
  await next();
};

/** Behind a change, those whom it concerns are looked at again for the shop's segments. */
const keepMemberships: MiddlewareHandler<ApiEnv> = async (c, next) => {
  await next();
  const { actor } = c.var;
  const shop = actor.kind === "key" ? actor.shop : c.var.shop;
  if (c.req.method === "GET" || c.res.status >= 400 || shop === undefined) return;
  const work = catchUp(c.env, shop, Date.now());
  c.executionCtx.waitUntil(work.catch((error: unknown) => logFailure("segments", error)));
};

/** The address that was asked for, with the survivor in the place of the contact that was merged into it. */
function survivorAddress(address: string, survivor: string): string {
  const { pathname, search } = new URL(address);
  return pathname.replace(/^(\/v1\/contacts\/)[^/]+/, `$1${survivor}`) + search;
}

/** Errors of the framework become ours; what is neither is logged and answered as a bare 500. */
function known(error: Error, requestId: string): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof HTTPException && error.status === 400) return new AppError("bad_request");
  if (error instanceof HTTPException && error.status === 415) return new AppError("unsupported_media_type");
  console.error(JSON.stringify({ message: error.message, stack: error.stack, requestId, feature: "api" }));
  return asAppError(error);
}
