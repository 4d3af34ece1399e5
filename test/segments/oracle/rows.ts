import { CUSTOM_FIELDS } from "./custom-fields";
import { type Row, type Table, table } from "./table";
import { commerce } from "./rows-of-commerce";
import { CONTACT_TEXTS, groupId, type Visitor, type World } from "./world";

/** Room for the keys of one world. */
export const KEYS = 1_000;

/** Most events of one part of a visit here: few, so that visits have several. */
const PART = 3;

/**
 * A world as rows of the product's tables, in the order in which they may be written. Keys in the world stay as they are.
 *
 * @param types keys of the types of events, by name
 */
export function tablesOf(world: World, types: ReadonlyMap<string, number>): Table[] {
  const { shop, base } = world;
  const typeOf = (name: string) => types.get(name) ?? 0;
  return [
    table("shops", ["key"], [shopRow(world)]),
    table("fields", ["id"], fieldRows(shop)),
    ...people(world),
    ...commerce(world),
    table(
      "pages",
      ["key"],
      world.pages.map((one) => ({ shop, key: base + one.key, url: one.url, title: one.title })),
    ),
    table(
      "visitors",
      ["key"],
      world.visitors.map((one) => visitorRow(world, one)),
    ),
    table(
      "events",
      ["shop", "type", "at", "visitor", "seq"],
      world.visitors.flatMap((visitor) =>
        visitor.events.map((one) => ({
          shop,
          type: typeOf(one.type),
          at: one.at,
          visitor: base + visitor.key,
          seq: one.seq,
          page: one.page && base + one.page,
          data: one.data && JSON.stringify(one.data),
        })),
      ),
    ),
    table(
      "visits",
      ["visitor", "no", "part"],
      world.visitors.flatMap((visitor) => visitParts(visitor, base, typeOf)),
    ),
    ...groups(world),
  ];
}

function shopRow({ shop, currency, zone }: World): Row {
  return {
    key: shop,
    id: `shp_${shop}`,
    domain: `oracle-${shop}.example`,
    name: "Oracle",
    currency,
    timezone: zone,
    pixel_key: `pixel-${shop}`,
    installed_at: 0,
    created_at: 0,
    updated_at: 0,
  };
}

function fieldRows(shop: number): Row[] {
  return CUSTOM_FIELDS.map(({ options, ...field }) => ({
    ...field,
    shop,
    id: `fld_${shop}_${field.name}`,
    options: JSON.stringify(options),
    created_at: 0,
    updated_at: 0,
  }));
}

function people({ shop, base, contacts }: World): Table[] {
  return [
    table(
      "contacts",
      ["key"],
      contacts.map((one) => ({
        shop,
        key: base + one.key,
        id: `con_${base + one.key}`,
        verified: true,
        ...Object.fromEntries(CONTACT_TEXTS.map((name) => [name, one.texts[name] ?? null])),
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
    table(
      "contact_tags",
      ["tag", "contact"],
      contacts.flatMap((one) =>
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
    table(
      "consents",
      ["contact", "channel"],
      contacts.flatMap((one) =>
        one.consents.map(({ decidedAt, updatedAt, ...consent }) => ({
          ...consent,
          shop,
          contact: base + one.key,
          decided_at: decidedAt,
          updated_at: updatedAt,
        })),
      ),
    ),
    table(
      "lifecycle_history",
      ["key"],
      contacts.flatMap((one) =>
        one.history.map((entry) => ({ ...entry, key: base + entry.key, shop, contact: base + one.key })),
      ),
    ),
  ];
}

/** Two personas to a browser. */
export function personaOf({ key }: Visitor): { tracker: string; person: number } {
  return { tracker: `tracker-${Math.floor(key / 2)}`, person: 1 + (key % 2) };
}

function visitorRow({ shop, base }: World, one: Visitor): Row {
  return {
    shop,
    key: base + one.key,
    ...personaOf(one),
    contact: one.contact && base + one.contact,
    channel: one.channel,
    country: one.country,
    region: one.region,
    city: one.city,
    cell: one.cell,
    timezone: one.timezone,
    language: one.language,
    visits: one.visits,
    visit_seconds: one.visitSeconds,
    page_views: one.pageViews,
    first_seen_at: one.firstSeenAt,
    last_seen_at: one.lastSeenAt,
    first_touch: one.firstTouch && JSON.stringify(one.firstTouch),
    last_touch: one.lastTouch && JSON.stringify(one.lastTouch),
    device: one.device && JSON.stringify(one.device),
    flushed_seq: 1_000,
  };
}

function visitParts(visitor: Visitor, base: number, typeOf: (name: string) => number): Row[] {
  const parts: Row[] = [];
  for (let i = 0; i < visitor.events.length; i += PART) {
    const events = visitor.events.slice(i, i + PART);
    const times = events.map(({ at }) => at);
    const path = events.map(({ seq, at, type, page }) => [
      seq,
      at,
      typeOf(type),
      `e${visitor.key}-${seq}`,
      page && base + page,
    ]);
    parts.push({
      visitor: base + visitor.key,
      no: 1 + (i % 2),
      part: i,
      at: Math.min(...times),
      until: Math.max(...times),
      path: JSON.stringify(path),
    });
  }
  return parts;
}

function groups(world: World): Table[] {
  const { shop, base } = world;
  const own = (of: string) => world.groups.filter((group) => group.of === of && !group.isLive);
  const named = (group: World["groups"][number]) => ({
    shop,
    key: base + group.key,
    id: groupId(world, group),
    name: "Group",
    created_at: 0,
    updated_at: 0,
  });
  const members = (of: "segment" | "list", since: string) =>
    own(of).flatMap((group) =>
      group.members.map((one) => ({
        [of]: base + group.key,
        kind: one.kind,
        subject: base + one.key,
        [since]: one.at,
      })),
    );
  return [
    table(
      "segments",
      ["key"],
      // Nobody keeps these up to date: their members are facts like others.
      own("segment").map((group) => ({ ...named(group), audience: "both", definition: '{"all":[]}', state: "paused" })),
    ),
    table("segment_members", ["segment", "kind", "subject"], members("segment", "entered_at")),
    table("lists", ["key"], own("list").map(named)),
    table("list_members", ["list", "kind", "subject"], members("list", "added_at")),
  ];
}
