import { all } from "../deliver";

/** Columns that are names or moments of our own, which differ from one shop to the other. */
const OWN = new Set([
  "key",
  "id",
  "shop",
  "created_at",
  "updated_at",
  "revision",
  "order",
  "contact",
  "shopify_values",
]);

type Row = Record<string, string | number | null>;

function shown(row: Row): string {
  const entries = Object.entries(row).filter(([name]) => !OWN.has(name));
  return JSON.stringify(Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b))));
}

/** A contact by what tells it apart, whatever its key. */
const WHO = `coalesce((select group_concat(n) from (select i.kind || ':' || i.value as n from identities i
  where i.contact = c.key order by 1)), '') as who`;

/** Everything that is stored about a shop's people, orders and products, without keys and ids of our own. */
export async function rowsOf(shop: number): Promise<Record<string, string[]>> {
  const tables: Record<string, string> = {
    contacts: `select c.*, ${WHO} from contacts c where c.shop = ?`,
    registers: `select ${WHO}, c.shopify_values as registers from contacts c where c.shop = ?`,
    identities: `select i.kind, i.value, i.evidence, ${WHO} from identities i join contacts c on c.key = i.contact where i.shop = ?`,
    consents: `select s.channel, s.state, s.level, s.basis, s.source, s.decided_at, ${WHO}
      from consents s join contacts c on c.key = s.contact where s.shop = ?`,
    tags: `select t.tag, t.label, t.origin, t.at, t.removed, ${WHO} from contact_tags t join contacts c on c.key = t.contact where t.shop = ?`,
    history: `select h.stage, h.status, ${WHO} from lifecycle_history h join contacts c on c.key = h.contact where h.shop = ?`,
    orders: `select o.*, ${WHO} from orders o left join contacts c on c.key = o.contact where o.shop = ?`,
    items: `select i.*, o.external_id as of from order_items i join orders o on o.key = i."order" where o.shop = ?`,
    refunds: "select * from refunds where shop = ?",
    carts: `select t.*, ${WHO} from carts t left join contacts c on c.key = t.contact where t.shop = ?`,
    products: "select * from products where shop = ?",
  };
  const rows: Record<string, string[]> = {};
  for (const [name, text] of Object.entries(tables)) {
    rows[name] = (await all<Row>(text, shop)).map(shown).sort();
  }
  return rows;
}

/** Types of the domain events that wait to be told. */
export async function eventsOf(shop: number): Promise<string[]> {
  return (await all<{ type: string }>("select type from outbox where shop = ? order by type", shop)).map(
    (row) => row.type,
  );
}
