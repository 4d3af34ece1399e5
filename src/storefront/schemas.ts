import { z } from "@hono/zod-openapi";

import { MaybeText, MaybeTime, TimeSchema } from "../api/schemas";
import { PARTS, PROBLEMS } from "./checks";

const CheckSchema = z
  .strictObject({
    part: z.enum(PARTS).openapi({
      description:
        "`customer`: who is signed in to the store, told by its app proxy or signed in its theme; `pixel`: the custom " +
        "pixel or the app's; `embed`: the app embed that loads the tracker",
    }),
    state: z.enum(["live", "silent", "missing", "unknown"]).openapi({
      description: "`silent`: was there and is not now; `missing`: never heard of; `unknown`: cannot be told",
    }),
    lastSeenAt: MaybeTime.openapi({ description: "Of storefront parts to within ten minutes" }),
    problem: z.enum(PROBLEMS).nullable(),
    details: z
      .array(z.string())
      .openapi({ description: "Scopes, topics, streams or reasons that the problem is about" }),
    todo: MaybeText.openapi({ description: "What to do next" }),
    link: MaybeText.openapi({ description: "Where to do it" }),
  })
  .openapi("InstallationPart");

export const InstallationSchema = z
  .strictObject({ status: z.enum(["active", "uninstalled"]), checkedAt: TimeSchema, parts: z.array(CheckSchema) })
  .openapi("Installation");

export const PrivacyQuery = z.object({
  lang: z.enum(["en", "de"]).default("en").openapi({ description: "Language of the text" }),
});

export const PrivacyTextSchema = z
  .strictObject({
    lang: z.enum(["en", "de"]),
    html: z
      .string()
      .openapi({ description: "To put into a page of the shop: no style, and no script but the button's" }),
    text: z.string(),
  })
  .openapi("PrivacyText");
