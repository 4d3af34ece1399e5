import { type Context, Hono } from "hono";

import { collect, pixelScript, preflight, trackerScript } from "./collect";
import { AppError, toProblem } from "./errors";
import { pokeNowAndThen } from "./jobs/maintain";
import { landing } from "./landing";
import { newId } from "./lib/ids";
import { logFailure } from "./lib/log";

type Variables = { requestId: string };

export type App = Hono<{ Bindings: Env; Variables: Variables }>;

/** Every way in. What only some requests need (REST, webhooks) loads with the first that does. */
export function createApp(): App {
  const app: App = new Hono();
  app.use(async (c, next) => {
    const now = Date.now();
    c.set("requestId", newId("req", now));
    pokeNowAndThen(c.env, now, (work) => c.executionCtx.waitUntil(work));
    await next();
    if (!c.res.headers.has("x-request-id")) c.res.headers.set("x-request-id", c.get("requestId"));
  });
  app.onError((error, c) => {
    // The rest of a path may be the token of a signed link.
    logUnexpected(error, c.get("requestId"), c.req.path.split("/").slice(0, 3).join("/"));
    return toProblem(error, c.get("requestId"));
  });
  app.notFound((c) => toProblem(new AppError("not_found"), c.get("requestId")));

  app.get("/", (c) => landing(c.req.raw));
  app.get("/health", (c) => c.json({ status: "ok" }));
  app.get("/ff.js", (c) => trackerScript(c.req.raw, c.env, (work) => c.executionCtx.waitUntil(work)));
  app.get("/pixel.js", (c) => pixelScript(c.req.raw, c.env, (work) => c.executionCtx.waitUntil(work)));
  app.options("/ff", () => preflight());
  app.post("/webhooks/shopify", async (c) => {
    const { receiveWebhook } = await import("./shopify");
    return receiveWebhook(c.req.raw, c.env, { now: Date.now(), later: (work) => c.executionCtx.waitUntil(work) });
  });
  app.get("/proxy/customer", async (c) => {
    const { proxiedCustomer } = await import("./storefront/proxy");
    return proxiedCustomer(c.req.raw, c.env, { now: Date.now(), later: (work) => c.executionCtx.waitUntil(work) });
  });
  const visit = (c: Context<{ Bindings: Env; Variables: Variables }>) => ({
    now: Date.now(),
    requestId: c.get("requestId"),
    later: (work: Promise<unknown>) => c.executionCtx.waitUntil(work),
  });
  app.get("/shopify/install", async (c) =>
    (await import("./shopify/connect/install")).startInstall(c.req.raw, c.env, visit(c)),
  );
  app.get("/shopify/callback", async (c) =>
    (await import("./shopify/connect/install")).finishInstall(c.req.raw, c.env, visit(c)),
  );
  app.post("/shopify/session", async (c) =>
    (await import("./shopify/connect/open-session")).openSession(c.req.raw, c.env, visit(c)),
  );
  app.post("/feedback/:provider/:sender", async (c) =>
    (await import("./senders/feedback")).receiveFeedback(c.req.raw, c.env, { ...c.req.param(), now: Date.now() }),
  );
  app.get("/files/:id/:token", async (c) => {
    const { id, token } = c.req.param();
    return (await import("./imports/rest")).downloadFile(c.env, id, token, Date.now());
  });
  app.all("/m/*", async (c) => (await import("./messages/rest")).publicPage(c.req.raw, c.env, Date.now()));
  const rest = async () => (await import("./api")).api();
  for (const path of ["/v1/*", "/docs", "/docs/*"]) {
    app.all(path, async (c) => (await rest()).fetch(c.req.raw, c.env, c.executionCtx));
  }
  return app;
}

/** True for a beacon: the one request that comes so often that the router is left out (0.1 ms of CPU each). */
export function isBeacon(request: Request): boolean {
  return request.method === "POST" && URL.parse(request.url)?.pathname === "/ff";
}

/** `POST /ff`, with errors as problem documents that any page may read. */
export async function answerBeacon(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
  const now = Date.now();
  const later = (work: Promise<unknown>) => ctx.waitUntil(work);
  pokeNowAndThen(env, now, later);
  try {
    return await collect(request, { env, now, later });
  } catch (error) {
    const requestId = newId("req", now);
    logUnexpected(error, requestId, "/ff");
    const response = toProblem(error, requestId);
    response.headers.set("access-control-allow-origin", "*");
    return response;
  }
}

function logUnexpected(error: unknown, requestId: string, path: string): void {
  if (error instanceof AppError) return;
  logFailure("http", error, { requestId, path });
}
