import type { Chance } from "./chance";
import { ZONES } from "./chance";
import type { Change, Collection } from "./changes";
import { makeCart, makeLine, makeOrder, makeProduct, makeRefund, PRODUCTS } from "./make-commerce";
import { customValues, makeContact, makeEvent, makeVisitor, STAGES, STATUSES, TAGS, touch } from "./make-world";
import type { Contact, Order, Visitor, World } from "./world";

/** The next key of a collection: none that anybody has had in this world so far. */
function nextKey(world: World, of: Collection): number {
  return Math.max(0, ...world[of].map(({ key }) => key)) + 1;
}

/** The names of all that may happen. */
export const CHANGES = () => Object.keys(KINDS);

type Make = (chance: Chance, world: World, types: readonly string[]) => Change[];

/** What may happen in a shop. Nothing, where there is nobody to whom it could. */
const KINDS: Record<string, Make> = {
  order: (chance, world) => {
    const key = nextKey(world, "orders");
    return orderPut(world, {
      ...makeOrder(chance, key, world.contacts.length, world.visitors),
      externalId: `ext-late-${key}`,
    });
  },
  "order edited": (chance, world) => {
    const order = chance.oneOf(world.orders);
    return order ? orderPut(world, editedOrder(chance, order)) : [];
  },
  refund: (chance, world) => [{ put: "refunds", row: makeRefund(chance, nextKey(world, "refunds"), world.orders) }],
  cart: (chance, world) => {
    const key = nextKey(world, "carts");
    const row = makeCart(chance, key, world.contacts.length, world.visitors.length, world.orders);
    return world.carts.some(({ token }) => token === row.token) ? [] : [{ put: "carts", row }];
  },
  "cart changed": (chance, world) => {
    const cart = chance.oneOf(world.carts);
    if (!cart) return [];
    const other = makeCart(chance, cart.key, world.contacts.length, world.visitors.length, []);
    const { token, checkoutToken, visitor } = cart;
    const row = { ...other, token, checkoutToken, visitor, revision: cart.revision + 1 };
    return [{ put: "carts", row }];
  },
  contact: (chance, world) => [{ put: "contacts", row: makeContact(chance, nextKey(world, "contacts")) }],
  "contact edited": (chance, world) => {
    const contact = chance.oneOf(world.contacts);
    return contact ? [{ put: "contacts", row: editedContact(chance, world, contact) }] : [];
  },
  "contact erased": (chance, world) => {
    const contact = chance.chance(0.5) ? chance.oneOf(world.contacts) : undefined;
    return contact ? erased(world, contact) : [];
  },
  merge: (chance, world) => {
    const [winner, loser] = chance.shuffled(world.contacts.filter(({ deletedAt }) => deletedAt === null));
    return winner && loser ? [{ merge: [winner.key, loser.key] }] : [];
  },
  visitor: (chance, world, types) => {
    const key = nextKey(world, "visitors");
    const made = makeVisitor(chance, key, 1, types, world.pages.length);
    // Everybody is anonymous at first.
    return [{ put: "visitors", row: { ...made, contact: null, channel: "browser" } }];
  },
  "visitor seen": (chance, world, types) => {
    const visitor = chance.oneOf(world.visitors);
    return visitor ? [{ put: "visitors", row: seen(chance, visitor, types, world.pages.length) }] : [];
  },
  "visitor linked": (chance, world) => {
    const visitor = chance.oneOf(world.visitors.filter(({ contact }) => contact === null));
    const contact = chance.oneOf(world.contacts);
    if (!visitor || !contact) return [];
    const carts = world.carts.filter((cart) => cart.visitor === visitor.key && cart.contact === null);
    return [
      { put: "visitors", row: { ...visitor, contact: contact.key } },
      ...carts.map((row): Change => ({ put: "carts", row: { ...row, contact: contact.key } })),
    ];
  },
  "visitor erased": (chance, world) => {
    const visitor = chance.oneOf(world.visitors);
    return visitor ? visitorGone(world, visitor) : [];
  },
  product: (chance) => [{ product: makeProduct(chance, chance.oneOf(PRODUCTS.filter((id) => id !== "gone")) ?? "p1") }],
  list: (chance, world) => {
    const list = world.groups.find(({ of }) => of === "list");
    const somebody = chance.chance(0.5)
      ? { kind: "contact" as const, key: chance.oneOf(world.contacts)?.key ?? 1 }
      : { kind: "visitor" as const, key: chance.oneOf(world.visitors)?.key ?? 1 };
    if (!list) return [];
    const others = list.members.filter(({ kind, key }) => kind !== somebody.kind || key !== somebody.key);
    const members = others.length < list.members.length ? others : [...others, { ...somebody, at: chance.moment() }];
    return [{ put: "groups", row: { ...list, members } }];
  },
  shop: (chance) =>
    chance.chance(0.7) ? [] : [{ shop: chance.chance(0.7) ? { zone: chance.pick(ZONES) } : { currency: "USD" } }],
};

/** A few things that happen together. Merges come last: they are about people as they then are. */
export function makeChanges(
  chance: Chance,
  world: World,
  types: readonly string[],
): { names: string[]; changes: Change[] } {
  const drawn = chance.shuffled(Object.entries(KINDS)).slice(0, chance.int(1, 3));
  const made = drawn.map(([name, make]) => ({ name, changes: make(chance, world, types) }));
  const changes = made.flatMap((one) => one.changes);
  const isMerge = (change: Change) => "merge" in change;
  // What is about one row twice would put back what the first has changed.
  const once = changes.filter((change, i) => {
    const named = nameOf(change);
    return named === null || !changes.slice(0, i).some((other) => nameOf(other) === named);
  });
  return {
    names: made.flatMap((one) => (one.changes.length > 0 ? [one.name] : [])),
    changes: [...once.filter((one) => !isMerge(one)), ...once.filter(isMerge)],
  };
}

function nameOf(change: Change): string | null {
  if ("put" in change) return `${change.put} ${change.row.key}`;
  return "drop" in change ? `${change.drop} ${change.key}` : null;
}

/** With an order come its carts, which it settles. */
function orderPut(world: World, row: Order): Change[] {
  const settled = world.carts.filter(
    ({ token, checkoutToken }) =>
      token === row.cartToken ||
      (row.checkoutToken !== null && [checkoutToken, token.replace(/^checkout:/, "")].includes(row.checkoutToken)),
  );
  return [
    { put: "orders", row: { ...row, revision: row.revision + 1 } },
    ...settled.map((cart): Change => ({ put: "carts", row: { ...cart, revision: cart.revision + 1 } })),
  ];
}

function editedOrder(chance: Chance, order: Order): Order {
  const edits: (() => Partial<Order>)[] = [
    () => ({ cancelledAt: chance.maybe(0.7, () => chance.moment()) }),
    () => ({ paidAt: chance.moment(), state: "completed" }),
    () => ({ fulfilledAt: chance.moment() }),
    () => ({ total: chance.int(0, 6) * 500, shippingMethod: chance.maybe(0.5, () => chance.word()) }),
    () => ({ lines: order.lines.map((line) => ({ ...line, currentQuantity: chance.int(0, line.quantity) })) }),
    () => ({ lines: [...order.lines, makeLine(chance)] }),
    () => ({ lines: order.lines.slice(1) }),
    () => ({ test: !order.test }),
  ];
  return { ...order, ...chance.oneOf(edits)?.() };
}

function editedContact(chance: Chance, world: World, contact: Contact): Contact {
  const other = makeContact(chance, contact.key);
  const key = Math.max(0, ...world.contacts.flatMap(({ history }) => history.map((entry) => entry.key))) + 1;
  const stage = chance.pick(STAGES);
  const status = chance.maybe(0.7, () => chance.pick(STATUSES));
  const edits: (() => Partial<Contact>)[] = [
    () => ({ texts: other.texts, taxExempt: other.taxExempt }),
    () => ({ score: other.score }),
    () => ({ fields: customValues(chance) }),
    () => ({ deletedAt: contact.deletedAt === null ? chance.moment() : null }),
    () => ({ tags: other.tags }),
    () => ({ tags: contact.tags.map((tag) => ({ ...tag, removed: !tag.removed })) }),
    () => ({ tags: [...contact.tags.slice(1), { label: chance.pick(TAGS), removed: false }].slice(-1) }),
    () => ({ consents: other.consents }),
    () => ({ stage, status, history: [...contact.history, { key, stage, status, at: chance.moment() }] }),
    () => ({ ordersCount: other.ordersCount, ordersTotal: other.ordersTotal }),
  ];
  return { ...contact, ...chance.oneOf(edits)?.(), updatedAt: chance.moment() };
}

function seen(chance: Chance, visitor: Visitor, types: readonly string[], pages: number): Visitor {
  const seq = Math.max(0, ...visitor.events.map((event) => event.seq)) + 1;
  const edits: (() => Partial<Visitor>)[] = [
    () => ({ visits: visitor.visits + 1, pageViews: visitor.pageViews + 1 }),
    () => ({ lastSeenAt: chance.moment() }),
    () => ({ lastTouch: touch(chance), firstTouch: visitor.firstTouch ?? touch(chance) }),
    () => ({ city: chance.word(), country: chance.pick(["DE", "FR", "US"]) }),
    () => ({
      device: { type: chance.pick(["desktop", "mobile"]), browser: null, os: chance.pick(["iOS", "Windows"]) },
    }),
    () => ({}),
  ];
  const events = chance.some(0, 3, (i) => makeEvent(chance, seq + i, types, pages));
  return { ...visitor, ...chance.oneOf(edits)?.(), events: [...visitor.events, ...events] };
}

/** The persona goes; what was bought stays, and is nobody's or its contact's. */
function visitorGone(world: World, { key }: Visitor): Change[] {
  return [
    { drop: "visitors", key },
    ...world.carts
      .filter(({ visitor, contact }) => visitor === key && contact === null)
      .map((cart): Change => ({ drop: "carts", key: cart.key })),
    ...world.orders
      .filter(({ visitor }) => visitor === key)
      .map((row): Change => ({ put: "orders", row: { ...row, visitor: null } })),
  ];
}

/** A person goes with the browsers and carts; of the orders only what they came to stays. */
function erased(world: World, { key }: Contact): Change[] {
  return [
    { drop: "contacts", key },
    ...world.visitors
      .filter(({ contact }) => contact === key)
      .map((visitor): Change => ({ drop: "visitors", key: visitor.key })),
    ...world.carts.filter(({ contact }) => contact === key).map((cart): Change => ({ drop: "carts", key: cart.key })),
    ...world.orders
      .filter(({ contact }) => contact === key)
      .map((row): Change => ({ put: "orders", row: { ...row, contact: null, visitor: null } })),
  ];
}
