import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";

import { AppError } from "../errors";
import { nesting } from "../lib/json";
import type { ApiEnv } from "./route";

const MOST_BYTES = 1_048_576;
const DEEPEST = 64;

/** Parts of files: their route takes them as they are, streams them and has limits of its own. */
function isFilePart(method: string, path: string): boolean {
  return method === "PUT" && /^\/v1\/imports\/[^/]+\/parts\/[^/]+$/.test(path);
}

const limit: MiddlewareHandler<ApiEnv> = bodyLimit({
  maxSize: MOST_BYTES,
  onError: () => {
    throw new AppError("too_large");
  },
});

/** Answers 413 to a body over 1 MB, also when it does not announce its length. */
export const limitBody: MiddlewareHandler<ApiEnv> = (c, next) =>
  isFilePart(c.req.method, c.req.path) ? next() : limit(c, next);

/** Answers 415 to a body that does not call itself JSON, 400 to one that is none or is nested beyond all reason. */
export const requireJson: MiddlewareHandler<ApiEnv> = async (c, next) => {
  if (c.req.method !== "GET" && c.req.method !== "HEAD" && !isFilePart(c.req.method, c.req.path)) {
    const text = await c.req.text();
    if (text !== "") {
      if (!/^application\/(?:[a-z.-]+\+)?json\s*(?:;|$)/i.test(c.req.header("content-type") ?? "")) {
        throw new AppError("unsupported_media_type");
      }
      if (nesting(text) > DEEPEST) throw new AppError("bad_request", "The JSON is nested too deeply");
      try {
        JSON.parse(text);
      } catch {
        throw new AppError("bad_request", "The body is not JSON");
      }
    }
  }
  await next();
};
