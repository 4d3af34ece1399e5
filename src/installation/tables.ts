import { sqliteTable, text } from "drizzle-orm/sqlite-core";

/** What this installation knows of itself, whatever the shop. `without rowid`. */
export const installation = sqliteTable("installation", {
  /** `origin`: where it is reached from outside. `message_key`: see `message-key.ts`. */
  name: text("name").primaryKey(),
  value: text("value"),
  /** The same for what is secret. */
  sealed: text("sealed"),
});
