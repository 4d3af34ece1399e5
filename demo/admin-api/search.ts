/** What a record says of a search field: texts are compared without case, numbers as numbers, times as epoch ms. */
export type SearchValue = string | number | boolean | null | string[] | { time: number | null };
export type SearchFields<T> = Record<string, (record: T) => SearchValue>;

type Comparator = ":" | ">" | ">=" | "<" | "<=";
type Term = { kind: "term"; field: string | null; comparator: Comparator; value: string };
type Group = { kind: "and"; parts: Node[] } | { kind: "or"; parts: Node[] };
type Node = Term | Group | { kind: "not"; part: Node };

/** Asked for with a search that the stand-in cannot evaluate; it would rather fail than answer wrongly. */
export class SearchError extends Error {}

const TOKEN = /\s*(\(|\)|(?:[A-Za-z_.-]+:(?:>=|<=|>|<)?)?(?:"[^"]*"|'[^']*'|[^\s()]+))/gy;

function tokens(query: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(query); match !== null; match = TOKEN.exec(query)) {
    if (match[1] !== undefined) found.push(match[1]);
  }
  return found;
}

/** Shopify's search syntax: terms side by side (and `AND`) must all hold, `OR` binds weaker, `NOT` and `-` negate. */
export function parseSearch(query: string): Node {
  const rest = tokens(query);
  const either = (): Node => {
    const parts = [all()];
    while (rest[0] === "OR") {
      rest.shift();
      parts.push(all());
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: "or", parts };
  };
  const all = (): Node => {
    const parts: Node[] = [];
    while (rest[0] !== undefined && rest[0] !== ")" && rest[0] !== "OR") {
      if (rest[0] === "AND") rest.shift();
      else parts.push(one());
    }
    return { kind: "and", parts };
  };
  const one = (): Node => {
    const token = rest.shift() ?? "";
    if (token === "NOT") return { kind: "not", part: one() };
    if (token === "(") {
      const inner = either();
      if (rest.shift() !== ")") throw new SearchError(`No closing bracket in the search: ${query}`);
      return inner;
    }
    if (token.startsWith("-") && token.length > 1) return { kind: "not", part: term(token.slice(1)) };
    return term(token);
  };
  const tree = either();
  if (rest.length > 0) throw new SearchError(`The search does not end where it should: ${query}`);
  return tree;
}

function term(token: string): Term {
  const match = /^([A-Za-z_.-]+):(>=|<=|>|<)?(.*)$/s.exec(token);
  if (match === null) return { kind: "term", field: null, comparator: ":", value: unquoted(token) };
  const comparator = match[2];
  return {
    kind: "term",
    field: match[1] ?? "",
    comparator:
      comparator === ">" || comparator === ">=" || comparator === "<" || comparator === "<=" ? comparator : ":",
    value: unquoted(match[3] ?? ""),
  };
}

const unquoted = (text: string): string => text.replace(/^(["'])(.*)\1$/s, "$2");

/** Whether the record fits. Throws SearchError for a field that is not among `fields`. */
export function matches<T>(node: Node, record: T, fields: SearchFields<T>): boolean {
  if (node.kind === "and") return node.parts.every((part) => matches(part, record, fields));
  if (node.kind === "or") return node.parts.some((part) => matches(part, record, fields));
  if (node.kind === "not") return !matches(node.part, record, fields);
  if (node.field === null)
    return Object.values(fields).some((value) => fits(value(record), { ...node, value: `*${node.value}*` }));
  const value = fields[node.field];
  if (value === undefined) throw new SearchError(`The stand-in cannot search by ${node.field}`);
  return fits(value(record), node);
}

/** The part of a search that these fields alone decide, so that the rest need not be looked at: all of it or less. */
export function narrowed(node: Node, known: readonly string[]): Node {
  if (node.kind === "and") return { kind: "and", parts: node.parts.map((part) => narrowed(part, known)) };
  return decidable(node, known) ? node : { kind: "and", parts: [] };
}

function decidable(node: Node, known: readonly string[]): boolean {
  if (node.kind === "not") return decidable(node.part, known);
  if (node.kind !== "term") return node.parts.every((part) => decidable(part, known));
  return node.field !== null && known.includes(node.field);
}

function fits(value: SearchValue, { comparator, value: wanted }: Term): boolean {
  if (Array.isArray(value))
    return value.some((one) => fits(one, { kind: "term", field: null, comparator, value: wanted }));
  if (value !== null && typeof value === "object") return fitsTime(value.time, comparator, wanted);
  if (typeof value === "boolean") return String(value) === wanted.toLowerCase();
  if (value === null) return false;
  if (wanted === "*") return value !== "";
  if (typeof value === "number") return compare(value, comparator, Number(wanted.split("/").at(-1)));
  const [text, pattern] = [value.toLowerCase(), wanted.toLowerCase()];
  if (comparator !== ":") return compare(text < pattern ? -1 : text > pattern ? 1 : 0, comparator, 0);
  if (pattern.startsWith("*") && pattern.endsWith("*") && pattern.length > 2)
    return text.includes(pattern.slice(1, -1));
  if (pattern.endsWith("*")) return text.startsWith(pattern.slice(0, -1));
  return pattern.split(",").includes(text) || text === pattern;
}

/** Shopify keeps whole seconds. */
function fitsTime(time: number | null, comparator: Comparator, wanted: string): boolean {
  if (wanted === "*") return time !== null;
  const at = Date.parse(wanted);
  if (Number.isNaN(at)) throw new SearchError(`${wanted} is no time`);
  if (time === null) return false;
  const second = (ms: number): number => Math.floor(ms / 1000);
  if (comparator === ":" && /^\d{4}-\d\d-\d\d$/.test(wanted)) return time >= at && time < at + 86_400_000;
  return compare(second(time), comparator, second(at));
}

function compare(a: number, comparator: Comparator, b: number): boolean {
  if (comparator === ">") return a > b;
  if (comparator === ">=") return a >= b;
  if (comparator === "<") return a < b;
  if (comparator === "<=") return a <= b;
  return a === b;
}
