import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** Files of people that come in. The file itself is in `file_pieces` while it is needed. */
export const imports = sqliteTable(
  "imports",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    state: text("state", { enum: ["waiting", "checking", "checked", "running", "done", "failed"] }).notNull(),
    format: text("format", { enum: ["csv", "jsonl"] }).notNull(),
    /** JSON, what was asked for (`ImportOptions`). */
    options: text("options").notNull(),
    /** JSON, how the file is to be read (`Layout`); null before it was looked at. */
    layout: text("layout"),
    /** Bytes of the file, and the byte where the next row begins. */
    bytes: integer("bytes").notNull().default(0),
    offset: integer("offset").notNull().default(0),
    /** JSON of `Counts`. */
    counts: text("counts").notNull().default("{}"),
    /** The job that carries it out, or carried out the last run. */
    job: text("job"),
    error: text("error"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [index("imports_shop").on(t.shop)],
);

/** What was wrong with rows of a file: the column and why, never the value. `without rowid`. */
export const importErrors = sqliteTable(
  "import_errors",
  {
    shop: integer("shop").notNull(),
    import: integer("import").notNull(),
    /** As a spreadsheet counts them: the header is row 1 of a CSV. */
    row: integer("row").notNull(),
    no: integer("no").notNull(),
    column: text("column").notNull(),
    detail: text("detail").notNull(),
    /** Whether the whole row was left out. */
    fatal: integer("fatal", { mode: "boolean" }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.shop, t.import, t.row, t.no] })],
);

/** Files of people that go out. */
export const exports_ = sqliteTable(
  "exports",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull().unique(),
    shop: integer("shop").notNull(),
    state: text("state", { enum: ["running", "done", "failed", "expired"] }).notNull(),
    format: text("format", { enum: ["csv", "jsonl"] }).notNull(),
    /** Segment or list by key; both null for everybody. */
    segment: integer("segment"),
    list: integer("list"),
    /** What the caller named, to be shown. */
    of: text("of"),
    /** Where it stands: `contacts` or `suppressions`, and the last key written. */
    phase: text("phase", { enum: ["contacts", "suppressions"] })
      .notNull()
      .default("contacts"),
    after: integer("after").notNull().default(0),
    /** JSON array of the declared fields that have a column. */
    fields: text("fields").notNull().default("[]"),
    rows: integer("rows").notNull().default(0),
    bytes: integer("bytes").notNull().default(0),
    pieces: integer("pieces").notNull().default(0),
    job: text("job").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    /** When the file goes; null while it is being written. */
    expiresAt: integer("expires_at"),
  },
  (t) => [index("exports_shop").on(t.shop)],
);

/** Files of imports and exports in compressed pieces; they go with the end of what they are for. */
export const filePieces = sqliteTable(
  "file_pieces",
  {
    key: integer("key").primaryKey({ autoIncrement: true }),
    shop: integer("shop").notNull(),
    /** Public id of the import or export. */
    owner: text("owner").notNull(),
    part: integer("part").notNull(),
    piece: integer("piece").notNull(),
    /** Uncompressed. */
    bytes: integer("bytes").notNull(),
    /** The last one of its part: a part without it was cut off. */
    last: integer("last", { mode: "boolean" }).notNull(),
    data: text("data").notNull(),
  },
  (t) => [uniqueIndex("file_pieces_owner").on(t.owner, t.part, t.piece), index("file_pieces_shop").on(t.shop)],
);
