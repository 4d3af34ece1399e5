import { z } from "zod";

import { config } from "../config";
import { CONTACT_COLUMNS, type ContactRow } from "../contacts/rest";
import { isConflict, sql } from "../db/client";
import { mustHold } from "../db/guard";
import { open } from "../lib/crypto";
import { iso } from "../lib/time";
import { addressHash } from "../suppressions";
import { csvLine, valueCell } from "./cells";
import { OWN, TOLD } from "./columns";
import { DOWNLOAD_LIFE_MS } from "./limits";
import { storePiece } from "./pieces";

/** Rows of one piece of the file, and pieces of one run. */
const CHUNK = 400;
const PIECES_A_RUN = 10;

interface Job {
  id: string;
  shop: number;
}

interface State {
  key: number;
  id: string;
  format: "csv" | "jsonl";
  segment: number | null;
  list: number | null;
  phase: "contacts" | "suppressions";
  after: number;
  fields: string;
  pieces: number;
}

/** A person as they are written, by column; values that are no text are for JSON. */
type Written = Record<string, unknown>;

/** A run of an export from where it stands; each piece and the new place commit together. */
export async function continueExport(env: Env, job: Job, now: number): Promise<"more" | "done"> {
  for (let piece = 0; piece < PIECES_A_RUN; piece++) {
    const state = await sql(
      env.DB,
      `select key, id, format, segment, list, phase, "after", fields, pieces from exports
       where job = ? and shop = ? and state = 'running'`,
      job.id,
      job.shop,
    ).first<State>();
    if (!state) return "done";
    try {
      if (await writePiece(env, job, state, now)) return "done";
    } catch (error) {
      // Another run is at it, or an erasure has begun it anew.
      if (!isConflict(error)) throw error;
    }
  }
  return "more";
}

/** Writes the next piece; true when it was the last. */
async function writePiece(env: Env, job: Job, state: State, now: number): Promise<boolean> {
  const { rows, last, isFull } =
    state.phase === "contacts" ? await contacts(env, job.shop, state) : await suppressedOnly(env, job.shop, state);
  const everybody = state.segment === null && state.list === null;
  const next = isFull ? state.phase : state.phase === "contacts" && everybody ? "suppressions" : null;
  const custom = Names.parse(JSON.parse(state.fields));
  const columns = [...OWN, ...TOLD, ...custom.map((name) => `fields.${name}`), "fields"];
  const header = state.format === "csv" && state.pieces === 0 ? `\uFEFF${csvLine(columns)}` : "";
  const lines = rows.map((row) => (state.format === "csv" ? csvRow(row, columns, custom) : `${JSON.stringify(row)}\n`));
  const bytes = new TextEncoder().encode(header + lines.join(""));
  await env.DB.batch([
    mustHold(
      env.DB,
      "exists (select 1 from exports where key = ? and pieces = ? and state = 'running')",
      state.key,
      state.pieces,
    ),
    await storePiece(env.DB, job.shop, state.id, { part: 1, piece: state.pieces, last: next === null }, bytes),
    sql(
      env.DB,
      `update exports set phase = ?2, "after" = ?3, rows = rows + ?4, bytes = bytes + ?5, pieces = pieces + 1,
         updated_at = ?6, state = ?7, expires_at = ?8 where key = ?1`,
      state.key,
      next ?? state.phase,
      next === state.phase ? last : 0,
      rows.length,
      bytes.length,
      now,
      next === null ? "done" : "running",
      next === null ? now + DOWNLOAD_LIFE_MS : null,
    ),
    sql(
      env.DB,
      "update jobs set state = ?2, progress = progress + ?3, updated_at = ?4 where id = ?1",
      job.id,
      next === null ? "done" : "running",
      rows.length,
      now,
    ),
  ]);
  return next === null;
}

interface Page {
  rows: Written[];
  last: number;
  isFull: boolean;
}

const Names = z.array(z.string());
const Fields = z.record(z.string(), z.unknown());

interface StoredConsent {
  contact: number;
  channel: string;
  state: string;
  level: string | null;
  source: string | null;
  basis: string;
  decidedAt: number | null;
}

async function contacts(env: Env, shop: number, { segment, list, after }: State): Promise<Page> {
  const { DB } = env;
  const [from, ofSet] =
    segment !== null
      ? ["segment_members m cross join contacts c on c.key = m.subject", "m.segment = ?4 and m.kind = 'contact'"]
      : list !== null
        ? ["list_members m cross join contacts c on c.key = m.subject", "m.list = ?4 and m.kind = 'contact'"]
        : ["contacts c", "?4 is null"];
  const key = segment === null && list === null ? "c.key" : "m.subject";
  const { results } = await sql(
    DB,
    `select ${CONTACT_COLUMNS} from ${from} where c.shop = ?1 and c.deleted_at is null and ${ofSet}
       and ${key} > cast(?2 as integer) order by ${key} limit ?3`,
    shop,
    after,
    CHUNK,
    segment ?? list,
  ).all<ContactRow>();
  const hashes = await Promise.all(results.map((row) => hashesOf(env, shop, row)));
  const [consents, suppressions] = await DB.batch<Record<string, unknown>>([
    sql(
      DB,
      `select contact, channel, state, level, source, basis, decided_at as decidedAt from consents
       where contact in (select value from json_each(?))`,
      JSON.stringify(results.map((row) => row.key)),
    ),
    sql(
      DB,
      `select j.key as n, s.channel, s.reason, s.class, s.at from json_each(?2) j cross join suppressions s
       on s.shop = ?1 and s.channel = j.value ->> 0 and s.hash = j.value ->> 1 order by s.channel, s.reason`,
      shop,
      JSON.stringify(hashes.flat()),
    ),
  ]);
  const Consent = z.object({
    contact: z.int(),
    channel: z.string(),
    state: z.string(),
    level: z.string().nullable(),
    source: z.string().nullable(),
    basis: z.string(),
    decidedAt: z.int().nullable(),
  });
  const byContact = Map.groupBy(z.array(Consent).parse(consents?.results ?? []), (row) => row.contact);
  const Suppressed = z.object({ n: z.int(), channel: z.string(), reason: z.string(), class: z.string(), at: z.int() });
  const owners = hashes.flatMap((own, n) => own.map(() => n));
  const byOwner = Map.groupBy(z.array(Suppressed).parse(suppressions?.results ?? []), ({ n }) => owners[n] ?? -1);
  return {
    rows: results.map((row, n) => person(row, byContact.get(row.key) ?? [], byOwner.get(n) ?? [])),
    last: results.at(-1)?.key ?? after,
    isFull: results.length === CHUNK,
  };
}

async function hashesOf(env: Env, shop: number, { email, phone }: ContactRow): Promise<[string, string][]> {
  const hashes: [string, string][] = [];
  if (email !== null) hashes.push(["email", await addressHash(env, shop, email)]);
  if (phone !== null) {
    const hash = await addressHash(env, shop, phone);
    hashes.push(["sms", hash], ["whatsapp", hash]);
  }
  return hashes;
}

interface Suppressed {
  channel: string;
  reason: string;
  class: string;
  at: number;
}

const shownSuppression = ({ channel, reason, class: stops, at }: Suppressed) => ({
  channel,
  reason,
  class: stops,
  at: iso(at),
});

function person(row: ContactRow, consents: readonly StoredConsent[], suppressions: readonly Suppressed[]): Written {
  const { line1, line2, city, province, country, zip } = row;
  return {
    record: "contact",
    id: row.id,
    externalId: row.externalId,
    email: row.email,
    phone: row.phone,
    firstName: row.firstName,
    lastName: row.lastName,
    company: row.company,
    address: { line1, line2, city, province, country, zip },
    shopifyCustomerId: row.shopifyCustomerId,
    source: row.source,
    tags: Names.parse(JSON.parse(row.tags)).toSorted(),
    lifecycle: { stage: row.stage, status: row.status },
    consents: Object.fromEntries(
      consents.map(({ channel, state, level, source, basis, decidedAt }) => [
        channel,
        { state, level, source, basis, updatedAt: iso(decidedAt) },
      ]),
    ),
    suppressions: suppressions.map(shownSuppression),
    fields: Fields.parse(JSON.parse(row.fields)),
    score: row.score,
    ordersCount: row.ordersCount,
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
    shopifyCreatedAt: iso(row.shopifyCreatedAt),
    shopifyUpdatedAt: iso(row.shopifyUpdatedAt),
  };
}

/** Suppressed addresses that are no contact's own. Those of erased people cannot be read by anybody. */
async function suppressedOnly(env: Env, shop: number, { after }: State): Promise<Page> {
  const { results } = await sql(
    env.DB,
    `select key, channel, address, reason, class, at from suppressions
     where shop = ? and key > ? order by key limit ?`,
    shop,
    after,
    CHUNK,
  ).all<Suppressed & { key: number; address: string | null }>();
  const opened = await Promise.all(
    results.map(async (row) => ({
      ...row,
      // Sealed with a key that is gone: nobody can read it any more.
      address: row.address === null ? null : await open(config(env).sealingKeys, row.address).catch(() => null),
    })),
  );
  const { results: held } = await sql(
    env.DB,
    `select j.value as address from json_each(?2) j cross join identities i
       on i.shop = ?1 and i.kind = iif(instr(j.value, '@') > 0, 'email', 'phone') and i.value = j.value
     join contacts c on c.key = i.contact and c.deleted_at is null and j.value in (c.email, c.phone)`,
    shop,
    JSON.stringify(opened.map(({ address }) => address).filter((address) => address !== null)),
  ).all<{ address: string }>();
  const known = new Set(held.map(({ address }) => address));
  return {
    rows: opened.flatMap((row): Written[] => {
      if (row.address === null || known.has(row.address)) return [];
      const where = row.channel === "email" ? { email: row.address } : { phone: row.address };
      return [{ record: "suppression", ...where, suppressions: [shownSuppression(row)] }];
    }),
    last: results.at(-1)?.key ?? after,
    isFull: results.length === CHUNK,
  };
}

function csvRow(row: Written, columns: readonly string[], custom: readonly string[]): string {
  const fields = Fields.parse(row["fields"] ?? {});
  const others = Object.fromEntries(Object.entries(fields).filter(([name]) => !custom.includes(name)));
  return csvLine(
    columns.map((column) => {
      if (column === "fields") return Object.keys(others).length === 0 ? "" : JSON.stringify(others);
      if (column.startsWith("fields.")) {
        const value = fields[column.slice("fields.".length)];
        return value === undefined ? "" : valueCell(value);
      }
      const value = column.split(".").reduce<unknown>((inner, key) => Fields.safeParse(inner).data?.[key], row);
      if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return "";
      return typeof value === "string" ? value : JSON.stringify(value);
    }),
  );
}
