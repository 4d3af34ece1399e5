import { sql } from "../../db/client";

/** Rows of one statement. */
const ROWS = 1_000;
/** Contacts, orders or visitors of one step, each with what hangs on it. */
const PARENTS = 200;

/**
 * One piece of the removal of a shop: statements that delete at most so many rows, to run until `left` finds none.
 */
export interface Piece {
  /** Name in the receipt. */
  what: string;
  statements: (db: D1Database, shop: number, own: OwnRows) => D1PreparedStatement[];
  /** Finds a row while any is left. */
  left: (db: D1Database, shop: number, own: OwnRows) => D1PreparedStatement;
}

/** What stays of the shop while it goes: the receipt, and its job. */
export interface OwnRows {
  job: string;
  request: string;
}

/** Tables that are found by shop, with their primary keys. */
const BY_SHOP: Record<string, string> = {
  events: "shop, type, at, visitor, seq",
  pages: "key",
  erased: "shop, hash",
  claims: "key",
  link_uses: "shop, token, visitor",
  carts: "key",
  refunds: "shop, external_id",
  products: "shop, external_id",
  identities: "shop, kind, value",
  contact_tags: "shop, tag, contact",
  consents: "contact, channel",
  lifecycle_history: "key",
  contact_aliases: "id",
  tags: "shop, tag",
  tag_rules: "shop, tag",
  fields: "shop, name",
  lifecycle_stages: "shop, name",
  segment_rechecks: "segment, kind, subject",
  segments: "key",
  segment_turns: "shop",
  rfm_bounds: "shop",
  segment_dirty: "shop, kind, subject",
  lists: "key",
  automation_timers: "automation, trigger",
  automations: "key",
  campaigns: "key",
  recipe_templates: "shop, recipe, part, language",
  score_history: "contact, at, natural_key",
  templates: "key",
  template_versions: "template, version",
  discount_codes: "key",
  discount_pools: "key",
  opt_ins: "shop, channel, hash",
  order_credits: 'shop, "order"',
  sender_minutes: "shop, sender, minute",
  suppressions: "key",
  file_pieces: "key",
  import_errors: "shop, import, row, no",
  imports: "key",
  exports: "key",
  outbox: "key",
  dead_letters: "key",
  webhook_inbox: "key",
  tombstones: "shop, kind, external_id",
  shopify_connections: "shop",
  shopify_subscriptions: "shop, topic",
  sync_streams: "shop, resource, stretch",
  senders: "key",
  endpoint_deliveries: "key",
  webhook_endpoints: "key",
  storefront_seen: "shop, part",
  intake_hours: "shop, kind, hour",
  alerts: "key",
  drops: "shop, day, reason",
  audit_log: "key",
  api_keys: "key",
};

/** Tables whose rows have a public id, under which an answer about them may be stored. */
const WITH_ID = new Set([
  "carts",
  "tags",
  "fields",
  "webhook_endpoints",
  "senders",
  "alerts",
  "api_keys",
  "segments",
  "lists",
  "automations",
  "campaigns",
  "templates",
  "discount_pools",
  "suppressions",
  "imports",
  "exports",
]);

/** Rows that hang on others: they have no shop of their own, or no index by it. */
const CHILDREN: { parent: string; children: [table: string, column: string][] }[] = [
  { parent: "orders", children: [["order_items", '"order"']] },
  {
    parent: "deliveries",
    children: [
      ["delivery_bodies", "delivery"],
      ["delivery_events", "delivery"],
    ],
  },
  {
    parent: "contacts",
    children: [
      ["consents", "contact"],
      ["lifecycle_history", "contact"],
      ["claims", "contact"],
      ["contact_aliases", "contact"],
    ],
  },
];

function byShop(table: string, primary: string): Piece {
  const chunk = (columns: string) =>
    `select ${columns} from ${table} where shop = ?1 order by ${primary} limit ${ROWS}`;
  return {
    what: table,
    left: (db, shop) => sql(db, `select 1 from ${table} where shop = ? limit 1`, shop),
    statements: (db, shop) => [
      ...(WITH_ID.has(table) ? [forgetAnswers(db, shop, chunk("id"))] : []),
      sql(db, `delete from ${table} where (${primary}) in (${chunk(primary)})`, shop),
    ],
  };
}

const forgetAnswers = (db: D1Database, shop: number, ids: string) =>
  sql(db, `delete from idempotency_keys where subject in (${ids})`, shop);

/** Rows that only their segment or list ties to a shop; there may be a million of one. */
const OF_SETS: [table: string, primary: string, parent: string, column: string][] = [
  ["segment_members", "segment, kind, subject", "segments", "segment"],
  ["segment_history", "key", "segments", "segment"],
  ["segment_sizes", "segment, day", "segments", "segment"],
  ["list_members", "list, kind, subject", "lists", "list"],
  ["runs", "key", "automations", "automation"],
  ["automation_versions", "automation, version", "automations", "automation"],
];

const STEPS_OF_RUNS = (
  columns: string,
) => `select ${columns} from automations a cross join runs r on r.automation = a.key
  cross join run_steps s on s.run = r.key where a.shop = ?1`;

/** Everything of a shop but its visitors, in the order in which it goes; the shop's own row is the last. */
export const PIECES: Piece[] = [
  // First, so that nobody is marked as changed while they go.
  byShop("segment_watches", "shop, what, segment"),
  byShop("automation_watches", "shop, what, automation, needle"),
  {
    what: "run_steps",
    left: (db, shop) => sql(db, `${STEPS_OF_RUNS("1")} limit 1`, shop),
    statements: (db, shop) => [
      sql(db, `delete from run_steps where (run, visit) in (${STEPS_OF_RUNS("s.run, s.visit")} limit ${ROWS})`, shop),
    ],
  },
  ...OF_SETS.map(([table, primary, parent, column]): Piece => {
    const found = (columns: string, limit: number) =>
      `select ${columns} from ${parent} g cross join ${table} m on m.${column} = g.key where g.shop = ?1 limit ${limit}`;
    const named = primary.split(", ").map((name) => `m.${name}`);
    return {
      what: table,
      left: (db, shop) => sql(db, found("1", 1), shop),
      statements: (db, shop) => [
        sql(db, `delete from ${table} where (${primary}) in (${found(named.join(", "), ROWS)})`, shop),
      ],
    };
  }),
  ...CHILDREN.map(({ parent, children }): Piece => {
    const chunk = (column: string) => `select ${column} from ${parent} where shop = ?1 order by key limit ${PARENTS}`;
    return {
      what: parent,
      left: (db, shop) => sql(db, `select 1 from ${parent} where shop = ? limit 1`, shop),
      statements: (db, shop) => [
        forgetAnswers(db, shop, chunk("id")),
        ...children.map(([table, column]) =>
          sql(db, `delete from ${table} where ${column} in (${chunk("key")})`, shop),
        ),
        sql(db, `delete from ${parent} where key in (${chunk("key")})`, shop),
      ],
    };
  }),
  {
    what: "idempotency_keys",
    left: (db, shop) =>
      sql(db, "select 1 from idempotency_keys where actor in (select id from api_keys where shop = ?) limit 1", shop),
    statements: (db, shop) => [
      sql(
        db,
        `delete from idempotency_keys where (actor, key) in (
           select actor, key from idempotency_keys where actor in (select id from api_keys where shop = ?1) limit ${ROWS})`,
        shop,
      ),
    ],
  },
  ...Object.entries(BY_SHOP).map(([table, primary]) => byShop(table, primary)),
  {
    what: "jobs",
    left: (db, shop, { job }) => sql(db, "select 1 from jobs where shop = ? and id <> ? limit 1", shop, job),
    statements: (db, shop, { job }) => [sql(db, "delete from jobs where shop = ?1 and id <> ?2", shop, job)],
  },
  {
    what: "privacy_requests",
    left: (db, shop, { request }) =>
      sql(db, "select 1 from privacy_requests where shop = ? and id <> ? limit 1", shop, request),
    statements: (db, shop, { request }) => [
      sql(db, "delete from privacy_requests where shop = ?1 and id <> ?2", shop, request),
    ],
  },
  {
    what: "shops",
    left: (db, shop) => sql(db, "select 1 from shops where key = ?", shop),
    statements: (db, shop) => [
      forgetAnswers(db, shop, "select id from shops where key = ?1"),
      sql(db, "delete from shops where key = ?1", shop),
    ],
  },
];
