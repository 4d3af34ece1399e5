import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";

import { type ApiEnv, ctxForRecord, json, readProblems, router } from "../api/route";
import { IdParam } from "../api/schemas";
import { iso } from "../lib/time";
import { findShop } from "../shops";
import { checkParts } from "./checks";
import { readFacts } from "./installation";
import { german } from "./privacy/de";
import { asHtml, asText } from "./privacy/document";
import { english } from "./privacy/en";
import { readPrivacyFacts } from "./privacy-facts";
import { InstallationSchema, PrivacyQuery, PrivacyTextSchema } from "./schemas";

async function ctxOfShop(c: Context<ApiEnv>, ref: string) {
  return ctxForRecord(c, (await findShop(c.env.DB, ref))?.key);
}

export const storefrontRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/shops/{id}/installation",
      tags: ["Shops"],
      summary: "Which parts of an installation are live, and what to do about the others",
      description:
        "Connection, webhooks, synchronisation, tracker, app embed, pixel and signed-in customers, each with when it " +
        "was last heard of. How long a part may be quiet is fixed here; alerts go by the shop's own normal.",
      request: { params: IdParam },
      responses: { 200: json(InstallationSchema, "The parts"), ...readProblems },
    }),
    async (c) => {
      const ctx = await ctxOfShop(c, c.req.valid("param").id);
      const parts = checkParts(await readFacts(ctx), ctx.now);
      return c.json(
        {
          status: ctx.shop.status,
          checkedAt: iso(ctx.now),
          parts: parts.map((check) => ({ ...check, lastSeenAt: iso(check.lastSeenAt) })),
        },
        200,
      );
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/shops/{id}/privacy-text",
      tags: ["Shops"],
      summary: "A cookie and privacy text for the shop, as its settings are now",
      description:
        "Says what this installation does, also what is stored in the browser. Make it part of the shop's own policy, " +
        "and get it again when the settings change. It is no legal advice.",
      request: { params: IdParam, query: PrivacyQuery },
      responses: { 200: json(PrivacyTextSchema, "The text"), ...readProblems },
    }),
    async (c) => {
      const { lang } = c.req.valid("query");
      const facts = await readPrivacyFacts(await ctxOfShop(c, c.req.valid("param").id));
      const blocks = lang === "de" ? german(facts) : english(facts);
      return c.json({ lang, html: asHtml(blocks), text: asText(blocks) }, 200);
    },
  );
