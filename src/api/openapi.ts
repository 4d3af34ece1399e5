import type { OpenAPIHono } from "@hono/zod-openapi";

import type { ApiEnv } from "./route";

/** The OpenAPI 3.1 document, made from the schemas that also validate. */
export function openApiDocument(app: OpenAPIHono<ApiEnv>) {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Footfall",
      version: "1",
      description:
        "Visitors, contacts, orders and carts of Shopify stores and other shops. Every request carries a bearer key. " +
        "Lists are paged with `limit` and `cursor`; errors are RFC 9457 problem documents; a POST may carry an " +
        "`Idempotency-Key`; money is in integer minor units and times are ISO 8601 in UTC.",
    },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }],
  });
  return {
    ...document,
    components: {
      ...document.components,
      securitySchemes: { bearer: { type: "http" as const, scheme: "bearer" } },
    },
  };
}

export type OpenApiDocument = ReturnType<typeof openApiDocument>;
