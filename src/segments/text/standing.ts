import { type Json, windowOf } from "./dates";
import { type Clause, matchesOf } from "./operation";
import { TextError } from "./problem";
import type { Sense } from "./sense";
import { numberOf, textOf } from "./values";

/** Membership of a segment or list, and random samples: what is neither a field nor an event. */
export function standing(sense: Sense, { at, name, operation, operationAt }: Clause): Json | null {
  if (name !== "segment" && name !== "list" && name !== "sample") return null;
  const matches = matchesOf(operation);
  if (!matches) throw new TextError(operationAt, `${name} is asked with MATCHES (...)`);
  const given = new Map(matches.parameters.map((parameter) => [parameter.name, parameter]));
  if (given.size < matches.parameters.length) throw new TextError(at, "a parameter stands here twice");
  const take = (parameter: string): Clause | undefined => {
    const found = given.get(parameter);
    given.delete(parameter);
    return found;
  };
  const equal = (parameter: Clause) => {
    if (parameter.operation.op === "compare" && parameter.operation.sign === "=") return parameter.operation.value;
    throw new TextError(parameter.operationAt, `${parameter.name} takes = here`);
  };
  const made =
    name === "sample"
      ? sample(take, equal, matches.negative, at)
      : member(sense, name, take, equal, matches.negative, at);
  const [more] = given.values();
  if (more) throw new TextError(more.at, `${more.written} is no parameter of ${name}`);
  return made;
}

type Take = (parameter: string) => Clause | undefined;
type Equal = (parameter: Clause) => Parameters<typeof textOf>[0];

function sample(take: Take, equal: Equal, negative: boolean, at: number): Json {
  const [percent, seed] = [take("percent"), take("seed")];
  if (!percent) throw new TextError(at, "sample needs a percent");
  const made = { sample: { percent: numberOf(equal(percent)), ...(seed ? { seed: quoted(equal(seed)) } : {}) } };
  return negative ? { none: [made] } : made;
}

/** The seed may be empty, and is never a number. */
function quoted(token: Parameters<typeof textOf>[0]): string {
  if (token.kind === "quoted") return token.text;
  throw new TextError(token.at, "a seed stands between quotes");
}

function member(sense: Sense, of: "segment" | "list", take: Take, equal: Equal, negative: boolean, at: number): Json {
  const [id, date] = [take("id"), take("date")];
  if (!id) throw new TextError(at, `${of} needs an id`);
  const target = { [of]: textOf(equal(id)) };
  if (!date) return { [negative ? "notIn" : "in"]: target };
  const window = windowOf(date.operation, date.operationAt, sense.shop);
  if (window.is !== "one")
    throw new TextError(date.operationAt, "here a date takes >= or <, or a BETWEEN of two offsets");
  const made = { in: target, window: window.window };
  return negative ? { none: [made] } : made;
}
