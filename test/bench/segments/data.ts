import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";

import { type Bundle, migrationStatements, removeFolder, Served } from "../harness.ts";

/** A shop that sells: contacts, three orders and ten events for each of them. */
export interface SegmentData {
  state: string;
  contacts: number;
  orders: number;
  events: number;
  /** Of the database file. */
  bytes: number;
  /** What it took to make it, s; null when it was there from an earlier run. */
  madeInSeconds: number | null;
  /** The moment at which the data ends, epoch ms. */
  now: number;
}

const DAY = 86_400_000;
/** A moment of its own, so that the data is the same whenever it was made. */
const NOW = Date.UTC(2026, 10, 20, 12);
/** A prime that shares nothing with the numbers below, to spread what belongs to one person. */
const STRIDE = 7_919;
const PRODUCTS = 2_000;

/** The data from an earlier run, or made now: minutes for ten million events, so it is kept in the temporary folder. */
export async function segmentData(code: Bundle, contacts: number): Promise<SegmentData> {
  const recipe = [...migrationStatements(), readFileSync(fileURLToPath(import.meta.url), "utf8")].join("\n");
  const hash = createHash("sha256").update(recipe).digest("hex").slice(0, 12);
  const state = join(tmpdir(), "footfall-bench-data", `segments-${hash}-${contacts}`);
  const stamp = join(state, "done");
  const data = { state, contacts, orders: contacts * 3, events: contacts * 10, now: NOW };
  if (existsSync(stamp)) return { ...data, bytes: statSync(databaseFile(state)).size, madeInSeconds: null };
  const started = Date.now();
  // Also what an older schema or recipe has left behind.
  for (const old of globSync(`segments-*-${contacts}`, { cwd: dirname(state) })) {
    removeFolder(join(dirname(state), old));
  }
  mkdirSync(state, { recursive: true });
  const served = await Served.start(code, state);
  await served.migrate();
  await served.stop();
  const file = databaseFile(state);
  fill(file, contacts);
  writeFileSync(stamp, "");
  return { ...data, bytes: statSync(file).size, madeInSeconds: (Date.now() - started) / 1000 };
}

function databaseFile(state: string): string {
  const file = globSync("**/d1/**/*.sqlite", { cwd: state }).find((name) => !name.includes("metadata"));
  if (!file) throw new Error(`no database below ${state}`);
  return join(state, file);
}

function fill(file: string, contacts: number): void {
  const db = new DatabaseSync(file);
  // Whoever reads this file has waited for the end of this function.
  db.exec("pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -500000; begin");
  const counting = (most: number) =>
    `with recursive c(n) as (select 0 union all select n + 1 from c where n < ${most - 1})`;
  db.exec(
    `insert into shops (key, id, domain, name, currency, timezone, pixel_key, installed_at, created_at, updated_at)
     values (1, 'shp_segments', 'segments.example', 'Segments', 'EUR', 'Europe/Berlin', 'pixel', ${NOW}, ${NOW}, ${NOW})`,
  );
  people(db, contacts, counting);
  purchases(db, contacts, counting);
  browsing(db, contacts, counting);
  db.exec("commit; pragma journal_mode = wal");
  db.close();
}

type Counting = (most: number) => string;

function people(db: DatabaseSync, contacts: number, counting: Counting): void {
  const ordersOf = "(case when n % 5 < 3 then 5 else 0 end)";
  db.exec(
    `${counting(contacts)} insert into contacts (key, shop, id, email, first_name, last_name, city, province, country, zip,
       source, verified, account_state, stage, status, score, fields, orders_count, orders_total, created_at, updated_at)
     select n + 1, 1, printf('con_%026d', n + 1), 'person' || n || '@' || char(97 + n % 20) || '.example', 'Given' || (n % 500),
       'Family' || (n % 900), 'City ' || (n * 31 % 500), 'Region ' || (n % 16),
       case n % 10 when 0 then 'FR' when 1 then 'Germany' when 2 then 'US' else 'DE' end, 10000 + n % 900, 'Website', 1,
       iif(n % 3 = 0, 'enabled', null), iif(${ordersOf} > 0, 'customer', 'lead'), iif(${ordersOf} > 0, 'paying', null), n % 100,
       json_object('plan', iif(n % 7 = 0, 'gold', 'basic'), 'birthday', printf('%04d-%02d-%02d', 1950 + n % 50, 1 + n % 12, 1 + n % 28)),
       ${ordersOf}, ${ordersOf} * (1000 + n % 9000), ${NOW} - (n * ${STRIDE} % 1000) * ${DAY}, ${NOW} - (n % 90) * ${DAY} from c`,
  );
  db.exec(
    `insert into contact_tags (shop, tag, contact, label, origin, at)
     select 1, t.tag, c.key, t.tag, 'crm', c.created_at from (select 'news' as tag, 2 as every union all select 'vip', 50) t
     join contacts c on c.key % t.every = 0 order by t.tag;
     insert into consents (contact, channel, shop, state, level, basis, decided_at, updated_at)
     select key, 'email', 1, iif(key % 4 = 0, 'unsubscribed', 'subscribed'), 'single_opt_in', 'form', created_at, created_at
     from contacts where key % 5 > 0;
     insert into lifecycle_history (shop, contact, stage, status, at)
     select 1, key, 'lead', null, created_at from contacts;
     insert into lifecycle_history (shop, contact, stage, status, at)
     select 1, key, stage, status, created_at + ${DAY} from contacts where stage = 'customer'`,
  );
}

function purchases(db: DatabaseSync, contacts: number, counting: Counting): void {
  db.exec(
    `${counting(PRODUCTS)} insert into products (shop, external_id, title, category, vendor, tags, collections, updated_at)
     select 1, 'p' || n, 'Thing ' || n, 'Category ' || (n % 40), 'Vendor ' || (n % 60),
       iif(n % 50 = 0, '["X","Sale"]', '["Y"]'), json_array('Collection ' || (n % 30)), ${NOW} from c order by 'p' || n`,
  );
  // Five orders each of three contacts in five.
  const contact = "(1 + ((n / 5) / 3) * 5 + (n / 5) % 3)";
  db.exec(
    `${counting(contacts * 3)} insert into orders (key, shop, id, origin, external_id, name, state, contact, currency, total, original_total,
       discount_codes, shipping_method, source_name, placed_at, paid_at, created_at, updated_at, cancelled_at)
     select n + 1, 1, printf('ord_%026d', n + 1), 'shopify', 7000000000 + n, '#' || n, 'completed', ${contact}, 'EUR',
       1000 + n * 31 % 9000, 1000 + n * 31 % 9000, iif(n % 9 = 0, '["SPRING"]', '[]'), iif(n % 4 = 0, 'Express', 'Standard'), 'web',
       ${NOW} - (n * ${STRIDE} % 730) * ${DAY} - n % 86400 * 1000, ${NOW} - (n * ${STRIDE} % 730) * ${DAY}, ${NOW}, ${NOW},
       iif(n % 40 = 0, ${NOW}, null) from c`,
  );
  db.exec(
    `insert into order_items ("order", line, product_id, variant_id, sku, title, quantity, current_quantity, price, discounted_price)
     select o.key, l.line, 'p' || ((o.key * 13 + l.line * 7) % ${PRODUCTS}), 'v' || o.key % 9, 'S-' || (o.key * 13 + l.line * 7) % ${PRODUCTS},
       'Thing ' || ((o.key * 13 + l.line * 7) % ${PRODUCTS}), 1 + o.key % 3, 1 + o.key % 3, 1999, iif(o.key % 6 = 0, 1499, 1999)
     from orders o cross join (select 0 as line union all select 1) l where l.line = 0 or o.key % 3 = 0 order by 1, 2;
     insert into refunds (shop, external_id, order_external_id, amount, currency, at)
     select 1, 're' || key, external_id, 500, 'EUR', placed_at + ${3 * DAY} from orders where key % 30 = 0 order by 2`,
  );
}

/** Visits of four events each, two a visitor; every fifth visitor is a contact. */
function browsing(db: DatabaseSync, contacts: number, counting: Counting): void {
  const visits = (contacts * 10) / 4;
  const visitors = visits / 2;
  const span = 90 * DAY;
  const start = NOW - span;
  const step = Math.floor((span - 3_600_000) / visits);
  const touch = `'{"source":"google","medium":"cpc","campaign":"autumn","term":null,"content":null,"clickId":null,"channel":"paid_search","referrer":"https://www.google.com/","landingUrl":"https://segments.example/"}'`;
  db.exec(
    `insert or ignore into event_types (key, name) values (1, 'page_viewed'), (2, 'product_viewed'), (3, 'product_added_to_cart'), (4, 'checkout_started'), (5, 'search_submitted')`,
  );
  db.exec(
    `${counting(PRODUCTS)} insert into pages (key, shop, url, title)
     select n + 1, 1, 'https://segments.example/products/thing-' || n || iif(n % 10 = 0, '?utm_source=news', ''), 'Thing ' || n from c`,
  );
  db.exec(
    `${counting(visitors)} insert into visitors (key, shop, tracker, person, contact, evidence, linked_at, channel, country, region, city, visits, page_views,
       first_seen_at, last_seen_at, first_touch, last_touch, device, flushed_seq)
     select n + 1, 1, printf('%08x-0000-4000-8000-%012x', n + 1, n + 1), 1, iif(n % 5 = 0, 1 + n / 5, null), iif(n % 5 = 0, 'verified', null),
       iif(n % 5 = 0, ${start}, null), 'browser', iif(n % 8 = 0, 'FR', 'DE'), 'Region ' || (n % 16), 'City ' || (n % 500), 2, 7,
       ${start} + n % 1000 * ${DAY / 100}, ${NOW} - n % 900 * ${DAY / 10}, ${touch}, ${touch},
       iif(n % 3 = 0, '{"type":"mobile","browser":"Safari","os":"iOS"}', '{"type":"desktop","browser":"Chrome","os":"Windows"}'), 1000 from c`,
  );
  const type = (slot: string, p: number) =>
    [
      "1",
      "2",
      `iif(${slot} % 5 = 0, 3, 1)`,
      `case when ${slot} % 10 = 0 then 4 when ${slot} % 20 = 5 then 5 else 1 end`,
    ][p] ?? "1";
  const at = (slot: string, p: number) => `(${start} + ${slot} * ${step} + ${p * 45_000})`;
  const seq = (slot: string, p: number) => `(10 * (${slot} / ${visitors}) + ${p + 1})`;
  const page = (slot: string, p: number) => `(1 + (${slot} * 31 + ${p * 7}) % ${PRODUCTS})`;
  const product = (slot: string) => `((${slot} * 31 + 7) % ${PRODUCTS})`;
  const data = [
    "null",
    `json_object('productId', 'p' || ${product("n")}, 'title', 'Thing ' || ${product("n")}, 'price', json_object('amount', 1999, 'currency', 'EUR'))`,
    `iif(n % 5 = 0, json_object('productId', 'p' || ${product("n")}, 'quantity', 1 + n % 3, 'value', json_object('amount', 1999, 'currency', 'EUR')), null)`,
    `case when n % 10 = 0 then json_object('value', json_object('amount', 1000 + n % 5000, 'currency', 'EUR')) when n % 20 = 5 then '{"query":"lamp"}' end`,
  ];
  for (const [p, document] of data.entries()) {
    // In the order of the events' own key.
    db.exec(
      `${counting(visits)} insert into events (shop, type, at, visitor, seq, page, data)
       select 1, ${type("n", p)}, ${at("n", p)}, 1 + (n * ${STRIDE}) % ${visitors}, ${seq("n", p)}, ${page("n", p)}, ${document} from c`,
    );
  }
  const inverse = inverseOf(STRIDE, visitors);
  const slot = `(((c.n * ${inverse}) % ${visitors}) + k.no * ${visitors})`;
  const entry = (p: number) =>
    `json_array(${seq("s", p)}, ${at("s", p)}, ${type("s", p)}, printf('e%015x%02d', s, ${p}), ${page("s", p)})`;
  db.exec(
    `${counting(visitors)}, k(no) as (select 0 union all select 1)
     insert into visits (visitor, no, part, at, until, touch, path)
     select v, no, 0, ${at("s", 0)}, ${at("s", 3)}, ${touch}, json_array(json(${entry(0)}), json(${entry(1)}), json(${entry(2)}), json(${entry(3)}))
     from (select c.n + 1 as v, k.no + 1 as no, ${slot} as s from c cross join k)`,
  );
  db.exec(
    `${counting(visits / 10)} insert into carts (shop, id, token, visitor, contact, state, currency, value, items, reached, activity_at, abandoned_at, created_at, updated_at)
     select 1, printf('crt_%026d', n), 'token' || n, 1 + (n * 10 * ${STRIDE}) % ${visitors},
       iif((n * 10 * ${STRIDE}) % ${visitors} % 5 = 0, 1 + ((n * 10 * ${STRIDE}) % ${visitors}) / 5, null),
       iif(n % 3 = 0, 'open', 'abandoned'), 'EUR', 1000 + n % 5000, json_array(json_object('productId', 'p' || ${product("(n * 10)")}, 'quantity', 1)),
       1, ${at("(n * 10)", 3)}, iif(n % 3 = 0, null, ${at("(n * 10)", 3)} + 3600000), ${start}, ${start} from c`,
  );
}

/** The number that undoes a multiplication by `a` modulo `m`. */
function inverseOf(a: number, m: number): number {
  let [r, next] = [m, a % m];
  let [t, nextT] = [0, 1];
  while (next !== 0) {
    const q = Math.floor(r / next);
    [r, next] = [next, r - q * next];
    [t, nextT] = [nextT, t - q * nextT];
  }
  if (r !== 1) throw new Error(`${a} and ${m} have a common factor`);
  return t < 0 ? t + m : t;
}
