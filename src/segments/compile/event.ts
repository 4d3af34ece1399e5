import { holds, type NumberTest } from "../condition";
import type { EventLeaf, Measure } from "../tree";
import { rangeOf } from "../window";
import { belongs } from "./attribute";
import { type Frame, keysOf } from "./frame";
import { type Occurrences, occurrences } from "./happenings";
import { compares, passes } from "./predicate";

/** SQL of an event leaf: true or false. Who has no occurrence has a count, a sum and a distinct count of 0. */
export function eventCondition(frame: Frame, leaf: EventLeaf): string {
  const { measure } = leaf;
  const window = leaf.window && rangeOf(leaf.window, frame.now, frame.zone);
  const property = "of" in measure ? measure.of : null;
  const sources = occurrences(frame, leaf, window, property);
  if ("negative" in measure) {
    const edge = measure.kind === "firstAt" ? "min" : "max";
    const each = grouped(
      sources,
      false,
      () => "true",
      ({ at }) => `, ${edge}(${at}) as edge`,
    );
    const test = passes(frame, { sql: "t.edge" }, measure.test);
    return belongs(`select t.subject from (${each}) t where ${test}`, measure.negative);
  }
  const inverse = holds(measure.test, 0);
  if (measure.kind === "count" && isAlways(measure.test, inverse)) {
    return belongs(anyOf(sources), inverse);
  }
  const having = ({ value }: { value: string | null }) => {
    const test = compares(aggregated(measure, value), measure.test, (to) => frame.parameters.one(to));
    return inverse ? `not (${test})` : test;
  };
  return belongs(grouped(sources, property !== null, having), inverse);
}

/** Whether everyone with an occurrence is among those to select, whatever the count. */
function isAlways(test: NumberTest, inverse: boolean): boolean {
  switch (test.compare) {
    case "gte":
      return !inverse && test.to <= 1;
    case "gt":
      return !inverse && test.to < 1;
    case "eq":
      return inverse;
    case "lt":
      return inverse && test.to <= 1;
    case "lte":
      return inverse && test.to < 1;
    default:
      return false;
  }
}

function aggregated({ kind }: Measure, value: string | null): string {
  if (kind === "count") return "count(*)";
  return kind === "sum" ? `coalesce(sum(${value}), 0)` : `count(distinct ${value})`;
}

function anyOf(sources: Occurrences[]): string {
  return sources.map(({ rows }) => keysOf(rows)).join(" union all ");
}

/** Keys of the subjects whose occurrences, taken together, pass. */
function grouped(
  sources: Occurrences[],
  withValue: boolean,
  having: (one: Pick<Occurrences, "at" | "value">) => string,
  columns: (one: Pick<Occurrences, "at" | "value">) => string = () => "",
): string {
  const [only, more] = sources;
  if (only && !more) {
    const { rows, at, value } = only;
    const one = { at, value: value ?? "null" };
    return `select ${rows.key} as subject${columns(one)} from ${rows.from} where ${rows.where.join(" and ")}
      group by ${rows.key} having ${having(one)}`;
  }
  const parts = sources.map(({ rows, at, value }) => {
    const read = `${rows.key} as subject, ${at} as at${withValue ? `, ${value ?? "null"} as value` : ""}`;
    return `select ${read} from ${rows.from} where ${rows.where.join(" and ")}`;
  });
  const one = { at: "u.at", value: "u.value" };
  return `select u.subject${columns(one)} from (${parts.join(" union all ")}) u group by u.subject having ${having(one)}`;
}
