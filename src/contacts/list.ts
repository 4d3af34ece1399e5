import { z } from "zod";

import { decodeCursor, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { normaliseEmail, normalisePhone } from "../identity/normalise";
import type { IdentityKind } from "../identity";
import type { Contact, ContactFilter } from "./schemas";
import { CONTACT_COLUMNS, type ContactRow, showContact } from "./show";
import { foldTag } from "./source-tags";

type Value = string | number;

/** SQL of a selection of contacts: `c` is the contact, `?1` the shop, further parameters follow those of the caller. */
export interface Selection {
  from: string;
  conditions: string[];
  values: Value[];
}

/**
 * The contacts that a filter means. One part of it drives the query through an index in the order of the contacts'
 * keys (a value that identifies, then words, then a tag, then stage or status); the others only filter.
 *
 * @param first number of the first free parameter
 */
export function selectContacts(filter: ContactFilter, trash: boolean, first: number): Selection {
  const values: Value[] = [];
  const parameter = (value: Value) => `?${values.push(value) + first - 1}`;
  const conditions = ["c.shop = ?1", trash ? "c.deleted_at is not null" : "c.deleted_at is null"];

  const identify = (kind: IdentityKind, given: string | undefined, normal: (value: string) => string | null) => {
    if (given === undefined) return;
    const value = normal(given);
    conditions.push(
      value === null
        ? "false"
        : `c.key = (select contact from identities where shop = ?1 and kind = '${kind}' and value = ${parameter(value)})`,
    );
  };
  identify("email", filter.email, normaliseEmail);
  identify("phone", filter.phone, (phone) => normalisePhone(phone) ?? normalisePhone(`+${phone.trim()}`));
  identify("shopify_customer", filter.shopifyCustomerId, (id) => id.replace(/^gid:\/\/shopify\/Customer\//, ""));
  identify("external", filter.externalId, (id) => id);
  if (filter.ids) conditions.push(`c.id in (select value from json_each(${parameter(JSON.stringify(filter.ids))}))`);
  if (filter.stage !== undefined) conditions.push(`c.stage = ${parameter(filter.stage)}`);
  if (filter.status !== undefined) conditions.push(`c.status is not null and c.status = ${parameter(filter.status)}`);

  const words = filter.q === undefined ? undefined : matchExpression(filter.q);
  const tag = filter.tag === undefined ? undefined : foldTag(filter.tag);
  let from = "contacts c";
  if (words !== undefined) {
    from = "contacts_search s cross join contacts c on c.key = s.rowid";
    const expression = words === null ? null : parameter(words);
    conditions.push(
      expression === null
        ? "false"
        : `s.contacts_search match ('{shop} : "' || cast(?1 as integer) || '" AND ' || ${expression})`,
    );
  } else if (tag !== undefined) {
    from = "contact_tags t cross join contacts c on c.key = t.contact";
    conditions.push(`t.shop = ?1 and t.tag = ${parameter(tag)} and t.removed = 0`);
  }
  if (words !== undefined && tag !== undefined) {
    conditions.push(
      `exists (select 1 from contact_tags where shop = ?1 and tag = ${parameter(tag)} and contact = c.key and removed = 0)`,
    );
  }
  return { from, conditions, values };
}

/** The column that holds the contact's key in the table that drives the selection, so that pages start by index. */
export function keyColumn({ from }: Selection): string {
  return from.startsWith("contacts_search") ? "s.rowid" : from.startsWith("contact_tags") ? "t.contact" : "c.key";
}

/**
 * What to look for in the full-text index: every word as a beginning. Each word is quoted, so that nothing in it is
 * read as an operator. Null when there is no letter or digit to look for.
 */
function matchExpression(q: string): string | null {
  const digits = q.replaceAll(/[\s()./+-]/g, "");
  const words = /^\d{3,}$/.test(digits) ? [digits] : q.split(/\s+/u);
  const phrases = words
    .map((word) => word.replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, " ").trim())
    .filter((word) => word !== "")
    .slice(0, 8);
  if (phrases.length === 0) return null;
  const any = phrases.map((phrase) => `"${phrase}" *`).join(" AND ");
  return `{email phone first_name last_name company} : (${any})`;
}

const ByKey = z.tuple([z.int().min(0)]);
const ByDeletion = z.tuple([z.int().min(0), z.int().min(0)]);

/** A page of contacts, the newest first; those in the trash by when they were put there. */
export async function listContacts(
  ctx: Ctx,
  filter: ContactFilter,
  { limit, cursor, deleted }: { limit: number; cursor?: string | undefined; deleted: boolean },
): Promise<Page<Contact>> {
  const position: number[] =
    cursor === undefined
      ? []
      : deleted
        ? decodeCursor("contacts-trash", cursor, ByDeletion)
        : decodeCursor("contacts", cursor, ByKey);
  const selection = selectContacts(filter, deleted, 3 + position.length);
  const key = keyColumn(selection);
  const after =
    position.length === 0 ? [] : [deleted ? "(c.deleted_at, c.key) < (?3, ?4)" : `${key} < cast(?3 as integer)`];
  const { results } = await sql(
    ctx.db,
    `select ${CONTACT_COLUMNS} from ${selection.from} where ${[...selection.conditions, ...after].join(" and ")}
     order by ${deleted ? "c.deleted_at desc, c.key desc" : `${key} desc`} limit ?2`,
    ctx.shop.key,
    limit + 1,
    ...position,
    ...selection.values,
  ).all<ContactRow>();
  return pageOf(
    deleted ? "contacts-trash" : "contacts",
    results,
    limit,
    (row) => (deleted ? [row.deletedAt ?? 0, row.key] : [row.key]),
    (row) => showContact(row, ctx.shop),
  );
}
