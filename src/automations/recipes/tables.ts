import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** The templates that a recipe has made in a shop: installed again, it uses them again. `without rowid`. */
export const recipeTemplates = sqliteTable(
  "recipe_templates",
  {
    shop: integer("shop").notNull(),
    recipe: text("recipe").notNull(),
    /** Which of the recipe's messages. */
    part: text("part").notNull(),
    language: text("language").notNull(),
    /** Public id. */
    template: text("template").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.recipe, t.part, t.language] })],
);
