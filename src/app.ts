import { Hono } from "hono";

import { collect, pixelScript, preflight, trackerScript } from "./collect";
import { AppError, toProblem } from "./errors";
import { pokeNowAndThen } from "./jobs/maintain";
import { landing } from "./landing";
import { newId } from "./lib/ids";

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
    if (!(error instanceof AppError)) {
      const message = error instanceof Error ? error.message : "unknown";
      console.error(JSON.stringify({ requestId: c.get("requestId"), path: c.req.path, error: message }));
    }
    const response = toProblem(error, c.get("requestId"));
    if (c.req.path === "/ff") response.headers.set("access-control-allow-origin", "*");
    return response;
  });
  app.notFound((c) => toProblem(new AppError("not_found"), c.get("requestId")));

  app.get("/", (c) => landing(c.req.raw));
  app.get("/health", (c) => c.json({ status: "ok" }));
  app.get("/ff.js", (c) => trackerScript(c.req.raw, c.env, (work) => c.executionCtx.waitUntil(work)));
  app.get("/pixel.js", (c) => pixelScript(c.req.raw, c.env, (work) => c.executionCtx.waitUntil(work)));
  app.options("/ff", () => preflight());
  app.post("/ff", (c) =>
    collect(c.req.raw, { env: c.env, now: Date.now(), later: (work) => c.executionCtx.waitUntil(work) }),
  );
  app.post("/webhooks/shopify", async (c) => {
    const { receiveWebhook } = await import("./shopify");
    return receiveWebhook(c.req.raw, c.env, { now: Date.now(), later: (work) => c.executionCtx.waitUntil(work) });
  });
  const rest = async () => (await import("./api")).api();
  for (const path of ["/v1/*", "/docs", "/docs/*"]) {
    app.all(path, async (c) => (await rest()).fetch(c.req.raw, c.env, c.executionCtx));
  }
  return app;
}
