import { z } from "zod";

import { sql } from "../db/client";
import { type Names, NOBODY, phoneDigits } from "../shopify";

/**
 * What an erasure is about. It names the person, so it is sealed where it is kept, and goes with the erasure's end.
 */
export const ErasureSubject = z.object({
  /** Keys of the contacts that go. */
  contacts: z.array(z.int()),
  /** Keys of the orders that lose their person, those of the contacts included. */
  orders: z.array(z.int()),
  /** Tokens of carts that go beside those of the contacts. */
  tokens: z.array(z.string()),
  names: z.object({
    emails: z.array(z.string()),
    phones: z.array(z.string()),
    customers: z.array(z.string()),
    orders: z.array(z.string()),
    keys: z.array(z.string()),
  }),
  /** First and last names: too common to search for everywhere, but telling in what this person alone saw. */
  words: z.array(z.string()),
});

export type ErasureSubject = z.infer<typeof ErasureSubject>;

const SHORTEST_KEY = 5;
const SHORTEST_WORD = 3;

/**
 * Everything by which contacts and orders are known, read before any of it is deleted.
 *
 * @param told what the request itself says about the person; phone numbers as they are written
 */
export async function readSubject(
  db: D1Database,
  shop: number,
  { contacts, orders }: { contacts: number[]; orders: number[] },
  told: Names = NOBODY,
): Promise<ErasureSubject> {
  const ours = JSON.stringify(contacts);
  const [identities, people, found, visitors] = await db.batch<Record<string, string | number | null>>([
    sql(
      db,
      `select kind, value from identities where +shop = ?1 and contact in (select value from json_each(?2))`,
      shop,
      ours,
    ),
    sql(
      db,
      `select id, email, phone, first_name as firstName, last_name as lastName from contacts
         where shop = ?1 and key in (select value from json_each(?2))
       union all select id, null, null, null, null from contact_aliases
         where +shop = ?1 and contact in (select value from json_each(?2))`,
      shop,
      ours,
    ),
    sql(
      db,
      `select key, id, origin, external_id as externalId, cart_token as cartToken, checkout_token as checkoutToken
       from orders where +shop = ?1 and (contact in (select value from json_each(?2)) or key in (select value from json_each(?3)))`,
      shop,
      ours,
      JSON.stringify(orders),
    ),
    // A browser that somebody else uses as well is not the person's alone.
    sql(
      db,
      `select distinct tracker from visitors v where +shop = ?1 and contact in (select value from json_each(?2))
         and not exists (select 1 from visitors o where o.shop = ?1 and o.tracker = v.tracker
           and (o.contact is null or o.contact not in (select value from json_each(?2))))`,
      shop,
      ours,
    ),
  ]);
  const tokens = texts((found?.results ?? []).flatMap((row) => [row["cartToken"], row["checkoutToken"]]));
  const { results: carts } = await sql(
    db,
    `select id, token, checkout_token as checkoutToken from carts where +shop = ?1 and contact in (select value from json_each(?2))
     union select id, token, checkout_token from carts
       where shop = ?1 and contact is null and token in (select value from json_each(?3))
     union select id, token, checkout_token from carts
       where shop = ?1 and contact is null and checkout_token in (select value from json_each(?3))`,
    shop,
    ours,
    JSON.stringify(tokens),
  ).all<{ id: string; token: string; checkoutToken: string | null }>();

  const held = (kind: string) =>
    texts((identities?.results ?? []).filter((row) => row["kind"] === kind).map((row) => row["value"]));
  const shown = people?.results ?? [];
  const phones = texts([...held("phone"), ...shown.map((row) => row["phone"])]);
  const shopifyOrders = (found?.results ?? []).filter((row) => row["origin"] === "shopify");
  const cartTokens = carts.flatMap((cart) => [cart.token.replace(/^checkout:/, ""), cart.checkoutToken]);
  const names: Names = {
    emails: unique([...told.emails, ...held("email"), ...texts(shown.map((row) => row["email"]))].map(lower)),
    phones: await ownNumbers(db, shop, ours, unique([...told.phones, ...phones])),
    customers: unique([...told.customers, ...held("shopify_customer")]),
    orders: unique([...told.orders, ...texts(shopifyOrders.map((row) => row["externalId"]))]),
    keys: unique(
      [
        ...told.keys,
        ...held("external"),
        ...tokens,
        ...texts(cartTokens),
        ...texts(shown.map((row) => row["id"])),
        ...texts((found?.results ?? []).map((row) => row["id"])),
        ...carts.map(({ id }) => id),
        ...texts((visitors?.results ?? []).map((row) => row["tracker"])),
      ].map(lower),
    ).filter((key) => key.length >= SHORTEST_KEY),
  };
  return {
    contacts,
    orders: (found?.results ?? []).flatMap(({ key }) => (typeof key === "number" ? [key] : [])),
    tokens: unique([...tokens, ...carts.map(({ token }) => token)]),
    names,
    words: unique(
      texts(shown.flatMap((row) => [row["firstName"], row["lastName"]])).map((word) => lower(word.trim())),
    ).filter((word) => word.length >= SHORTEST_WORD),
  };
}

/** Numbers that nobody else shows: families share phones, and a text that names only theirs is not this person's. */
async function ownNumbers(db: D1Database, shop: number, contacts: string, phones: string[]): Promise<string[]> {
  const own: string[] = [];
  for (const phone of phones) {
    const digits = phoneDigits(phone);
    if (digits === null) continue;
    const shared = await sql(
      db,
      `select 1 from contacts_search s join contacts c on c.key = s.rowid
       where contacts_search match ?3 and c.shop = ?1 and c.phone = ?4
         and c.key not in (select value from json_each(?2)) limit 1`,
      shop,
      contacts,
      `phone : "${digits}"`,
      phone,
    ).first();
    if (!shared) own.push(digits);
  }
  return unique(own);
}

function texts(values: (string | number | null | undefined)[]): string[] {
  return values.filter((value) => typeof value === "string");
}

function unique(values: string[]): string[] {
  return [...new Set(values)];
}

function lower(text: string): string {
  return text.normalize("NFC").toLowerCase();
}
