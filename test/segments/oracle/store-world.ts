import { CUSTOM_FIELDS } from "./facts";
import { groupId, type Visitor, type World } from "./world";

type Cell = string | number | boolean | null;
type Row = Record<string, Cell>;

/** Room for the keys of one world. */
const KEYS = 1_000;

/** Writes a world into the tables of the product, as a shop of its own. Keys in the world stay as they are. */
export async function storeWorld(db: D1Database, world: World, shop: number): Promise<World> {
  const placed: World = { ...world, shop, base: shop * KEYS };
  const { base } = placed;
  const key = (local: number | null) => local && base + local;
  const stamped = { shop, created_at: 0, updated_at: 0 };
  const types = [...new Set(world.visitors.flatMap(({ events }) => events.map(({ type }) => type)))];
  await db.batch([
    insert(db, "shops", [
      {
        key: shop,
        id: `shp_${shop}`,
        domain: `oracle-${shop}.example`,
        name: "Oracle",
        currency: world.currency,
        timezone: "UTC",
        pixel_key: `pixel-${shop}`,
        installed_at: 0,
        created_at: 0,
        updated_at: 0,
      },
    ]),
    insert(
      db,
      "fields",
      CUSTOM_FIELDS.map(({ options, ...field }) => ({
        ...stamped,
        ...field,
        id: `fld_${shop}_${field.name}`,
        options: JSON.stringify(options),
      })),
    ),
    insert(
      db,
      "contacts",
      world.contacts.map((one) => ({
        shop,
        key: base + one.key,
        id: `con_${base + one.key}`,
        verified: true,
        ...texts(one.texts),
        tax_exempt: one.taxExempt,
        stage: one.stage,
        status: one.status,
        score: one.score,
        fields: JSON.stringify(one.fields),
        orders_count: one.ordersCount,
        orders_total: one.ordersTotal,
        created_at: one.createdAt,
        updated_at: one.updatedAt,
        shopify_created_at: one.shopifyCreatedAt,
        deleted_at: one.deletedAt,
      })),
    ),
    insert(
      db,
      "contact_tags",
      world.contacts.flatMap((one) =>
        one.tags.map(({ label, removed }) => ({
          shop,
          tag: label.normalize("NFC").trim().toLowerCase(),
          contact: base + one.key,
          label,
          origin: "crm",
          at: 0,
          removed,
        })),
      ),
    ),
    insert(
      db,
      "consents",
      world.contacts.flatMap((one) =>
        one.consents.map(({ decidedAt, updatedAt, ...consent }) => ({
          ...consent,
          shop,
          contact: base + one.key,
          decided_at: decidedAt,
          updated_at: updatedAt,
        })),
      ),
    ),
    insert(
      db,
      "lifecycle_history",
      world.contacts.flatMap((one) => one.history.map((entry) => ({ ...entry, shop, contact: base + one.key }))),
    ),
    insert(
      db,
      "products",
      world.products.map((one) => ({
        shop,
        external_id: one.id,
        title: one.id,
        category: one.category,
        vendor: one.vendor,
        tags: JSON.stringify(one.tags),
        collections: JSON.stringify(one.collections),
        updated_at: 0,
      })),
    ),
    insert(
      db,
      "orders",
      world.orders.map((one) => ({
        ...stamped,
        key: base + one.key,
        id: `ord_${base + one.key}`,
        origin: one.origin,
        external_id: one.externalId,
        state: one.state,
        contact: key(one.contact),
        visitor: key(one.visitor),
        cart_token: one.cartToken,
        checkout_token: one.checkoutToken,
        currency: one.currency,
        total: one.total,
        original_total: one.originalTotal,
        presentment_currency: one.presentmentCurrency,
        discount_codes: JSON.stringify(one.discountCodes),
        shipping_method: one.shippingMethod,
        source_name: one.sourceName,
        location_id: one.locationId,
        location_name: one.locationName,
        landing_site: one.landingSite,
        referring_site: one.referringSite,
        test: one.test,
        placed_at: one.placedAt,
        paid_at: one.paidAt,
        fulfilled_at: one.fulfilledAt,
        cancelled_at: one.cancelledAt,
      })),
    ),
    insert(
      db,
      "order_items",
      world.orders.flatMap((order) =>
        order.lines.map((one, line) => ({
          order: base + order.key,
          line,
          product_id: one.productId,
          variant_id: one.variantId,
          sku: one.sku,
          title: one.title,
          vendor: one.vendor,
          category: one.category,
          quantity: one.quantity,
          current_quantity: one.currentQuantity,
          price: one.price,
          discounted_price: one.discountedPrice,
        })),
      ),
    ),
    insert(
      db,
      "refunds",
      world.refunds.map((one, i) => ({
        shop,
        external_id: `refund-${i}`,
        order_external_id: one.order,
        amount: one.amount,
        currency: one.currency,
        at: one.at,
      })),
    ),
    insert(
      db,
      "carts",
      world.carts.map((one) => ({
        ...stamped,
        key: base + one.key,
        id: `crt_${base + one.key}`,
        token: one.token,
        checkout_token: one.checkoutToken,
        visitor: key(one.visitor),
        contact: key(one.contact),
        state: one.state,
        currency: one.currency,
        value: one.value,
        items: JSON.stringify(one.items),
        reached: true,
        activity_at: one.activityAt,
        abandoned_at: one.abandonedAt,
        recovered_at: one.recoveredAt,
        purchased_at: one.purchasedAt,
        purchased_by: one.purchasedBy,
      })),
    ),
    insert(
      db,
      "pages",
      world.pages.map((one) => ({ shop, key: base + one.key, url: one.url, title: one.title })),
    ),
    insert(
      db,
      "visitors",
      world.visitors.map((one) => ({
        shop,
        key: base + one.key,
        tracker: `tracker-${one.key}`,
        person: 1,
        contact: key(one.contact),
        channel: one.channel,
        country: one.country,
        region: one.region,
        city: one.city,
        visits: one.visits,
        page_views: one.pageViews,
        first_seen_at: one.firstSeenAt,
        last_seen_at: one.lastSeenAt,
        first_touch: one.firstTouch && JSON.stringify(one.firstTouch),
        last_touch: one.lastTouch && JSON.stringify(one.lastTouch),
        device: one.device && JSON.stringify(one.device),
        flushed_seq: 1_000,
      })),
    ),
    ...storeEvents(db, world, shop, base, types),
    ...storeGroups(db, placed),
  ]);
  return placed;
}

/** Columns that are left out are null, but for those that need a value. */
function texts(given: Record<string, string>): Row {
  return Object.fromEntries(
    [
      "email",
      "phone",
      "first_name",
      "last_name",
      "company",
      "city",
      "province",
      "country",
      "zip",
      "shopify_customer_id",
      "external_id",
      "source",
      "account_state",
    ].map((name) => [name, given[name] ?? null]),
  );
}

/** Most events of one part of a visit here: few, so that visits have several. */
const PART = 3;

function storeEvents(db: D1Database, world: World, shop: number, base: number, types: string[]): D1PreparedStatement[] {
  const rows = JSON.stringify(
    world.visitors.flatMap((visitor) =>
      visitor.events.map((one) => [
        base + visitor.key,
        one.seq,
        one.at,
        one.type,
        one.page && base + one.page,
        one.data && JSON.stringify(one.data),
      ]),
    ),
  );
  const parts = JSON.stringify(world.visitors.flatMap((visitor) => visitParts(visitor, base)));
  return [
    db
      .prepare("insert into event_types (name) select value from json_each(?) where true on conflict do nothing")
      .bind(JSON.stringify(types)),
    db
      .prepare(
        `insert into events (shop, type, at, visitor, seq, page, data)
         select ?1, t.key, e.value ->> 2, e.value ->> 0, e.value ->> 1, e.value ->> 4, e.value ->> 5
         from json_each(?2) e join event_types t on t.name = e.value ->> 3`,
      )
      .bind(shop, rows),
    db
      .prepare(
        `insert into visits (visitor, no, part, at, until, path)
         select p.value ->> 0, p.value ->> 1, p.value ->> 2, p.value ->> 3, p.value ->> 4, (
           select json_group_array(json_array(e.value ->> 0, e.value ->> 1, t.key, e.value ->> 3, e.value ->> 4))
           from json_each(p.value, '$[5]') e join event_types t on t.name = e.value ->> 2)
         from json_each(?1) p`,
      )
      .bind(parts),
  ];
}

function visitParts(visitor: Visitor, base: number): unknown[] {
  const parts: unknown[] = [];
  for (let i = 0; i < visitor.events.length; i += PART) {
    const events = visitor.events.slice(i, i + PART);
    const times = events.map(({ at }) => at);
    const path = events.map(({ seq, at, type, page }) => [
      seq,
      at,
      type,
      `e${visitor.key}-${seq}`,
      page && base + page,
    ]);
    parts.push([base + visitor.key, 1 + (i % 2), i, Math.min(...times), Math.max(...times), path]);
  }
  return parts;
}

function storeGroups(db: D1Database, world: World): D1PreparedStatement[] {
  const { shop, base } = world;
  const own = (of: string) => world.groups.filter((group) => group.of === of);
  const named = (group: World["groups"][number]) => ({
    shop,
    key: base + group.key,
    id: groupId(world, group),
    name: "Group",
    created_at: 0,
    updated_at: 0,
  });
  return [
    insert(
      db,
      "segments",
      own("segment").map((group) => ({ ...named(group), audience: "both", definition: '{"all":[]}', state: "live" })),
    ),
    insert(
      db,
      "segment_members",
      own("segment").flatMap(({ key, members }) =>
        members.map((one) => ({ segment: base + key, kind: one.kind, subject: base + one.key, entered_at: one.at })),
      ),
    ),
    insert(db, "lists", own("list").map(named)),
    insert(
      db,
      "list_members",
      own("list").flatMap(({ key, members }) =>
        members.map((one) => ({ list: base + key, kind: one.kind, subject: base + one.key, added_at: one.at })),
      ),
    ),
  ];
}

/** Rows of one table in one statement; a text, a number or null stays what it is, true and false are 1 and 0. */
function insert(db: D1Database, table: string, rows: Row[]): D1PreparedStatement {
  const names = Object.keys(rows[0] ?? { shop: 0 });
  const columns = names.map((name) => `"${name}"`).join(", ");
  const values = names.map((name) => `value ->> '$.${name}'`).join(", ");
  const statement =
    rows.length === 0 ? "select ?1" : `insert into "${table}" (${columns}) select ${values} from json_each(?1)`;
  return db.prepare(statement).bind(JSON.stringify(rows));
}
