import { listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

import { config } from "../../src/config";
import { fromBase64, open } from "../../src/lib/crypto";
import { unpackBody } from "../../src/shopify";

/** Everything that is stored, by place: `table` of D1, or `object:CLASS`; every text in every form it could be read in. */
export type Dump = Map<string, string[]>;

/** Reads every table that sqlite_master names, the full-text index's own among them, and every object's storage. */
export async function dumpEverything(): Promise<Dump> {
  const dump: Dump = new Map();
  const { results: tables } = await env.DB.prepare(
    `select name from sqlite_master where type = 'table' and name not like 'sqlite%' and name not like '\\_cf%' escape '\\'
       and name not like 'd1\\_%' escape '\\'`,
  ).all<{ name: string }>();
  for (const { name } of tables) {
    const { results } = await env.DB.prepare(`select * from "${name}"`).all();
    dump.set(name, await readable(results));
  }
  dump.set("object:VISITOR", await heldBy(env.VISITOR));
  dump.set("object:CLOCK", await heldBy(env.CLOCK));
  dump.set("object:CONNECTION", await heldBy(env.CONNECTION));
  dump.set("object:SYNC", await heldBy(env.SYNC));
  return dump;
}

/** The storage of every object of a class, tables and key-value pairs. */
async function heldBy<T extends Rpc.DurableObjectBranded>(namespace: DurableObjectNamespace<T>): Promise<string[]> {
  const texts: string[] = [];
  for (const id of await listDurableObjectIds(namespace)) {
    const held = await runInDurableObject(namespace.get(id), async (_, state) => {
      const rows = state.storage.sql
        .exec<{ name: string }>(
          "select name from sqlite_master where type = 'table' and name not like '\\_cf%' escape '\\'",
        )
        .toArray()
        .map(({ name }) => state.storage.sql.exec(`select * from "${name}"`).toArray());
      return [...rows, [...(await state.storage.list())]];
    });
    texts.push(...(await readable(held)));
  }
  return texts;
}

/** The values of rows as texts: packed bodies unpacked, sealed texts opened, escapes, percent signs and base64 undone. */
async function readable(rows: unknown): Promise<string[]> {
  const texts: string[] = [];
  for (const plain of stringsIn(rows)) {
    const unpacked = await unpackBody(plain);
    const opened = await openAll(unpacked);
    for (const text of [unpacked, ...opened]) {
      texts.push(text, unescaped(text), decoded(text), decoded(unescaped(text)), ...base64In(text));
    }
  }
  return [...new Set(texts.map((text) => text.toLowerCase()))];
}

function stringsIn(value: unknown): string[] {
  if (value instanceof ArrayBuffer) return [String.fromCharCode(...new Uint8Array(value))];
  if (Array.isArray(value)) {
    const isBytes = value.length > 0 && value.every((item) => typeof item === "number");
    return isBytes ? [String.fromCharCode(...value)] : value.flatMap(stringsIn);
  }
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(stringsIn);
  return typeof value === "string" ? [value] : typeof value === "number" ? [String(value)] : [];
}

async function openAll(text: string): Promise<string[]> {
  const opened: string[] = [];
  for (const [sealed] of text.matchAll(/[0-9a-f]{8}\.[\w-]{24,}/g)) {
    const plain = await open(config(env).sealingKeys, sealed).catch(() => null);
    if (plain !== null) opened.push(plain, ...(await openAll(plain)));
  }
  return opened;
}

function unescaped(text: string): string {
  return text.replaceAll(/\\u([0-9a-fA-F]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

function decoded(text: string): string {
  return text.replaceAll(/(?:%[0-9a-fA-F]{2})+/g, (piece) => {
    try {
      return decodeURIComponent(piece);
    } catch {
      return piece;
    }
  });
}

function base64In(text: string): string[] {
  if (text.length > 100_000) return [];
  return [...text.matchAll(/[\w+/-]{16,}={0,2}/g)].flatMap(([run]) => {
    const bytes = fromBase64(run);
    return bytes ? [new TextDecoder().decode(bytes)] : [];
  });
}

/** The places in which a text is found. */
export function placesOf(dump: Dump, secret: string): string[] {
  const wanted = secret.toLowerCase();
  return [...dump].filter(([, texts]) => texts.some((text) => text.includes(wanted))).map(([place]) => place);
}

/** Of several texts, each with the places in which it is found; those found nowhere are left out. */
export function traces(dump: Dump, secrets: Record<string, string>): Record<string, string[]> {
  const found = Object.entries(secrets).map(([name, secret]) => [name, placesOf(dump, secret)] as const);
  return Object.fromEntries(found.filter(([, places]) => places.length > 0));
}
