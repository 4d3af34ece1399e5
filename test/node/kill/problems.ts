import type { Ledger, SentCart } from "./ledger";
import type { Product } from "./worker";

/** Threshold of the shop under test, ms. */
export const ABANDON_AFTER_MS = 3_000;

/** The test's own record of every row that ever entered the outbox, made by a trigger. */
export const OBSERVE = [
  "create table observed (shop integer, type text, natural_key text)",
  `create trigger observe after insert on outbox begin
     insert into observed values (new.shop, new.type, new.natural_key); end`,
];

/** Everything in the database that does not agree with what was acknowledged. Empty once all has settled. */
export function findProblems(product: Product, ledger: Ledger): string[] {
  return [
    ...eventProblems(product, ledger),
    ...webhookProblems(product, ledger),
    ...personProblems(product, ledger),
    ...cartProblems(product, ledger),
    ...effectProblems(product, ledger),
    ...deliveryProblems(product),
  ];
}

function eventProblems(product: Product, ledger: Ledger): string[] {
  const problems: string[] = [];
  const visitors = product.read<{ key: number; tracker: string; person: number; visits: number; views: number }>(
    "select key, tracker, person, visits, page_views as views from visitors where channel = 'browser'",
  );
  const types = new Map(
    product
      .read<{ key: number; name: string }>("select key, name from event_types")
      .map(({ key, name }) => [key, name]),
  );
  const rows = Map.groupBy(
    product.read<{ visitor: number; seq: number; type: number; at: number }>(
      "select visitor, seq, type, at from events",
    ),
    ({ visitor }) => visitor,
  );
  const parts = Map.groupBy(
    product.read<{ visitor: number; no: number; path: string }>("select visitor, no, path from visits"),
    ({ visitor }) => visitor,
  );
  const personas = Map.groupBy(visitors, ({ tracker }) => tracker);
  for (const tracker of personas.keys())
    if (!ledger.events.has(tracker)) problems.push(`visitor ${tracker} was never sent`);
  for (const [tracker, sent] of ledger.events) {
    const stored = new Map<string, number>();
    for (const persona of personas.get(tracker) ?? []) {
      const visits = parts.get(persona.key) ?? [];
      const path = visits.flatMap((part): unknown[][] => JSON.parse(part.path));
      const listed = path.map(([seq, at, type]) => `${seq} ${at} ${type}`).toSorted();
      const events = (rows.get(persona.key) ?? []).map(({ seq, at, type }) => `${seq} ${at} ${type}`).toSorted();
      if (listed.join() !== events.join()) {
        problems.push(`visitor ${tracker}: visits list ${listed.length} events, there are ${events.length}`);
      }
      for (const [, , type, id] of path) {
        const name = `${types.get(Number(type))} ${String(id)}`;
        stored.set(name, (stored.get(name) ?? 0) + 1);
      }
      const views = path.filter(([, , type]) => types.get(Number(type)) === "page_viewed").length;
      if (persona.views !== views)
        problems.push(`visitor ${tracker}: counts ${persona.views} page views, has ${views}`);
      const count = new Set(visits.map(({ no }) => no)).size;
      if (persona.visits !== count) problems.push(`visitor ${tracker}: counts ${persona.visits} visits, has ${count}`);
    }
    for (const [name, count] of stored) {
      if (count > 1) problems.push(`visitor ${tracker}: ${name} is there ${count} times`);
      if (!sent.has(name)) problems.push(`visitor ${tracker}: ${name} was never sent`);
    }
    for (const [name, fate] of sent) {
      if (fate === "acknowledged" && !stored.has(name)) problems.push(`visitor ${tracker}: ${name} is lost`);
    }
  }
  return problems;
}

function webhookProblems(product: Product, ledger: Ledger): string[] {
  const problems: string[] = [];
  const rows = product.read<{ id: string; state: string; topic: string; error: string | null }>(
    "select webhook_id as id, state, topic, error from webhook_inbox",
  );
  const stored = Map.groupBy(rows, ({ id }) => id);
  for (const [id, fate] of ledger.webhooks) {
    const count = stored.get(id)?.length ?? 0;
    if (fate === "acknowledged" && count !== 1) problems.push(`webhook ${id} is there ${count} times`);
  }
  for (const { id, state, topic, error } of rows) {
    if (!ledger.webhooks.has(id)) problems.push(`webhook ${id} was never sent`);
    // A customer's own body is stale where a checkout that names the customer was handled before.
    if (state !== "handled" && !(state === "stale" && topic === "customers/create"))
      problems.push(`webhook ${id} (${topic}) is ${state}: ${error}`);
  }
  return problems;
}

function personProblems(product: Product, ledger: Ledger): string[] {
  const problems: string[] = [];
  const contacts = product.read<{ key: number; email: string | null; customer: string | null }>(
    "select key, email, shopify_customer_id as customer from contacts",
  );
  const byEmail = Map.groupBy(contacts, ({ email }) => email);
  const byCustomer = Map.groupBy(contacts, ({ customer }) => customer);
  const personas = new Map(
    product
      .read<{ tracker: string; contact: number | null }>(
        "select tracker, max(contact) as contact from visitors group by tracker",
      )
      .map(({ tracker, contact }) => [tracker, contact]),
  );
  for (const [email, list] of byEmail) if (list.length > 1) problems.push(`${list.length} contacts are ${email}`);
  for (const [email, visitor] of ledger.identified) {
    const contact = byEmail.get(email)?.[0];
    if (!contact) problems.push(`${email} is no contact`);
    else if (personas.get(visitor) !== contact.key) problems.push(`visitor ${visitor} is not linked to ${email}`);
  }
  for (const [id, { email, fate }] of ledger.customers) {
    const found = byCustomer.get(id) ?? [];
    if (found.length > 1) problems.push(`customer ${id} is ${found.length} contacts`);
    if (fate === "acknowledged" && found[0]?.email !== email) problems.push(`customer ${id} is ${found[0]?.email}`);
  }
  for (const [visitor, customer] of ledger.joined) {
    if (personas.get(visitor) !== byCustomer.get(customer)?.[0]?.key) {
      problems.push(`visitor ${visitor} did not become customer ${customer}`);
    }
  }
  return [
    ...problems,
    ...orderProblems(product, ledger, new Map(contacts.map(({ key, customer }) => [key, customer]))),
  ];
}

function orderProblems(product: Product, ledger: Ledger, customers: Map<number | null, string | null>): string[] {
  const problems: string[] = [];
  const rows = product.read<{ id: string; total: number; contact: number | null; refunds: number; refunded: number }>(
    `select external_id as id, original_total as total, contact,
       (select count(*) from refunds r where r.order_external_id = orders.external_id) as refunds,
       (select coalesce(sum(amount), 0) from refunds r where r.order_external_id = orders.external_id) as refunded
     from orders`,
  );
  const stored = Map.groupBy(rows, ({ id }) => id);
  for (const order of ledger.orders) {
    const found = stored.get(order.id) ?? [];
    if (found.length > 1) problems.push(`order ${order.id} is there ${found.length} times`);
    const [row] = found;
    if (!row) {
      if (order.fate === "acknowledged") problems.push(`order ${order.id} is lost`);
      continue;
    }
    if (row.total !== order.total) problems.push(`order ${order.id} is over ${row.total}`);
    if (customers.get(row.contact) !== order.customer)
      problems.push(`order ${order.id} belongs to contact ${row.contact}`);
    if (order.refund?.fate === "acknowledged" && (row.refunds !== 1 || row.refunded !== order.refund.amount)) {
      problems.push(`order ${order.id} has ${row.refunds} refunds over ${row.refunded}`);
    }
  }
  const sent = new Set(ledger.orders.map(({ id }) => id));
  return [...problems, ...rows.filter(({ id }) => !sent.has(id)).map(({ id }) => `order ${id} was never sent`)];
}

function cartProblems(product: Product, ledger: Ledger): string[] {
  const problems: string[] = [];
  const rows = product.read<{ token: string; state: string; activity: number; abandoned: number | null }>(
    "select token, state, activity_at as activity, abandoned_at as abandoned from carts",
  );
  const stored = Map.groupBy(rows, ({ token }) => token);
  for (const cart of ledger.carts) {
    const [row] = stored.get(cart.token) ?? [];
    if (!row) {
      if (cart.activityAt !== null) problems.push(`cart ${cart.token} is lost`);
      continue;
    }
    const wanted = stateOf(cart);
    if (wanted !== null && row.state !== wanted) problems.push(`cart ${cart.token} is ${row.state}, not ${wanted}`);
    if (wanted === "abandoned" && row.abandoned !== row.activity + ABANDON_AFTER_MS) {
      problems.push(`cart ${cart.token} is abandoned at ${row.abandoned}, was used at ${row.activity}`);
    }
  }
  const sent = new Set(ledger.carts.map(({ token }) => token));
  return [
    ...problems,
    ...rows.filter(({ token }) => !sent.has(token)).map(({ token }) => `cart ${token} was never sent`),
  ];
}

/** The state that the cart must end in; null when an unanswered request leaves it open. */
function stateOf({ isUnsure, activityAt, purchase }: SentCart): string | null {
  if (isUnsure || activityAt === null) return null;
  if (purchase === null) return "abandoned";
  return purchase.at >= activityAt + ABANDON_AFTER_MS ? "recovered" : "purchased";
}

/** Each domain event once, whoever saw it and however often; none waits, none died. */
function effectProblems(product: Product, ledger: Ledger): string[] {
  const rows = product.read<{ type: string; name: string; times: number }>(
    "select type, natural_key as name, count(*) as times from observed group by shop, type, natural_key",
  );
  const times = new Map(rows.map(({ type, name, times: count }) => [`${type} ${name}`, count]));
  const problems = rows
    .filter((row) => row.times > 1)
    .map(({ type, name, times: n }) => `${type} of ${name} came ${n} times`);
  for (const cart of ledger.carts) {
    const state = stateOf(cart);
    const abandoned = times.has(`cart_abandoned cart:${cart.token}`);
    if ((state === "abandoned" || state === "recovered") && !abandoned)
      problems.push(`cart ${cart.token}: no cart_abandoned`);
    const isPlaced = times.has(`order_placed cart:${cart.token}`);
    if (cart.purchase && !isPlaced) problems.push(`cart ${cart.token}: no order_placed`);
    if (!cart.purchase && !cart.isUnsure && isPlaced)
      problems.push(`cart ${cart.token}: order_placed without an order`);
  }
  for (const row of product.read<{ type: string; subject: string; attempts: number; inMs: number }>(
    `select type, subject, attempts, next_attempt_at - ${Date.now()} as inMs from outbox`,
  )) {
    problems.push(
      `${row.type} of ${row.subject} waits in the outbox: ${row.attempts} attempts, next in ${row.inMs} ms`,
    );
  }
  const dead = product.read<{ n: number }>("select count(*) as n from dead_letters")[0]?.n;
  if (dead !== 0) problems.push(`${dead} dead letters`);
  return problems;
}

/** Each domain event is one delivery to the shop's endpoint, which has come there; a kill may only repeat it. */
function deliveryProblems(product: Product): string[] {
  const rows = product.read<{ id: string | null; name: string; times: number; state: string | null }>(
    `select d.id, o.type || ' ' || o.natural_key as name, count(d.id) as times, d.state
     from (select distinct type, natural_key from observed where type <> 'visitor_joined') o
     left join endpoint_deliveries d on d.type = o.type and d.natural_key = o.natural_key
     group by o.type, o.natural_key`,
  );
  return rows.flatMap(({ id, name, times, state }) => {
    if (times !== 1 || id === null) return [`${name} is ${times} deliveries`];
    if (state !== "delivered") return [`the delivery of ${name} is ${state}`];
    return product.received.has(id) ? [] : [`the delivery of ${name} never came`];
  });
}
