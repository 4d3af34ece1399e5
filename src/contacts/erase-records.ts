import { sql } from "../db/client";
import { mustHold } from "../db/guard";
import { clearInbox, INBOX, type Names, NOBODY, type Searched } from "../shopify";
import type { ErasureSubject } from "./erase-subject";
import { eraseMessages } from "../messages";
import { recount } from "./lifecycle";

/** A table whose texts may name people, and what becomes of a row that does. */
export interface Searching {
  where: Searched;
  remove: (db: D1Database, shop: number, keys: number[], now: number) => D1PreparedStatement;
  namesOf: (subject: ErasureSubject) => Names;
}

const deleteRows =
  (table: string): Searching["remove"] =>
  (db, shop, keys) =>
    sql(
      db,
      `delete from ${table} where key in (select value from json_each(?2)) and +shop = ?1`,
      shop,
      JSON.stringify(keys),
    );

const strong = ({ names }: ErasureSubject): Names => names;

const forgetJobs: Searching["remove"] = (db, shop, keys, now) =>
  sql(
    db,
    `update jobs set input = '{}', result = null, error = null, updated_at = ?3,
       cursor = iif(input = '{}', cursor, null),
       state = iif(state in ('queued', 'running') and input <> '{}', 'failed', state)
     where key in (select value from json_each(?2)) and +shop = ?1`,
    shop,
    JSON.stringify(keys),
    now,
  );

/** Where texts are searched, in this order. */
export const SEARCHES: Searching[] = [
  { where: INBOX, remove: clearInbox, namesOf: strong },
  {
    where: { table: "endpoint_deliveries", text: "body || ' ' || natural_key" },
    remove: deleteRows("endpoint_deliveries"),
    namesOf: strong,
  },
  {
    where: { table: "dead_letters", text: "data || ' ' || natural_key" },
    remove: deleteRows("dead_letters"),
    namesOf: strong,
  },
  { where: { table: "outbox", text: "data || ' ' || natural_key" }, remove: deleteRows("outbox"), namesOf: strong },
  {
    where: { table: "discount_codes", text: "coalesce(natural_key, '')" },
    remove: deleteRows("discount_codes"),
    namesOf: strong,
  },
  {
    // What a job was asked to do (a filter by address), and what it found. Without its question it cannot go on.
    where: {
      table: "jobs",
      text: "iif(kind like 'privacy.%' and state = 'running', '', input || ' ' || coalesce(result, '') || ' ' || coalesce(error, ''))",
    },
    remove: forgetJobs,
    namesOf: strong,
  },
  {
    // A name alone says little, but what a finished job was asked for can go.
    where: { table: "jobs", text: "iif(state in ('done', 'failed'), input, '')" },
    remove: forgetJobs,
    namesOf: ({ words }) => ({ ...NOBODY, keys: words }),
  },
];

/** Counts what the statement before it changed into the job's own figures: in the same batch, so that it is exact. */
export function tally(db: D1Database, job: string, what: string): D1PreparedStatement {
  return sql(
    db,
    `update jobs set result = json_set(coalesce(result, '{}'), ?2, coalesce(result ->> ?2, 0) + changes())
     where id = ?1 and changes() > 0`,
    job,
    `$.${what}`,
  );
}

/**
 * The last batch of an erasure: the rows of the person. Orders stay as figures without them, since the shop's books
 * need those; carts, consents, tags, history and stored answers go. The audit log holds ids alone. Fails as a whole
 * while a visitor is still linked, so that the contact goes last.
 *
 * @param affected contacts that stay but lose an order
 */
export function erasureStatements(
  db: D1Database,
  job: { id: string; shop: number },
  { contacts, orders, tokens, names }: ErasureSubject,
  affected: number[],
  now: number,
): D1PreparedStatement[] {
  const lists = { contacts: JSON.stringify(contacts), orders: JSON.stringify(orders), tokens: JSON.stringify(tokens) };
  const run = (text: string, list: keyof typeof lists = "contacts") => sql(db, text, job.shop, lists[list]);
  const each = "(select value from json_each(?2))";
  const counted = (what: string, ...statements: D1PreparedStatement[]) =>
    statements.flatMap((statement) => [statement, tally(db, job.id, what)]);
  return [
    mustHold(
      db,
      `not exists (select 1 from visitors where +shop = ?1 and contact in ${each})`,
      job.shop,
      lists.contacts,
    ),
    ...counted(
      "idempotency_keys",
      run(`delete from idempotency_keys where subject in (select id from contacts where shop = ?1 and key in ${each})`),
      ...["contact_aliases", "orders", "carts"].map((table) =>
        run(
          `delete from idempotency_keys where subject in (select id from ${table} where +shop = ?1 and contact in ${each})`,
        ),
      ),
      run(
        `delete from idempotency_keys where subject in (select id from orders where shop = ?1 and key in ${each})`,
        "orders",
      ),
    ),
    ...counted(
      "orders",
      run(
        `update orders set contact = null, visitor = null, cart_token = null, checkout_token = null,
           landing_site = null, referring_site = null, discount_codes = '[]' where shop = ?1 and key in ${each}`,
        "orders",
      ),
    ),
    ...affected.flatMap((contact) => recount(db, job.shop, contact, now)),
    ...counted(
      "carts",
      run(`delete from carts where +shop = ?1 and contact in ${each}`),
      run(`delete from carts where shop = ?1 and token in ${each} and contact is null`, "tokens"),
    ),
    ...counted(
      "outbox",
      run(`delete from outbox where shop = ?1 and subject in (select 'contact:' || value from json_each(?2))`),
    ),
    ...counted(
      "dead_letters",
      run(`delete from dead_letters where shop = ?1 and subject in (select 'contact:' || value from json_each(?2))`),
    ),
    ...counted("delivery_bodies", ...eraseMessages(db, job.shop, contacts)),
    // A tag that only they carried may be about them.
    ...counted(
      "tags",
      run(
        `delete from tags where shop = ?1 and tag in (select tag from contact_tags where +shop = ?1 and contact in ${each})
           and not exists (select 1 from contact_tags o where o.shop = ?1 and o.tag = tags.tag and o.contact not in ${each})`,
      ),
    ),
    ...[
      "identities",
      "contact_tags",
      "consents",
      "lifecycle_history",
      "claims",
      "contact_aliases",
      "discount_codes",
    ].flatMap((table) => counted(table, run(`delete from ${table} where +shop = ?1 and contact in ${each}`))),
    // The first object that did not fit is named there.
    sql(
      db,
      `update sync_streams set error = null where shop = ?1 and error is not null
         and exists (select 1 from json_each(?2) where instr(lower(sync_streams.error), value) > 0)`,
      job.shop,
      JSON.stringify([...names.emails, ...names.customers, ...names.orders]),
    ),
    ...counted("contacts", run(`delete from contacts where shop = ?1 and key in ${each}`)),
  ];
}
