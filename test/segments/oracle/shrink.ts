import type { Change, Step } from "./changes";
import { keyOf, subjectsOf } from "./evaluate";
import type { Kept } from "./membership";
import type { Case } from "./queries";
import type { Json, World } from "./world";

/** Most smaller cases that are tried for one disagreement. */
const MOST_TRIES = 600;

/** Segments that are kept up to date while things happen. */
export interface Story {
  world: World;
  kept: Kept[];
  start: number;
  steps: Step[];
}

type Disagrees<T> = (one: T) => Promise<string | null>;

/** Takes away whatever can go while it still disagrees; null where it does not, when it is tried again. */
async function smallest<T>(
  first: T,
  smaller: (one: T) => Generator<T>,
  disagrees: Disagrees<T>,
): Promise<{ one: T; problem: string } | null> {
  const problem = await disagrees(first);
  if (problem === null) return null;
  let found = { one: first, problem };
  let tries = 0;
  for (let shrunk = true; shrunk && tries < MOST_TRIES;) {
    shrunk = false;
    for (const one of smaller(found.one)) {
      if (++tries > MOST_TRIES) break;
      const still = await disagrees(one);
      if (still === null) continue;
      found = { one, problem: still };
      shrunk = true;
      break;
    }
  }
  return found;
}

/** The smallest case of a disagreement of queries, described. */
export async function shrinkCase(first: Case, disagrees: Disagrees<Case>, name: string): Promise<string> {
  const found = await smallest(first, smallerCases, disagrees);
  if (!found) return `${name}: only in its own shop: ${JSON.stringify(first.definition)}`;
  const { world, definition, audience, clock } = found.one;
  return [
    name,
    `definition ${JSON.stringify(definition)} about ${audience} at ${clock.now} (${new Date(clock.now).toISOString()}) in ${clock.zone}`,
    found.problem,
    `subjects ${subjectsOf(world, audience)
      .map((subject) => `${subject.kind} ${keyOf(subject)}`)
      .join(", ")}`,
    `world ${brief(world)}`,
  ].join("\n");
}

/** The smallest story in which stored members are wrong, told. */
export async function shrinkStory(first: Story, disagrees: Disagrees<Story>, name: string): Promise<string> {
  const found = await smallest(first, smallerStories, disagrees);
  if (!found) return `${name}: only in its own shop: ${JSON.stringify(first.kept)}`;
  const { world, kept, start, steps } = found.one;
  return [
    name,
    ...kept.map(
      ({ key, definition, audience, isFilled }) =>
        `segment ${key} ${JSON.stringify(definition)} about ${audience}${isFilled ? ", filled by a job" : ""}`,
    ),
    `from ${start} (${new Date(start).toISOString()}) in ${world.zone}`,
    ...steps.map(
      ({ now, changes }) => `then ${JSON.stringify(changes, noNulls)} at ${now} (${new Date(now).toISOString()})`,
    ),
    found.problem,
    `world ${brief(world)}`,
  ].join("\n");
}

/** What is not there is not told. */
function brief({ shop: _shop, base: _base, ...facts }: World): string {
  return JSON.stringify(facts, noNulls);
}

function noNulls(_name: string, value: unknown): unknown {
  const isNothing = value === null || (Array.isArray(value) && value.length === 0);
  return isNothing ? undefined : value;
}

function* smallerCases(asked: Case): Generator<Case> {
  for (const definition of smallerDefinitions(asked.definition)) yield { ...asked, definition };
  for (const world of smallerWorlds(asked.world)) yield { ...asked, world };
}

function* smallerStories(story: Story): Generator<Story> {
  const { kept, steps } = story;
  for (let size = kept.length; size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < kept.length; at += size) {
      if (size < kept.length) yield { ...story, kept: [...kept.slice(0, at), ...kept.slice(at + size)] };
    }
  }
  for (const i of steps.keys()) yield { ...story, steps: steps.toSpliced(i, 1) };
  for (const [i, step] of steps.entries()) {
    for (const j of step.changes.keys()) {
      yield { ...story, steps: steps.with(i, { ...step, changes: step.changes.toSpliced(j, 1) }) };
    }
  }
  for (const [i, one] of kept.entries()) {
    for (const definition of smallerDefinitions(one.definition)) {
      yield { ...story, kept: kept.with(i, { ...one, definition }) };
    }
  }
  for (const world of smallerWorlds(story.world)) yield { ...story, world };
  for (const [i, step] of steps.entries()) {
    for (const [j, change] of step.changes.entries()) {
      for (const smaller of smallerChanges(change)) {
        yield { ...story, steps: steps.with(i, { ...step, changes: step.changes.with(j, smaller) }) };
      }
    }
  }
}

function* smallerChanges(change: Change): Generator<Change> {
  if (!("put" in change) || change.put !== "visitors") return;
  for (const i of change.row.events.keys()) {
    yield { put: "visitors", row: { ...change.row, events: change.row.events.toSpliced(i, 1) } };
  }
}

const isObject = (value: unknown): value is Record<string, Json> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Parts of a tree for the whole, groups without a member, lists without an entry, leaves without a clause. */
function* smallerDefinitions(node: Json, isRoot = true): Generator<Json> {
  if (!isObject(node)) return;
  for (const [name, value] of Object.entries(node)) {
    if (/^(all|any|none)$/.test(name) && Array.isArray(value)) {
      for (const [i, child] of value.entries()) {
        const isGroup = isObject(child) && Object.keys(child).some((key) => /^(all|any|none)$/.test(key));
        if (isRoot && isGroup) yield child;
        if (!isRoot) yield child;
        if (value.length > 1) yield { [name]: value.toSpliced(i, 1) };
        for (const smaller of smallerDefinitions(child, false)) yield { [name]: value.with(i, smaller) };
      }
      if (name !== "all" && isRoot) yield { all: value };
    } else if (/^(window|where|count|sum|distinct|firstAt|lastAt)$/.test(name)) {
      const { [name]: _gone, ...rest } = node;
      yield rest;
      if (name === "where" && Array.isArray(value) && value.length > 1) {
        for (const i of value.keys()) yield { ...node, where: value.toSpliced(i, 1) };
      }
    } else if (Array.isArray(value) && value.length > 1 && name === "value") {
      for (const i of value.keys()) yield { ...node, [name]: value.toSpliced(i, 1) };
    } else if (/^(first|followedBy|notFollowedBy)$/.test(name) && isObject(value) && "where" in value) {
      const { where: _gone, ...rest } = value;
      yield { ...node, [name]: rest };
    }
  }
}

/** Rows go half a table at a time, then one by one, and then what rows hold. */
function* smallerWorlds(world: World): Generator<World> {
  const tables = Object.entries(world).filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]));
  for (const [name, rows] of tables) {
    for (let size = rows.length; size >= 1; size = Math.floor(size / 2)) {
      for (let start = 0; start < rows.length; start += size) {
        yield { ...world, [name]: [...rows.slice(0, start), ...rows.slice(start + size)] };
      }
    }
  }
  for (const [name, rows] of tables) {
    for (const [i, row] of rows.entries()) {
      for (const smaller of smallerRows(row)) yield { ...world, [name]: rows.with(i, smaller) };
    }
  }
}

/** A list without one entry, an object without one member, nothing for what may be nothing. */
function* smallerRows(row: unknown): Generator {
  if (!isObject(row)) return;
  for (const [name, value] of Object.entries(row)) {
    if (Array.isArray(value)) {
      if (value.length > 1) yield { ...row, [name]: [] };
      for (const i of value.keys()) yield { ...row, [name]: value.toSpliced(i, 1) };
    } else if (isObject(value)) {
      if (Object.keys(value).length > 1) yield { ...row, [name]: {} };
      for (const inner of Object.keys(value)) {
        const { [inner]: _gone, ...rest } = value;
        yield { ...row, [name]: rest };
      }
    } else if (value !== null && !/^(key|id|of|isLive)$/.test(name)) {
      yield { ...row, [name]: null };
    }
  }
}
