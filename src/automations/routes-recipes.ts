import { createRoute, z } from "@hono/zod-openapi";

import { ctxFrom, json, readProblems, router, writeProblems } from "../api/route";
import { ShopQuery } from "../api/schemas";
import { AutomationSchema } from "./schemas";
import { installRecipe, listRecipes, RECIPE_NAMES } from "./recipe-install";

const tags = ["Automations"];

const RecipeSchema = z
  .strictObject({
    name: z.enum(RECIPE_NAMES),
    label: z.string(),
    description: z.string(),
    messages: z.array(z.string()).openapi({ description: "Subjects of its messages" }),
  })
  .openapi("AutomationRecipe");

const InstalledSchema = z
  .strictObject({ automation: AutomationSchema, templateIds: z.array(z.string()) })
  .openapi("InstalledRecipe");

export const recipeRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/automations/recipes",
      tags,
      summary: "Ready automations",
      request: { query: ShopQuery },
      responses: {
        200: json(z.strictObject({ items: z.array(RecipeSchema), nextCursor: z.null() }), "All of them"),
        ...readProblems,
      },
    }),
    async (c) => c.json({ items: listRecipes(await ctxFrom(c)), nextCursor: null }, 200),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/automations/recipes/{name}",
      tags,
      summary: "Install a ready automation",
      description:
        "As a draft, with its templates in the language of `settings.messageLanguage`; activate it when you have looked " +
        "at them. A second one has a number in its name and the same templates.",
      request: { params: z.object({ name: z.enum(RECIPE_NAMES) }), query: ShopQuery },
      responses: { 201: json(InstalledSchema, "The automation and its templates"), ...writeProblems },
    }),
    async (c) => c.json(await installRecipe(await ctxFrom(c), c.req.valid("param").name), 201),
  );
