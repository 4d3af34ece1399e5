import { GraphQLError } from "graphql";
import { matches, narrowed, parseSearch, type SearchFields } from "./search.ts";
import type { Stamped, Table } from "./table.ts";

/** A node as the resolvers see it: fields of the schema by name, each a value or a function of its arguments. */
export type Source = { [field: string]: unknown };

export type Args = { [name: string]: unknown };

type Entry = { node: Source; cursor: string };
export type Page = { entries: Entry[]; hasNextPage: boolean; hasPreviousPage: boolean };

/** What stands behind a connection: a page of it for a query, all of it for a bulk operation. */
export type Listing = { page(args: Args): Page; all(): Iterable<Source> };

export const isSource = (value: unknown): value is Source => typeof value === "object" && value !== null;

export const isListing = (value: unknown): value is Listing =>
  isSource(value) && typeof value["page"] === "function" && typeof value["all"] === "function";

/** Shopify's largest page, and the longest list of ids. */
export const LARGEST_PAGE = 250;

/** How many, and from which end. Refuses what Shopify refuses. */
function sizeOf(args: Args): { size: number; backward: boolean } {
  const { first, last } = args;
  const backward = typeof first !== "number";
  const size = backward ? last : first;
  if (typeof size !== "number")
    throw new GraphQLError("you must provide one of first or last", { extensions: { code: "BAD_REQUEST" } });
  if (size < 0 || size > LARGEST_PAGE)
    throw new GraphQLError(`${backward ? "last" : "first"} must be between 0 and ${LARGEST_PAGE}`, {
      extensions: { code: "BAD_REQUEST" },
    });
  return { size, backward };
}

const cursorOf = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");

function readCursor(text: unknown): unknown {
  if (typeof text !== "string") return undefined;
  try {
    return JSON.parse(Buffer.from(text, "base64").toString("utf8"));
  } catch {
    throw new GraphQLError("Invalid cursor for current pagination sort.", { extensions: { code: "BAD_REQUEST" } });
  }
}

/** A connection over nodes that are few and already there. */
export function listOf(nodes: readonly Source[]): Listing {
  return {
    all: () => nodes,
    page: (args) => {
      const { size, backward } = sizeOf(args);
      const ordered = args["reverse"] === true ? nodes.toReversed() : nodes;
      const after = readCursor(args["after"]);
      const before = readCursor(args["before"]);
      const from = typeof after === "number" ? after + 1 : 0;
      const to = typeof before === "number" ? before : ordered.length;
      const start = backward ? Math.max(from, to - size) : from;
      const end = backward ? to : Math.min(to, from + size);
      return {
        entries: ordered.slice(start, end).map((node, index) => ({ node, cursor: cursorOf(start + index) })),
        hasNextPage: end < ordered.length,
        hasPreviousPage: start > 0,
      };
    },
  };
}

const SORTS: Record<string, "id" | "created" | "updated"> = {
  ID: "id",
  CREATED_AT: "created",
  PROCESSED_AT: "created",
  UPDATED_AT: "updated",
  ORDER_NUMBER: "id",
};

type Stamp = { id: number; created_at: number; updated_at: number };
const QUICK = ["id", "created_at", "updated_at"];
const quickFields: SearchFields<Stamp> = {
  id: (stamp) => stamp.id,
  created_at: (stamp) => ({ time: stamp.created_at }),
  updated_at: (stamp) => ({ time: stamp.updated_at }),
};

/** A connection over a table, searched, sorted and paged by the arguments of the field. */
export function listTable<T extends Stamped>(
  table: Table<T>,
  args: Args,
  fields: SearchFields<T>,
  toNode: (record: T) => Source,
  visible: (record: { createdAt: number }) => boolean = () => true,
): Listing {
  const by = SORTS[typeof args["sortKey"] === "string" ? args["sortKey"] : "ID"];
  if (by === undefined) throw new GraphQLError(`The stand-in cannot sort by ${String(args["sortKey"])}`);
  const reverse = args["reverse"] === true;
  const query = typeof args["query"] === "string" ? args["query"] : "";
  const search = parseSearch(query);
  const quick = narrowed(search, QUICK);

  const passes = (position: number): T | undefined => {
    const { ids, created, updated } = table.stamps();
    const stamp = { id: ids[position] ?? 0, created_at: created[position] ?? 0, updated_at: updated[position] ?? 0 };
    if (!visible({ createdAt: stamp.created_at }) || !matches(quick, stamp, quickFields)) return undefined;
    const found = table.get(stamp.id);
    return found !== undefined && matches(search, found, fields) ? found : undefined;
  };
  const keyAt = (position: number): { id: number; value: number } => {
    const { ids, created, updated } = table.stamps();
    const id = ids[position] ?? 0;
    const value = by === "id" ? id : ((by === "created" ? created : updated)[position] ?? 0);
    return { id, value };
  };
  const places = (): Uint32Array => (reverse ? table.order(by).toReversed() : table.order(by));
  /** The first place past a cursor, for a record that may be gone by now. */
  const placeOf = (order: Uint32Array, cursor: unknown, past: boolean): number => {
    if (typeof cursor !== "object" || cursor === null || !("last_id" in cursor) || !("last_value" in cursor))
      throw new GraphQLError("Invalid cursor for current pagination sort.", { extensions: { code: "BAD_REQUEST" } });
    const [id, value] = [Number(cursor.last_id), Number(cursor.last_value)];
    const sign = reverse ? -1 : 1;
    let [low, high] = [0, order.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = keyAt(order[middle] ?? 0);
      const difference = sign * (at.value - value || at.id - id);
      if (past ? difference <= 0 : difference < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    *all() {
      for (const place of places()) {
        const found = passes(place);
        if (found !== undefined) yield toNode(found);
      }
    },
    page: (pageArgs) => {
      const { size, backward } = sizeOf(pageArgs);
      const order = places();
      const after = readCursor(pageArgs["after"]);
      const before = readCursor(pageArgs["before"]);
      const from = after === undefined ? 0 : placeOf(order, after, true);
      const to = before === undefined ? order.length : placeOf(order, before, false);
      const entries: Entry[] = [];
      let more = false;
      const step = backward ? -1 : 1;
      for (let at = backward ? to - 1 : from; at >= from && at < to; at += step) {
        const position = order[at] ?? 0;
        const found = passes(position);
        if (found === undefined) continue;
        if (entries.length === size) {
          more = true;
          break;
        }
        const { id, value } = keyAt(position);
        entries.push({ node: toNode(found), cursor: cursorOf({ last_id: id, last_value: value }) });
      }
      if (backward) entries.reverse();
      return {
        entries,
        hasNextPage: backward ? before !== undefined : more,
        hasPreviousPage: backward ? more : after !== undefined,
      };
    },
  };
}
