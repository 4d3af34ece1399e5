import type { Line } from "./lines";
import type { Node } from "./nodes";

/** A top-level object with its children, and the byte after the last of them. */
export interface Group {
  /** Null for a line that is no object with an id; `problem` says why. */
  node: Node | null;
  problem: string | null;
  end: number;
}

/**
 * Puts objects together with their children, which stand below them and name them (`__parentId`). A group is complete
 * when the next top-level object begins or the file ends, so its `end` is a place to go on from.
 */
export async function* groupLines(lines: AsyncIterable<Line>): AsyncGenerator<Group> {
  let open: Group | null = null;
  /** Children of children: an id that stands for its ancestor. */
  let family = new Set<string>();
  for await (const { text, end } of lines) {
    if (text.trim() === "") {
      if (open) open.end = end;
      continue;
    }
    const fields = parseJson(text);
    const id = fields?.["id"];
    const parent = fields?.["__parentId"];
    if (open && fields && typeof parent === "string" && family.has(parent)) {
      open.node?.children.push(fields);
      if (typeof id === "string") family.add(id);
      open.end = end;
      continue;
    }
    if (open) yield open;
    if (!fields || typeof id !== "string") open = { node: null, problem: "a line is no object with an id", end };
    else if (typeof parent === "string") open = { node: null, problem: `${id} stands below no parent`, end };
    else open = { node: { id, fields, children: [] }, problem: null, end };
    family = new Set(typeof id === "string" ? [id] : []);
  }
  if (open) yield open;
}

/** The object in a line of JSON; null for anything else. */
function parseJson(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
