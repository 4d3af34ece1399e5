import { AppError } from "../../errors";
import type { Definition, Leaf, Node } from "../tree";
import { attribute } from "./attribute";
import { eventCondition } from "./event";
import type { Frame, SubjectKind } from "./frame";
import { type Asked, Parameters } from "./parameters";
import { sequenceCondition } from "./sequence";
import { membershipCondition, sampleCondition } from "./standing";

export type { Frame, Relation, SubjectKind } from "./frame";
export type { Asked } from "./parameters";
export { type Bounds, boundsOf, fromNow } from "./bounds";
export { occurrences } from "./happenings";

/** What of a shop a segment's SQL depends on. */
export interface SegmentShop {
  key: number;
  /** ISO 4217. */
  currency: string;
  /** IANA. */
  timezone: string;
}

/** One contact or visitor by its integer key. */
export interface Subject {
  kind: SubjectKind;
  key: number;
}

/** What a query is to answer. */
export type Question =
  /** One row: `count`. */
  | { ask: "count" }
  /** At most `limit` rows `kind, key`: contacts first, each by ascending key, after the given one. */
  | { ask: "page"; after: Subject | null; limit: number }
  /** All members as rows `kind, key`, in no order; with `between` those of one audience with such keys. */
  | { ask: "members"; between?: { after: number; upTo: number | null } }
  /** One row, `member` 1 or 0; who is deleted, of another shop or another audience is no member. */
  | { ask: "subject"; subject: Subject }
  /** A row for each of these of one kind: `key`, `member`, and the columns `c0`, `c1`... that `also` gives about `who.value`. */
  | { ask: "among"; kind: SubjectKind; keys: number[]; also: (frame: Frame) => string[] };

/** Whether each of some subjects is a member: SQL that is the same for any subjects and at any time. */
export interface Prepared {
  /** SQL about `who.value`, true or false. */
  member: string;
  /** SQL of what `also` gives about it. */
  columns: string[];
  /** SQL of a table-valued function of the subjects' keys, to be named `who`. */
  subjects: string;
  /** The only parameter, `?1`. */
  document: (asked: Asked) => string;
}

/** SQL with one parameter, `?1`; more may follow it in a statement that embeds the SQL. */
export interface Compiled {
  sql: string;
  values: [string];
}

/** Longest statement that D1 takes, bytes. */
const MOST_SQL = 100_000;

/**
 * The definition as one D1 query. Whatever is asked, the conditions are the same SQL; about one subject the same rows
 * are found by its key. Throws `unprocessable` for what D1 could not run.
 */
export function compile(definition: Definition, shop: SegmentShop, now: number, question: Question): Compiled {
  if (question.ask === "among") {
    const { member, columns, subjects, document } = prepare(definition, shop, question.kind, question.also);
    const also = columns.map((column, i) => `, ${column} as c${i}`).join("");
    const sql = checked(`select who.value as key, ${member} as member${also} from ${subjects} who`);
    return { sql, values: [document({ now, keys: question.keys })] };
  }
  const parameters = new Parameters();
  const subject = question.ask === "subject" ? question.subject : null;
  const one = subject && parameters.one(subject.key);
  const kinds = kindsOf(definition).filter((kind) => subject === null || subject.kind === kind);
  const from = (kind: SubjectKind) => subjectsIn(definition, frameOf(shop, kind, one, parameters));
  const sql = checked(answer(question, kinds, from, parameters));
  return { sql, values: [parameters.document({ now, keys: [] })] };
}

/** The question about some subjects of one kind, as often as it is asked. Throws `unprocessable` as `compile` does. */
export function prepare(
  definition: Definition,
  shop: SegmentShop,
  kind: SubjectKind,
  also: (frame: Frame) => string[],
): Prepared {
  const parameters = new Parameters();
  const frame = frameOf(shop, kind, "who.value", parameters);
  const isAsked = kindsOf(definition).includes(kind);
  return {
    member: checked(isAsked ? `exists (select 1 from ${subjectsIn(definition, frame)})` : NEVER),
    columns: also(frame).map((sql) => checked(`(${sql})`)),
    subjects: parameters.table({ name: "subjects", of: ({ keys }) => keys }),
    document: (asked) => parameters.document(asked),
  };
}

function frameOf(shop: SegmentShop, kind: SubjectKind, one: string | null, parameters: Parameters): Frame {
  return {
    parameters,
    kind,
    one,
    shop: parameters.one(shop.key),
    currency: parameters.one(shop.currency),
    zone: shop.timezone,
  };
}

/** SQL of the rows `s` that meet the conditions. */
function subjectsIn({ root }: Definition, frame: Frame): string {
  return `${SUBJECTS[frame.kind](frame)} and ${condition(frame, root, true)}`;
}

/** Values are never in the text, so all space in it is between words. */
function checked(text: string): string {
  const sql = text.replaceAll(/\s+/g, " ");
  if (new TextEncoder().encode(sql).length > MOST_SQL) {
    throw new AppError("unprocessable", "The conditions come to more SQL than one query may have");
  }
  return sql;
}

export function kindsOf({ audience }: Definition): SubjectKind[] {
  if (audience === "both") return ["contact", "visitor"];
  return audience === "contacts" ? ["contact"] : ["visitor"];
}

/** False, in a query that has its parameter like every other. */
const NEVER = "(?1 is null)";

/** Who can be a member at all. */
const SUBJECTS: Record<SubjectKind, (frame: Frame) => string> = {
  contact: (frame) => `contacts s where ${own(frame)} and s.deleted_at is null`,
  visitor: (frame) => `visitors s where ${own(frame)} and s.contact is null and s.channel = 'browser'`,
};

function own({ one, shop }: Frame): string {
  return one === null ? `s.shop = ${shop}` : `s.key = ${one} and +s.shop = ${shop}`;
}

function answer(
  question: Exclude<Question, { ask: "among" }>,
  kinds: SubjectKind[],
  from: (kind: SubjectKind) => string,
  parameters: Parameters,
): string {
  switch (question.ask) {
    case "count":
      return `select ${kinds.map((kind) => `(select count(*) from ${from(kind)})`).join(" + ")} as count`;
    case "members": {
      const { after, upTo } = question.between ?? { after: null, upTo: null };
      const start = after === null ? "" : ` and s.key > ${parameters.one(after)}`;
      const end = upTo === null ? "" : ` and s.key <= ${parameters.one(upTo)}`;
      return kinds
        .map((kind) => `select '${kind}' as kind, s.key from ${from(kind)}${start}${end}`)
        .join(" union all ");
    }
    case "subject":
      return `select ${kinds.map((kind) => `exists (select 1 from ${from(kind)})`).join(" + ") || NEVER} as member`;
    case "page": {
      const { after, limit } = question;
      const most = parameters.one(limit);
      const left = kinds.filter((kind) => after === null || kind >= after.kind);
      const parts = left.map((kind) => {
        const start = after?.kind === kind ? ` and s.key > ${parameters.one(after.key)}` : "";
        return `select * from (select '${kind}' as kind, s.key from ${from(kind)}${start} order by s.key limit ${most})`;
      });
      return parts.length === 0
        ? `select null as kind, null as key where ${NEVER}`
        : `${parts.join(" union all ")} order by kind, key limit ${most}`;
    }
    default:
      return question satisfies never;
  }
}

/** @param plain whether a condition may be null where it is false: nowhere below a negation */
function condition(frame: Frame, node: Node, plain: boolean): string {
  if (!("nodes" in node)) return pointing(node, () => leafCondition(frame, node, plain));
  const positive = plain && node.kind !== "none";
  const parts = node.nodes.map((child) => condition(frame, child, positive));
  if (node.kind === "none") return parts.length === 0 ? "true" : `not ${joined(parts, "or")}`;
  return parts.length === 0 ? "true" : joined(parts, node.kind === "all" ? "and" : "or");
}

/** Joins by halves: D1 nests expressions at most 100 deep, and a flat chain is as deep as it is long. */
function joined(parts: string[], by: "and" | "or"): string {
  if (parts.length <= 2) return `(${parts.join(` ${by} `)})`;
  const middle = Math.ceil(parts.length / 2);
  return `(${joined(parts.slice(0, middle), by)} ${by} ${joined(parts.slice(middle), by)})`;
}

/** What cannot be compiled is told of at its leaf. */
function pointing(leaf: Leaf, make: () => string): string {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof AppError) || error.errors) throw error;
    throw new AppError(error.code, error.message, { errors: [{ pointer: leaf.pointer, detail: error.message }] });
  }
}

function leafCondition(frame: Frame, leaf: Leaf, plain: boolean): string {
  switch (leaf.kind) {
    case "attribute":
      return attribute(frame, leaf.field.places[frame.kind], leaf.condition, plain);
    case "event":
      return eventCondition(frame, leaf);
    case "sequence":
      return sequenceCondition(frame, leaf);
    case "membership":
      return membershipCondition(frame, leaf);
    case "sample":
      return sampleCondition(frame, leaf);
    default:
      return leaf satisfies never;
  }
}
