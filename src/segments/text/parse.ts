import { AppError } from "../../errors";
import { parseDefinition } from "../definition";
import { anniversary, condition } from "./attribute";
import { readClauses } from "./clauses";
import type { Json } from "./dates";
import { eventCondition, namedEvent, sequence } from "./events";
import { type Clause, matchesOf, type Tree } from "./operation";
import { problemAt, TextError, type TextProblem } from "./problem";
import { Sense, type TextVocabulary } from "./sense";
import { refusal, renamed, shopifyFilter } from "./shopify";
import { standing } from "./standing";

/** Longest text, UTF-16 code units. */
export const MOST_TEXT = 10_000;

export type TextOutcome =
  | {
      /** Passes `parseDefinition` with the same vocabulary. */
      definition: Json;
      /** Where a filter of Shopify's becomes one that is not wholly the same. */
      notes: TextProblem[];
    }
  | { problems: TextProblem[] };

/**
 * Reads a segment that is written in Shopify's segment query language or our extension of it. Says what is wrong with
 * a text and where, and never throws for one.
 */
export function parseText(text: string, vocabulary: TextVocabulary): TextOutcome {
  if (text.length > MOST_TEXT) {
    return { problems: [problemAt(text, MOST_TEXT, `a text has at most ${MOST_TEXT} characters`)] };
  }
  const sense = new Sense(vocabulary);
  try {
    const definition = meaningOf(sense, readClauses(text));
    const problems = problemsOf(sense, definition, vocabulary);
    if (problems.length > 0) return { problems: problems.map(({ at, detail }) => problemAt(text, at, detail)) };
    return { definition, notes: sense.notes.map(({ at, detail }) => problemAt(text, at, detail)) };
  } catch (error) {
    if (error instanceof TextError) return { problems: [problemAt(text, error.offset, error.message)] };
    throw error;
  }
}

/** What the definition's own reader says is wrong, at the place in the text. */
function problemsOf(sense: Sense, definition: Json, vocabulary: TextVocabulary): { at: number; detail: string }[] {
  try {
    parseDefinition(definition, vocabulary, "");
    return [];
  } catch (error) {
    if (!(error instanceof AppError) || !error.errors) throw error;
    return error.errors.map(({ pointer, detail }) => ({
      at: sense.placeOf(definition, `/definition${pointer}`),
      detail: `${pointer.split("/").at(-1) ?? ""} ${detail}`.trim(),
    }));
  }
}

function meaningOf(sense: Sense, tree: Tree): Json {
  if ("clause" in tree) return clauseMeaning(sense, tree.clause);
  return sense.placed({ [tree.group]: tree.trees.map((one) => meaningOf(sense, one)) }, tree.at);
}

function clauseMeaning(sense: Sense, clause: Clause): Json {
  const node = sense.placed(bare(sense, clause), clause.at);
  if (clause.store === null) return node;
  if ("all" in node || "any" in node || "none" in node) {
    throw new TextError(clause.at, "STORE follows a single condition, and this one takes several to say");
  }
  return sense.placed({ ...node, store: clause.store }, clause.at);
}

function bare(sense: Sense, clause: Clause): Json {
  const { at, name, written, of, followed, operation, operationAt } = clause;
  if (followed) return sequence(sense, clause, followed);
  if (name === "anniversary" && of) {
    const dated = renamed(of.name.toLowerCase());
    refuse(of.name.toLowerCase(), of.at);
    if (sense.field(dated)?.type !== "date") throw new TextError(of.at, `${of.name} is no date that this shop has`);
    return anniversary(dated, operation, operationAt, sense.shop);
  }
  if (of) throw new TextError(at, `${name}(...) stands inside MATCHES (...)`);
  if (!sense.field(name)) refuse(name, at);
  const known = standing(sense, clause) ?? shopifyFilter(sense, clause);
  if (known) return known;
  const field = sense.field(name);
  if (field) {
    const { type, group } = field;
    return condition({ ...field, type, future: group === "fields" }, operation, operationAt, sense.shop);
  }
  const event = namedEvent(written);
  if (!event) throw new TextError(at, `${written} is no filter that this shop has (see the catalogue)`);
  const matches = matchesOf(operation);
  if (!matches) throw new TextError(operationAt, `${written} is an event: ask it with MATCHES (...)`);
  return eventCondition(sense, event, matches, at);
}

function refuse(name: string, at: number): void {
  const reason = refusal(name);
  if (reason !== undefined) throw new TextError(at, `${name}: ${reason}`);
}
