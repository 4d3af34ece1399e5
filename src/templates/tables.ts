import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** What a message says, by name; the words are in its versions. */
export const templates = sqliteTable(
  "templates",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    name: text("name").notNull(),
    channel: text("channel", { enum: ["email", "sms", "whatsapp"] }).notNull(),
    /** The newest version; automations and campaigns pin the one that they were activated with. */
    version: integer("version").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    /** Hidden since; its versions stay for what was pinned to them. */
    deletedAt: integer("deleted_at"),
  },
  (t) => [index("templates_shop").on(t.shop)],
);

/** Written once, never changed. `without rowid`. */
export const templateVersions = sqliteTable(
  "template_versions",
  {
    template: integer("template").notNull(),
    version: integer("version").notNull(),
    shop: integer("shop").notNull(),
    /** JSON, as the merchant wrote it (`schemas.ts`, `TemplateContent`). */
    content: text("content").notNull(),
    /** JSON, made ready for rendering (`compile.ts`, `Compiled`). */
    compiled: text("compiled").notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.template, t.version] })],
);
