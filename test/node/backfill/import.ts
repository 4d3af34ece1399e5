import { startAdminApi } from "../../../demo/admin-api/admin-api.ts";
import { OPERATOR_TOKEN, Product } from "../kill/worker.ts";

export interface ImportOptions {
  customers: number;
  orders: number;
  seed: number;
  /** Kills the Worker also while it answers the last request, right when the last store's token is held. */
  killConnect?: boolean;
  /** Result files break off after so many bytes, three times for each store. */
  dropAfterBytes?: number;
  /** Shares of the orders at which the Worker is killed. */
  killAt: number[];
  /** Give up after this time, ms. */
  within: number;
}

export interface ImportResult {
  problems: string[];
  /** From the first request to the last order. */
  seconds: number;
  /** Memory of the runtime before anything was asked of it, bytes. */
  idleBytes: number;
  /** And ten times a second from each start to the next kill. */
  memory: number[][];
  /** Rows of each kind at each kill. */
  kills: { contacts: number; orders: number }[];
  /** Imports that had begun when the Worker was killed in the middle of a connect; null without that. */
  jobsAtConnect: number | null;
  rows: { contacts: number; orders: number; lines: number };
}

/** One store per currency: with hundredths, without minor units, with thousandths. */
const CURRENCIES = ["EUR", "JPY", "KWD"] as const;

interface Summary {
  customers: number;
  orders: number;
  lines: number;
  refunds: number;
  test: number;
  cancelled: number;
  pos: number;
  withoutCustomer: number;
  counted: number;
  revenue: string;
}

interface Store {
  domain: string;
  currency: string;
  summary: Summary;
}

/**
 * Connects three stores of the stand-in to the Worker as it is deployed, kills it on the way and compares what is stored
 * with what the stores say of themselves. After the last request to the Worker nothing but its alarms works.
 */
export async function importStores(options: ImportOptions): Promise<ImportResult> {
  const standin = await startAdminApi();
  const product = await Product.build({ SHOPIFY_ADMIN_ORIGIN: `${standin.url}/_shopify/{shop}` });
  try {
    const stores: Store[] = [];
    for (const [n, currency] of CURRENCIES.entries()) {
      stores.push(await openStore(standin.url, currency, n, options));
    }
    await product.start();
    await product.migrate();
    const idleBytes = product.memory();
    const started = Date.now();
    const last = options.killConnect ? stores.at(-1) : undefined;
    for (const store of stores) if (store !== last) await connect(product, standin.url, store);
    const jobsAtConnect = last ? await connectAndKill(product, standin.url, last) : null;
    const kills: ImportResult["kills"] = [];
    const expected = stores.reduce((sum, { summary }) => sum + summary.orders, 0);
    const memory: number[][] = [[]];
    for (;;) {
      await new Promise((resume) => setTimeout(resume, 100));
      memory.at(-1)?.push(product.memory());
      const orders = count(product, "orders");
      const share = options.killAt[kills.length];
      if (share !== undefined && orders >= share * expected) {
        await product.kill();
        kills.push({ contacts: count(product, "contacts"), orders: count(product, "orders") });
        memory.push([]);
        await product.start();
      }
      const over = product.read<{ n: number }>("select count(*) as n from jobs where state <> 'running'")[0]?.n;
      if (over === stores.length || Date.now() - started > options.within) break;
    }
    const seconds = (Date.now() - started) / 1000;
    const problems = stores.flatMap((store) => compare(product, store));
    if (kills.length < options.killAt.length) problems.push(`killed ${kills.length} times only`);
    const rows = {
      contacts: count(product, "contacts"),
      orders: count(product, "orders"),
      lines: count(product, "order_items"),
    };
    return { problems, seconds, idleBytes, memory, kills, jobsAtConnect, rows };
  } finally {
    await product.remove();
    await standin.close();
  }
}

async function openStore(url: string, currency: string, n: number, options: ImportOptions): Promise<Store> {
  const share = (whole: number) => Math.floor(whole / CURRENCIES.length) + (n < whole % CURRENCIES.length ? 1 : 0);
  const control = `${url}/_admin/api/stores`;
  const { domain } = await send(control, { currency, plan: "plus" });
  await send(`${control}/${domain}/generate`, {
    seed: options.seed + n,
    customers: share(options.customers),
    orders: share(options.orders),
    products: 60,
    checkouts: 20,
    days: 365,
  });
  const { dropAfterBytes } = options;
  if (dropAfterBytes !== undefined)
    await send(`${control}/${domain}/failures`, { on: "bulk", dropAfterBytes, times: 3 });
  const summary = await (await fetch(`${control}/${domain}/summary`)).json();
  return { domain, currency, summary };
}

async function connect(product: Product, url: string, { domain, currency }: Store): Promise<void> {
  const call = async (method: string, path: string, body: object) => {
    const response = await product.fetch(path, {
      method,
      headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return JSON.parse(await response.text());
  };
  const { id } = await call("POST", "/v1/shops", { domain, currency });
  const { access_token: accessToken } = await send(`${url}/_admin/api/stores/${domain}/tokens`, {});
  await call("PUT", `/v1/shops/${id}/shopify`, { method: "token", accessToken });
}

/** Kills the Worker when the token is held and nothing else is done yet; how many imports had begun by then. */
async function connectAndKill(product: Product, url: string, store: Store): Promise<number> {
  const held = count(product, "shopify_connections");
  const answer = connect(product, url, store).catch(() => undefined);
  while (count(product, "shopify_connections") === held) await new Promise((resume) => setTimeout(resume, 2));
  await product.kill();
  await answer;
  const jobs = count(product, "jobs");
  await product.start();
  return jobs;
}

async function send(url: string, body: object) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return JSON.parse(await response.text());
}

function count(product: Product, table: string): number {
  return product.read<{ n: number }>(`select count(*) as n from ${table}`)[0]?.n ?? 0;
}

/** What differs between a store's own sums and what is stored of it. */
function compare(product: Product, { domain, currency, summary }: Store): string[] {
  const shop = `(select key from shops where domain = '${domain}')`;
  const kept = "o.test = 0 and o.cancelled_at is null";
  const [stored] = product.read<Record<string, number | string>>(`select
    (select currency from shops where domain = '${domain}') as currency,
    (select count(*) from contacts where shop = ${shop} and shopify_customer_id is not null) as customers,
    (select count(*) from orders where shop = ${shop}) as orders,
    (select count(*) from order_items i join orders o on o.key = i."order" where o.shop = ${shop}) as lines,
    (select count(*) from refunds where shop = ${shop}) as refunds,
    (select count(*) from orders where shop = ${shop} and test = 1) as test,
    (select count(*) from orders where shop = ${shop} and cancelled_at is not null) as cancelled,
    (select count(*) from orders where shop = ${shop} and location_id is not null) as pos,
    (select count(*) from orders o where o.shop = ${shop} and ${kept}) as counted,
    (select cast(coalesce(sum(o.total), 0) as text) from orders o where o.shop = ${shop} and ${kept}) as revenue`);
  const { withoutCustomer: _, ...expected } = { ...summary, currency };
  const problems = Object.entries(expected).flatMap(([name, value]) =>
    typeof value === "object" || stored?.[name] === value
      ? []
      : [`${domain}: ${name} is ${stored?.[name]}, not ${value}`],
  );
  const [odd] = product.read<{ skipped: number; failed: number; events: number; twice: number }>(`select
    (select coalesce(sum(skipped), 0) from sync_streams where shop = ${shop}) as skipped,
    (select count(*) from sync_streams where shop = ${shop} and state <> 'done') as failed,
    (select count(*) from outbox where shop = ${shop}) as events,
    (select count(*) from (select 1 from orders where shop = ${shop} group by external_id having count(*) > 1)) as twice`);
  for (const [name, value] of Object.entries(odd ?? {}))
    if (value !== 0) problems.push(`${domain}: ${name} is ${value}`);
  if (problems.length > 0) {
    const streams = product.read<object>(
      `select resource, stretch, state, done, total, skipped, error from sync_streams where shop = ${shop}`,
    );
    problems.push(JSON.stringify(streams));
  }
  return problems;
}
