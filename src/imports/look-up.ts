import { sql } from "../db/client";
import { lastKey } from "../db/guard";
import { addressHash } from "../suppressions";
import type { ToldRow } from "./row";
import type { Holders, IdentityKind, Known } from "./standing";

/** What tells people apart, the surest first. */
export const KINDS: readonly IdentityKind[] = ["external", "shopify_customer", "email", "phone"];

/** What the shop knows of the people of some rows. */
export interface KnownPeople {
  /** Who holds what the row of this number names. */
  holders: (n: number) => Holders;
  /** Channels on which an address of the row is suppressed. */
  suppressed: (n: number) => ReadonlySet<string>;
  /** When the row's person was erased last, epoch ms; -1 for never. */
  erasedAt: (n: number) => number;
  lastKey: number | null;
}

/** What a row names its person by. */
export function identitiesOfRow({ contact, email, phone }: ToldRow): { kind: IdentityKind; value: string }[] {
  const named: [IdentityKind, string | null | undefined][] = [
    ["external", contact?.externalId],
    ["shopify_customer", contact?.shopifyCustomerId],
    ["email", email],
    ["phone", phone],
  ];
  return named.flatMap(([kind, value]) => (value ? [{ kind, value }] : []));
}

const COLUMNS = `c.key, c.id, c.email, c.phone, c.first_name as firstName, c.last_name as lastName, c.company, c.line1,
  c.line2, c.city, c.province, c.country, c.zip, c.external_id as externalId, c.shopify_customer_id as customerId,
  c.fields, c.revision, c.verified, c.deleted_at as deletedAt`;

/** A row of any of the questions of `lookUp`. */
type Looked = Omit<Known, "consents"> &
  Known["consents"][number] & {
    n: number;
    kind: IdentityKind;
    contact: number;
    reason: string;
    at: number;
    seq: number;
  };

/** Reads everything that decides about rows in one round trip. */
export async function lookUp(env: Env, shop: number, rows: readonly ToldRow[]): Promise<KnownPeople> {
  const db = env.DB;
  const asked = JSON.stringify(rows.flatMap((row, n) => identitiesOfRow(row).map((identity) => ({ n, ...identity }))));
  const addresses = await Promise.all(
    rows.map(async ({ email, phone }, n) => {
      const mail = email === null ? null : await addressHash(env, shop, email);
      const number = phone === null ? null : await addressHash(env, shop, phone);
      return [
        ...(mail !== null ? [{ n, channel: "email", hash: mail }] : []),
        ...(number !== null ? ["sms", "whatsapp"].map((channel) => ({ n, channel, hash: number })) : []),
      ];
    }),
  );
  const join = `json_each(?2) j cross join identities i
    on i.shop = ?1 and i.kind = j.value ->> 'kind' and i.value = j.value ->> 'value'`;
  const [held, people, consents, suppressed, last] = await db.batch<Looked>([
    sql(db, `select j.value ->> 'n' as n, i.kind, i.contact from ${join}`, shop, asked),
    sql(
      db,
      `select ${COLUMNS} from contacts c where +c.shop = ?1 and c.key in (select i.contact from ${join})`,
      shop,
      asked,
    ),
    sql(
      db,
      `select contact, channel, state, basis, decided_at as decidedAt from consents
       where contact in (select i.contact from ${join})`,
      shop,
      asked,
    ),
    sql(
      db,
      `select j.value ->> 'n' as n, s.channel, s.reason, s.at from json_each(?2) j cross join suppressions s
       on s.shop = ?1 and s.channel = j.value ->> 'channel' and s.hash = j.value ->> 'hash'`,
      shop,
      JSON.stringify(addresses.flat()),
    ),
    lastKey(db, "contacts"),
  ]);
  const known = new Map<number, Known>();
  for (const row of people?.results ?? []) known.set(row.key, { ...row, consents: [] });
  for (const row of consents?.results ?? []) {
    known.get(row.contact)?.consents.push(row);
  }
  const holders = rows.map(() => new Map<IdentityKind, Known>());
  for (const { n, kind, contact } of held?.results ?? []) {
    const holder = known.get(contact);
    if (holder) holders[n]?.set(kind, holder);
  }
  const channels = rows.map(() => new Set<string>());
  const erased = rows.map(() => -1);
  for (const { n, channel, reason, at } of suppressed?.results ?? []) {
    channels[n]?.add(channel);
    if (reason === "ERASED") erased[n] = Math.max(erased[n] ?? -1, at);
  }
  return {
    holders: (n) => holders[n] ?? new Map(),
    suppressed: (n) => channels[n] ?? new Set(),
    erasedAt: (n) => erased[n] ?? -1,
    lastKey: last?.results[0]?.seq ?? null,
  };
}
