import type { Case } from "./check";
import { keyOf, subjectsOf } from "./evaluate";
import type { Json, World } from "./world";

/** Most smaller cases that are tried for one disagreement. */
const MOST_TRIES = 200;

/**
 * Takes away from a case whatever can go while it still disagrees, and describes what is left.
 *
 * @param disagrees what is wrong with a case; null when nothing is
 */
export async function shrink(
  first: Case,
  disagrees: (asked: Case) => Promise<string | null>,
  name: string,
): Promise<string> {
  let smallest = first;
  let problem = await disagrees(first);
  if (problem === null) return `${name}: only in its own shop: ${JSON.stringify(first.definition)}`;
  let tries = 0;
  for (let shrunk = true; shrunk && tries < MOST_TRIES;) {
    shrunk = false;
    for (const smaller of smallerCases(smallest)) {
      if (++tries > MOST_TRIES) break;
      const still = await disagrees(smaller);
      if (still === null) continue;
      smallest = smaller;
      problem = still;
      shrunk = true;
      break;
    }
  }
  const { world, definition, audience, clock } = smallest;
  const { shop: _shop, base: _base, ...facts } = world;
  return [
    name,
    `definition ${JSON.stringify(definition)} about ${audience} at ${clock.now} (${new Date(clock.now).toISOString()}) in ${clock.zone}`,
    problem,
    `subjects ${subjectsOf(world, audience)
      .map((subject) => `${subject.kind} ${keyOf(subject)}`)
      .join(", ")}`,
    `world ${JSON.stringify(facts)}`,
  ].join("\n");
}

function* smallerCases(asked: Case): Generator<Case> {
  for (const definition of smallerDefinitions(asked.definition)) yield { ...asked, definition };
  for (const world of smallerWorlds(asked.world)) yield { ...asked, world };
}

const isObject = (value: Json): value is { [name: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Parts of a tree for the whole, groups without a member, lists without an entry, leaves without a clause. */
function* smallerDefinitions(node: Json, isRoot = true): Generator<Json> {
  if (!isObject(node)) return;
  for (const [name, value] of Object.entries(node)) {
    if (/^(all|any|none)$/.test(name) && Array.isArray(value)) {
      for (const [i, child] of value.entries()) {
        const isGroup = isObject(child) && Object.keys(child).some((key) => /^(all|any|none)$/.test(key));
        if (isRoot && isGroup) yield child;
        if (value.length > 1) yield { [name]: value.toSpliced(i, 1) };
        for (const smaller of smallerDefinitions(child, false)) yield { [name]: value.with(i, smaller) };
      }
      if (name !== "all" && isRoot) yield { all: value };
    } else if (/^(window|where|count)$/.test(name)) {
      const { [name]: _gone, ...rest } = node;
      yield rest;
    } else if (Array.isArray(value) && value.length > 1 && name === "value") {
      for (const i of value.keys()) yield { ...node, [name]: value.toSpliced(i, 1) };
    }
  }
}

/** Rows go half a table at a time, then one by one, and then what rows hold. */
function* smallerWorlds(world: World): Generator<World> {
  for (const [name, rows] of Object.entries(world)) {
    if (!Array.isArray(rows)) continue;
    for (let size = rows.length; size >= 1; size = Math.floor(size / 2)) {
      for (let start = 0; start < rows.length; start += size) {
        yield { ...world, [name]: [...rows.slice(0, start), ...rows.slice(start + size)] };
      }
    }
    for (const [i, row] of rows.entries()) {
      if (typeof row !== "object" || row === null) continue;
      for (const [member, value] of Object.entries(row)) {
        if (!Array.isArray(value)) continue;
        for (const j of value.keys()) {
          yield { ...world, [name]: rows.with(i, { ...row, [member]: value.toSpliced(j, 1) }) };
        }
      }
    }
  }
}
