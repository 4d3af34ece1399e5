import { type Frame, kindsOf, prepare, type Prepared, type SegmentShop, type SubjectKind } from "../compile";
import type { Definition } from "../tree";
import { type Moments, momentsOf } from "./moments";

/** A definition's question about some subjects of one kind, with when to look at them again. */
export interface Question extends Prepared {
  /** One for each column. */
  moments: Moments[];
}

/**
 * Per isolate: definitions are asked about with every change, and making their SQL takes longer than running it. What
 * time it is and who is asked about come with the values, so a question holds as long as its definition is in memory.
 */
const questions = new WeakMap<Definition, Map<string, Question>>();
const clocked = new WeakMap<Definition, boolean>();

/** Throws `unprocessable` for what D1 could not run. */
export function questionOf(definition: Definition, shop: SegmentShop, kind: SubjectKind): Question {
  const name = `${shop.key} ${shop.currency} ${shop.timezone} ${kind}`;
  const of = questions.get(definition) ?? new Map<string, Question>();
  questions.set(definition, of);
  const known = of.get(name);
  if (known) return known;
  const moments = momentsOf(definition, kind);
  const columns = (frame: Frame) => moments.map(({ column }) => column(frame));
  const question = { ...prepare(definition, shop, kind, columns), moments };
  of.set(name, question);
  return question;
}

/** Whether time alone may change who is a member. */
export function isClocked({ parsed }: { parsed: Definition }): boolean {
  const known = clocked.get(parsed);
  if (known !== undefined) return known;
  const is = kindsOf(parsed).some((kind) => momentsOf(parsed, kind).length > 0);
  clocked.set(parsed, is);
  return is;
}
