import type { Plan, Step } from "./bulk-plan.ts";
import { isListing, isSource, type Listing, type Source } from "./listing.ts";
import { valueOf } from "./resolve.ts";

/** One line of a bulk file, without its line feed; `root` for one of the first level. */
export type Line = { text: string; root: boolean };

/** How many lines may wait for their turn when the file is not grouped. */
const POOL = 512;

/** What the root connection lists; undefined when the stand-in does not have that connection. */
export function rootListing(plan: Plan, root: Source): Listing | undefined {
  const value = valueOf(root, plan.root.field, plan.root.args);
  return isListing(value) ? value : undefined;
}

/** The lines of a bulk operation's file, one node each, nested ones with `__parentId`, in Shopify's two orders. */
export function* bulkLines(plan: Plan, listing: Listing, groupObjects: boolean): Generator<Line> {
  if (groupObjects) {
    for (const node of listing.all()) yield* family(plan.root, node, null);
    return;
  }
  const pool: Line[] = [];
  let seed = 1;
  const next = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 4_294_967_296;
  };
  const draw = (): Line | undefined => {
    const at = Math.floor(next() * pool.length);
    const [drawn, last] = [pool[at], pool.pop()];
    if (last !== undefined && at < pool.length) pool[at] = last;
    return drawn;
  };
  for (const node of listing.all()) {
    pool.push(...family(plan.root, node, null));
    while (pool.length > POOL) {
      const line = draw();
      if (line !== undefined) yield line;
    }
  }
  for (let line = draw(); line !== undefined; line = draw()) yield line;
}

/** A node and then, one by one, its descendants. */
function* family(connection: Step, node: Source, parentId: string | null): Generator<Line> {
  const children: { step: Step; listing: Listing }[] = [];
  const text = written(connection.steps, node, children);
  const parent = parentId === null ? "" : `${text === "{}" ? "" : ","}"__parentId":${JSON.stringify(parentId)}`;
  yield { text: `${text.slice(0, -1)}${parent}}`, root: parentId === null };
  for (const { step, listing } of children)
    for (const child of listing.all()) yield* family(step, child, String(node["id"]));
}

/** Text that JSON writes as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** The JSON of a value; most are short plain texts, for which JSON.stringify is the slow way. */
function leaf(value: unknown): string {
  if (typeof value === "string" && PLAIN.test(value)) return `"${value}"`;
  if (value === null || typeof value === "boolean") return String(value);
  return JSON.stringify(value);
}

/** The JSON of a node, written as it is read: half the work of building an object first, and a file has millions. */
function written(steps: readonly Step[], source: Source, children: { step: Step; listing: Listing }[]): string {
  let text = "{";
  for (const step of steps) {
    if (step.on !== null && source["__typename"] !== step.on) continue;
    const value = valueOf(source, step.field, step.args);
    if (value === undefined)
      throw new Error(`The stand-in cannot answer ${JSON.stringify(source["__typename"])}.${step.field}`);
    if (step.kind === "connection") {
      if (isListing(value)) children.push({ step, listing: value });
      continue;
    }
    text += text === "{" ? step.name : `,${step.name}`;
    if (step.kind === "leaf" || value === null) text += leaf(value);
    else if (Array.isArray(value))
      text += `[${value.map((one) => (isSource(one) ? written(step.steps, one, children) : JSON.stringify(one))).join(",")}]`;
    else text += isSource(value) ? written(step.steps, value, children) : JSON.stringify(value);
  }
  return `${text}}`;
}
