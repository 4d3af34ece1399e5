import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";

import { type Bundle, migrationStatements, removeFolder, Served } from "./harness.ts";

/** A shop's history of 90 days, as big as asked for. */
export interface Scale {
  state: string;
  visitors: number;
  events: number;
  /** Of the database file. */
  bytes: number;
  /** What it took to make it, s; null when it was there from an earlier run. */
  madeInSeconds: number | null;
  domain: string;
}

/** A contact of few visits, and one with 5,000 events; both with one browser, whose id `trackerOf` tells. */
export const FEW = { visits: 5, pages: 4, events: 20 } as const;
export const MANY = { visits: 1_000, pages: 5, events: 5_000 } as const;

const DOMAIN = "scale.example";
const SPAN_MS = 90 * 86_400_000;
const STEP_MS = 45_000;
/** Every tenth visitor became a contact. */
const VISITORS_PER_CONTACT = 10;
/** A prime that shares nothing with the numbers of visitors, to spread each visitor's visits over the time. */
const STRIDE = 7_919;
/** Pages of twenty visits in turn: 45% have one, the mean is four. */
const PAGES_OF_VISITS = [...Array<number>(9).fill(1), 3, 4, 5, 5, 6, 6, 7, 8, 8, 9, 10];

export const contactId = (n: number): string => `con_${String(n).padStart(26, "0")}`;

export function trackerOf(visitor: number): string {
  const hex = visitor.toString(16);
  return `${hex.padStart(8, "0")}-0000-4000-8000-${hex.padStart(12, "0")}`;
}

/** Contacts are numbered by visitor; the two special ones follow, with the visitors after the last ordinary one. */
export function specialContacts({ visitors }: Pick<Scale, "visitors">) {
  const contacts = visitors / VISITORS_PER_CONTACT;
  return {
    few: { contact: contacts + 1, visitor: visitors + 1 },
    many: { contact: contacts + 2, visitor: visitors + 2 },
  };
}

/** The data from an earlier run, or made now: minutes for ten million events, so it is kept in the temporary folder. */
export async function scaleData(code: Bundle, visitors: number): Promise<Scale> {
  const events = visitors * 10;
  const recipe = [...migrationStatements(), readFileSync(fileURLToPath(import.meta.url), "utf8")].join("\n");
  const hash = createHash("sha256").update(recipe).digest("hex").slice(0, 12);
  const state = join(tmpdir(), "footfall-bench-data", `${hash}-${visitors}`);
  const stamp = join(state, "done");
  const data = { state, visitors, events, domain: DOMAIN };
  if (existsSync(stamp)) return { ...data, bytes: statSync(databaseFile(state)).size, madeInSeconds: null };
  const started = Date.now();
  // Also what an older schema or recipe has left behind.
  for (const old of globSync(`*-${visitors}`, { cwd: dirname(state) })) removeFolder(join(dirname(state), old));
  mkdirSync(state, { recursive: true });
  const served = await Served.start(code, state);
  await served.migrate();
  await served.api("POST", "/v1/shops", { domain: DOMAIN });
  await served.stop();
  const file = databaseFile(state);
  fill(file, visitors, events);
  writeFileSync(stamp, "");
  return { ...data, bytes: statSync(file).size, madeInSeconds: (Date.now() - started) / 1000 };
}

function databaseFile(state: string): string {
  const file = globSync("**/d1/**/*.sqlite", { cwd: state }).find((name) => !name.includes("metadata"));
  if (!file) throw new Error(`no database below ${state}`);
  return join(state, file);
}

function fill(file: string, visitors: number, events: number): void {
  const db = new DatabaseSync(file);
  // Whoever reads this file has waited for the end of this function.
  db.exec("pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -500000");
  db.exec(
    "create temp table n20 (i integer primary key, pages integer); create temp table n10 (p integer primary key)",
  );
  PAGES_OF_VISITS.forEach((pages, i) => db.prepare("insert into n20 values (?, ?)").run(i, pages));
  for (let p = 0; p < 10; p++) db.prepare("insert into n10 values (?)").run(p);
  const start = Date.now() - SPAN_MS;
  const slots = events / 4;
  const step = Math.floor(SPAN_MS / slots);
  const contacts = visitors / VISITORS_PER_CONTACT;
  const inverse = inverseOf(STRIDE, visitors);
  const counting = (most: number) =>
    `with recursive c(n) as (select 0 union all select n + 1 from c where n < ${most - 1})`;
  const at = (slot: string, page: string) => `${start} + (${slot}) * ${step} + ${page} * ${STEP_MS}`;
  const type = (slot: string, page: string) => `iif((${slot} + ${page}) % 5 = 0, 2, 1)`;
  const pageKey = (slot: string, page: string) => `1 + (${slot} * 31 + ${page} * 7) % 2000`;
  const touch = `'{"source":"google","medium":null,"campaign":null,"term":null,"content":null,"clickId":null,"channel":"organic_search","referrer":"https://www.google.com/","landingUrl":null}'`;
  db.exec("begin");
  db.exec("insert or ignore into event_types (key, name) values (1, 'page_viewed'), (2, 'product_viewed')");
  db.exec(
    `${counting(2_000)} insert into pages (key, shop, url, title)
     select n + 1, 1, 'https://${DOMAIN}/products/thing-' || n, 'A thing with the number ' || n from c`,
  );
  db.exec(
    `${counting(contacts + 2)} insert into contacts (key, shop, id, email, first_name, last_name, source, verified, stage, created_at, updated_at)
     select n + 1, 1, printf('con_%026d', n + 1), 'person' || n || '@${DOMAIN}', 'Given' || (n % 500), 'Family' || (n % 900),
       'Website', 1, 'lead', ${start} + n, ${start} + n from c;
     insert into identities (shop, kind, value, contact, evidence, created_at)
     select 1, 'email', email, key, 'verified', created_at from contacts order by email`,
  );
  db.exec(
    `insert into orders (shop, id, origin, external_id, name, state, contact, currency, total, original_total, placed_at, created_at, updated_at)
     select 1, printf('ord_%026d', key), 'shopify', key, '#' || key, 'completed', key, 'EUR', 1999, 1999, created_at, created_at, created_at from contacts;
     insert into order_items ("order", line, title, quantity, current_quantity, price, discounted_price)
     select key, 0, 'Mug', 1, 1, 1999, 1999 from orders;
     insert into carts (shop, id, token, visitor, contact, state, currency, value, reached, activity_at, created_at, updated_at)
     select 1, printf('crt_%026d', key), 'token' || key, key * ${VISITORS_PER_CONTACT}, key, 'abandoned', 'EUR', 1999, 1, created_at, created_at, created_at
     from contacts where key <= ${contacts}`,
  );
  db.exec(
    `${counting(visitors + 2)} insert into visitors (key, shop, tracker, person, contact, evidence, linked_at, channel, country, region, city, visits, page_views,
       first_seen_at, last_seen_at, first_touch, last_touch, device, flushed_seq)
     select n + 1, 1, printf('%08x-0000-4000-8000-%012x', n + 1, n + 1), 1,
       case when n >= ${visitors} then ${contacts} + 1 + n - ${visitors} when (n + 1) % ${VISITORS_PER_CONTACT} = 0 then (n + 1) / ${VISITORS_PER_CONTACT} end,
       'verified', ${start}, 'browser', 'DE', 'Berlin', 'Berlin', 3, 10, ${start}, ${start + SPAN_MS}, ${touch}, ${touch},
       '{"type":"desktop","browser":"Chrome","os":"Windows"}', 100000 from c`,
  );
  // In the order of the events' own key, nearly: by the start of the visit.
  db.exec(
    `${counting(slots)} insert into events (shop, type, at, visitor, seq, page)
     select 1, ${type("n", "p")}, ${at("n", "p")}, 1 + (n * ${STRIDE}) % ${visitors}, 100 * (n / ${visitors}) + p + 1, ${pageKey("n", "p")}
     from c cross join n20 on i = n % 20 cross join n10 on p < pages`,
  );
  // In the order of the visits' own key: a visitor's visits are the slots that the stride takes there.
  const slot = `((n * ${inverse}) % ${visitors} + k.p * ${visitors})`;
  db.exec(
    `${counting(visitors)} insert into visits (visitor, no, part, at, until, touch, path)
     select n + 1, k.p + 1, 0, ${at(slot, "0")}, ${at(slot, "(pages - 1)")}, ${touch}, (
       select json_group_array(json_array(100 * k.p + q.p + 1, ${at(slot, "q.p")}, ${type(slot, "q.p")}, printf('e%015x%02d', ${slot}, q.p), ${pageKey(slot, "q.p")}))
       from n10 q where q.p < pages)
     from c cross join n10 k on ${slot} < ${slots} cross join n20 on i = ${slot} % 20`,
  );
  for (const [i, { visits, pages }] of [FEW, MANY].entries()) {
    const visitor = visitors + 1 + i;
    const visitAt = (no: string, page: string) =>
      `${start} + ${no} * ${Math.floor((SPAN_MS * 0.99) / visits)} + ${page} * ${STEP_MS}`;
    db.exec(
      `${counting(visits)} insert into events (shop, type, at, visitor, seq, page)
       select 1, 1, ${visitAt("n", "p")}, ${visitor}, 100 * n + p + 1, ${pageKey("n", "p")} from c join n10 on p < ${pages}`,
    );
    db.exec(
      `${counting(visits)} insert into visits (visitor, no, part, at, until, touch, path)
       select ${visitor}, n + 1, 0, ${visitAt("n", "0")}, ${visitAt("n", String(pages - 1))}, ${touch}, (
         select json_group_array(json_array(100 * n + p + 1, ${visitAt("n", "p")}, 1, printf('f%015x%02d', n, p), ${pageKey("n", "p")})) from n10 where p < ${pages})
       from c`,
    );
  }
  db.exec("commit");
  db.exec("pragma journal_mode = wal");
  db.close();
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
