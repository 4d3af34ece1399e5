import { holds } from "../condition";
import type { Field } from "../field";
import { type Definition, type Happening, type Leaf, leavesOf, type Node, type PropertyRef } from "../tree";

/**
 * The changes after which somebody's membership must be looked at again, as the triggers of the migration and a
 * visitor's flush name them:
 *
 * - `contact+` a contact is made, trashed or restored; `contact` its row changes; `tag`, `consent`, `lifecycle`
 * - `order`, `cart`, `product`: what belongs to somebody by them
 * - `visitor:<part>` of an anonymous visitor's row, `browser:<part>` of the row of a contact's browser; a part is
 *   `place`, `visits`, `time`, `pages`, `seen`, `touch` or `device`
 * - `visitor+` a visitor is seen for the first time
 * - `event:<type>`, `segment:<id>`, `list:<id>`
 * - `rfm` what customers are compared with, worked out anew once a day (`rfm.ts`)
 */
export function watchesOf(definition: Definition): string[] {
  const { audience, root } = definition;
  const ofContacts = audience !== "visitors";
  const ofVisitors = audience !== "contacts";
  const whats = leavesOf(root).flatMap((leaf) => leafWatches(leaf, ofContacts));
  if (ofContacts) whats.push("contact+");
  if (ofVisitors && mayHold(root).beTrue) whats.push("visitor+");
  const mine = (what: string) =>
    what.startsWith("visitor") ? ofVisitors : !/^(contact|browser:)/.test(what) || ofContacts;
  return [...new Set(whats.filter(mine))].sort();
}

function leafWatches(leaf: Leaf, ofContacts: boolean): string[] {
  switch (leaf.kind) {
    case "attribute":
      return fieldWatches(leaf.field);
    case "event":
      return happeningWatches(leaf, "of" in leaf.measure ? [leaf.measure.of] : []);
    case "sequence":
      return [...happeningWatches(leaf.first, []), ...happeningWatches(leaf.next, [])];
    case "membership":
      return [`${leaf.of}:${leaf.id}`];
    case "sample":
      return ofContacts ? [] : ["visitor+"];
    default:
      return leaf satisfies never;
  }
}

const PRODUCT_FACTS = new Set(["category", "vendor", "tag", "collection"]);

const part = (...names: string[]) => names.flatMap((name) => [`visitor:${name}`, `browser:${name}`]);

/** Of the browser used first or last: a contact's also changes when another one of its browsers becomes that. */
const edge = (name: string) => [...part(name), "browser:seen"];

/** Of the address group: what the last browser told. */
const OF_BROWSER = /^(ip_.*|location|timezone|language)$/;

function fieldWatches({ group, name, places }: Field): string[] {
  switch (group) {
    case "identity":
    case "fields":
      return ["contact"];
    case "address":
      return OF_BROWSER.test(name) ? edge("place") : ["contact", ...(places.visitor ? part("place") : [])];
    case "lifecycle":
      return ["contact", "lifecycle"];
    case "consent":
      return ["contact", "consent"];
    case "tags":
      return [name === "score" ? "contact" : "tag"];
    case "totals":
      if (name === "favourite_category") return ["order", "product"];
      return ["contact", "order", ...(name.startsWith("rfm_") ? ["rfm"] : [])];
    case "last_order":
    case "any_order":
      return ["order", ...(PRODUCT_FACTS.has(name.slice(group.length + 1)) ? ["product"] : [])];
    case "carts":
      return ["cart", ...(PRODUCT_FACTS.has(name.slice("open_cart_".length)) ? ["product"] : [])];
    case "visits":
      if (name.startsWith("device")) return edge("device");
      if (/_touch_/.test(name)) return edge("touch");
      if (name.endsWith("_seen")) return part("seen");
      if (name.endsWith("_duration")) return part("visits", "time");
      return part("visits", "pages");
    default:
      return group satisfies never;
  }
}

function happeningWatches({ event, where }: Happening, more: PropertyRef[]): string[] {
  const named = [...where.map(({ property }) => property), ...more];
  const ofProducts = named.some((property) => property.of === "line" && PRODUCT_FACTS.has(property.fact));
  const ofDevice = named.some((property) => property.of === "own" && property.name === "device_type");
  const beside = [...(ofProducts ? ["product"] : []), ...(ofDevice ? part("device") : [])];
  if (event.group === "storefront") return [`event:${event.name}`, ...beside];
  // A purchase that only a browser has seen is a cart until its order is known.
  if (event.name === "order_placed") return ["order", "cart", ...beside];
  return [event.name.startsWith("cart_") ? "cart" : "order", ...beside];
}

interface Outcomes {
  beTrue: boolean;
  beFalse: boolean;
}

/** Whether a visitor of whom nothing is known but the row may be a member, or may not be. */
function mayHold(node: Node): Outcomes {
  if (!("nodes" in node)) return leafOutcomes(node);
  const parts = node.nodes.map(mayHold);
  const some = { beTrue: parts.some((p) => p.beTrue), beFalse: parts.every((p) => p.beFalse) };
  if (node.kind === "any") return some;
  if (node.kind === "none") return { beTrue: some.beFalse, beFalse: some.beTrue };
  return { beTrue: parts.every((p) => p.beTrue), beFalse: parts.some((p) => p.beFalse) };
}

function leafOutcomes(leaf: Leaf): Outcomes {
  const is = (value: boolean): Outcomes => ({ beTrue: value, beFalse: !value });
  switch (leaf.kind) {
    case "event":
      return is("negative" in leaf.measure ? leaf.measure.negative : holds(leaf.measure.test, 0));
    case "sequence":
      return is(false);
    case "membership":
      return is(!leaf.is);
    case "attribute":
    case "sample":
      return { beTrue: true, beFalse: true };
    default:
      return leaf satisfies never;
  }
}

/** What pages must have in their address for an event (`event:<type>`) to matter to the definition; empty for any page. */
export function needleOf({ root }: Definition, what: string): string {
  const happenings = leavesOf(root).flatMap((leaf): Happening[] =>
    leaf.kind === "event" ? [leaf] : leaf.kind === "sequence" ? [leaf.first, leaf.next] : [],
  );
  const needles = happenings.filter(({ event }) => `event:${event.name}` === what).map(needleIn);
  const [first = ""] = needles;
  return needles.every((needle) => needle === first) ? first : "";
}

/** Letters outside ASCII have several ways to be written: such words do not tell pages apart. */
function needleIn({ where }: Happening): string {
  for (const { property, condition } of where) {
    if (property.of !== "own" || property.name !== "url" || condition.negative) continue;
    const { test } = condition;
    if (test.kind !== "text" || !["is", "contains", "starts", "ends"].includes(test.match)) continue;
    const [word = "", ...more] = test.words;
    if (more.length === 0 && /^[\x20-\x7e]+$/.test(word)) return word.toLowerCase();
  }
  return "";
}
