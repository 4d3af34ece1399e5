import { z } from "zod";

import { AppError, type FieldError } from "../errors";
import { type Definition as Condition, parseDefinition, type Vocabulary } from "../segments";
import { EventElement, Length, TimeOfDay, Trigger, Weekdays } from "./elements";
import { checkGraph } from "./graph";
import { Step } from "./steps";

const When = z.record(z.string(), z.unknown());

/** What ends a run wherever it is: an event, or a condition that has become true. */
const Exit = z
  .strictObject({ on: EventElement.optional(), when: When.optional() })
  .refine(({ on, when }) => (on === undefined) !== (when === undefined), "needs either on or when");

const Cap = z.strictObject({ messages: z.int().min(1).max(1_000), in: Length });

/** How the automation's messages are sent; the shop's own settings hold where it says nothing. */
export const Sending = z.strictObject({
  quietHours: z
    .strictObject({
      from: TimeOfDay,
      to: TimeOfDay,
      /** A message that falls into them waits, or is left out. */
      mode: z.enum(["defer", "skip"]).default("defer"),
    })
    .nullable()
    .optional(),
  /** Days on which messages go out. */
  weekdays: Weekdays.optional(),
  /** Most messages for one person by channel; null lifts the shop's own. */
  caps: z
    .strictObject({
      email: Cap.nullable().optional(),
      sms: Cap.nullable().optional(),
      whatsapp: Cap.nullable().optional(),
    })
    .optional(),
  /** People who never decided get marketing too, where the law of the shop allows it. */
  neverSubscribed: z.boolean().default(false),
});

export type Sending = z.infer<typeof Sending>;

const Shape = z.strictObject({
  triggers: z.array(Trigger).min(1, "needs a trigger").max(10),
  /** Who may enter, asked at the moment of the trigger. */
  filter: When.optional(),
  exits: z.array(Exit).max(10).default([]),
  reentry: z.union([z.enum(["never", "always"]), z.strictObject({ after: Length })]).default("never"),
  /** Several runs of one person at once, one for each cart or order. */
  parallel: z.enum(["cart", "order"]).nullable().default(null),
  sending: Sending.default({ neverSubscribed: false }),
  steps: z.array(Step).min(1, "needs a step").max(200),
});

/** What is asked of the shop to tell whether a definition's names exist. */
export interface Names {
  automations: ReadonlySet<string>;
  segments: ReadonlySet<string>;
  lists: ReadonlySet<string>;
  fields: ReadonlyMap<string, string>;
  stages: ReadonlySet<string>;
  endpoints: ReadonlySet<string>;
  pools: ReadonlySet<string>;
  /** Channel by template id; null while the shop cannot have templates. */
  templates: ReadonlyMap<string, string>;
}

/** A condition as it is compiled, and where it stands. */
export interface Asked {
  pointer: string;
  condition: Condition;
}

export interface ReadStep {
  step: Step;
  /** Every way on by name; null is the end. */
  ways: { next: string | null; else: string | null };
  /** The conditions that it asks, in order. */
  asks: Asked[];
}

export interface Automation {
  triggers: Trigger[];
  filter: Asked | null;
  exits: { on: EventElement | null; asks: Asked | null }[];
  reentry: "never" | "always" | { after: Length };
  parallel: "cart" | "order" | null;
  sending: Sending;
  start: string;
  steps: ReadonlyMap<string, ReadStep>;
  /** Goals in their order, for whoever may be pulled to one. */
  goals: ReadStep[];
}

const ROOT = "/definition";

/**
 * Reads a definition against the shop: its shape, its conditions, what it names, and the graph of its steps. Throws
 * `validation_failed`, whose errors point at the leaf by JSON pointer.
 *
 * @param names what exists; null where the definition was checked before, so that only its reading counts
 */
export function parseAutomation(
  value: unknown,
  vocabulary: Omit<Vocabulary, "audience">,
  names: Names | null,
): Automation {
  const shape = Shape.safeParse(value);
  if (!shape.success) {
    throw problems(
      shape.error.issues.flatMap((issue) =>
        leafIssues(issue, []).map(({ path, message }) => ({
          pointer: ROOT + path.map(step).join(""),
          detail: message,
        })),
      ),
    );
  }
  const { data } = shape;
  const errors: FieldError[] = [];
  const ask = (when: unknown, pointer: string): Asked[] => {
    if (when === undefined) return [];
    try {
      return [{ pointer, condition: parseDefinition(when, { ...vocabulary, audience: "both" }, pointer) }];
    } catch (error) {
      if (!(error instanceof AppError) || !error.errors) throw error;
      errors.push(...error.errors);
      return [];
    }
  };
  const steps = new Map<string, ReadStep>();
  for (const [i, one] of data.steps.entries()) {
    const at = `${ROOT}/steps/${i}`;
    if (steps.has(one.id)) errors.push({ pointer: `${at}/id`, detail: "is the id of two steps" });
    const whens = "branches" in one ? one.branches.map(({ when }, n) => ask(when, `${at}/branches/${n}/when`)) : [];
    const asks = [...whens.flat(), ...("when" in one ? ask(one.when, `${at}/when`) : [])];
    const following = data.steps[i + 1]?.id ?? null;
    const leads = one.type !== "branch" && one.type !== "split" && one.type !== "exit";
    const next = !leads ? null : one.next === undefined ? following : one.next;
    const other = ("else" in one ? one.else : null) ?? null;
    steps.set(one.id, { step: one, ways: { next, else: other }, asks });
  }
  const [filter = null] = ask(data.filter, `${ROOT}/filter`);
  const exits = data.exits.map(({ on = null, when }, i) => ({
    on,
    asks: ask(when, `${ROOT}/exits/${i}/when`)[0] ?? null,
  }));
  const read: Automation = {
    ...data,
    filter,
    exits,
    start: data.steps[0]?.id ?? "",
    steps,
    goals: [...steps.values()].filter(({ step: one }) => one.type === "goal"),
  };
  if (names !== null) {
    errors.push(...checkGraph(data.steps, steps), ...missing(data, names));
    if (!vocabulary.stores.length) errors.push({ pointer: ROOT, detail: "has no shop" });
  }
  if (errors.length > 0) throw problems(errors);
  return read;
}

function problems(errors: FieldError[]): AppError {
  return new AppError("validation_failed", undefined, { errors: errors.slice(0, 50) });
}

const step = (part: PropertyKey) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** Of a union none of whose parts fits, the part that came closest tells what is wrong. */
function leafIssues(issue: z.core.$ZodIssue, above: PropertyKey[]): { path: PropertyKey[]; message: string }[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...path, key], message: "is not known here" }));
  }
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [{ path, message: issue.message }];
  const depth = (issues: z.core.$ZodIssue[]) => Math.max(0, ...issues.map((one) => one.path.length));
  const closest = [...issue.errors].sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0] ?? [];
  return depth(closest) === 0 ? [{ path, message: issue.message }] : closest.flatMap((one) => leafIssues(one, path));
}

/** What the definition names and the shop does not have. */
function missing(data: z.infer<typeof Shape>, names: Names): FieldError[] {
  const errors: FieldError[] = [];
  const need = (known: { has: (name: string) => boolean }, name: string, pointer: string, what: string) => {
    if (!known.has(name)) errors.push({ pointer: ROOT + pointer, detail: `is no ${what} of this shop` });
  };
  const element = (one: Trigger, at: string) => {
    if (one.type === "segment") need(names.segments, one.segment, `${at}/segment`, "segment");
    if (one.type === "list") need(names.lists, one.list, `${at}/list`, "list");
    if (one.type === "field_changed") need(names.fields, one.field, `${at}/field`, "field");
    if (one.type === "lifecycle_changed" && one.stage !== undefined)
      need(names.stages, one.stage, `${at}/stage`, "stage");
    if (one.type === "date" && one.field !== "created_at") {
      const type = names.fields.get(one.field.slice("fields.".length));
      if (type !== "date") errors.push({ pointer: `${ROOT}${at}/field`, detail: "is no date field of this shop" });
    }
  };
  for (const [i, one] of data.triggers.entries()) element(one, `/triggers/${i}`);
  for (const [i, { on }] of data.exits.entries()) if (on) element(on, `/exits/${i}/on`);
  for (const [i, one] of data.steps.entries()) {
    const at = `/steps/${i}`;
    if ("on" in one && one.on) element(one.on, `${at}/on`);
    if ("list" in one) need(names.lists, one.list, `${at}/list`, "list");
    if ("from" in one) need(names.lists, one.from, `${at}/from`, "list");
    if ("field" in one) need(names.fields, one.field, `${at}/field`, "field");
    if (one.type === "increase_field" && names.fields.has(one.field) && names.fields.get(one.field) !== "number") {
      errors.push({ pointer: `${ROOT}${at}/field`, detail: "is no number" });
    }
    if ("stage" in one) need(names.stages, one.stage, `${at}/stage`, "stage");
    if ("endpoint" in one) need(names.endpoints, one.endpoint, `${at}/endpoint`, "endpoint");
    if ("pool" in one) need(names.pools, one.pool, `${at}/pool`, "pool of codes");
    if ("automation" in one) need(names.automations, one.automation, `${at}/automation`, "automation");
    if (one.type === "wait" && "untilDay" in one.wait) {
      const type = names.fields.get(one.wait.untilDay.field.slice("fields.".length));
      if (type !== "date")
        errors.push({ pointer: `${ROOT}${at}/wait/untilDay/field`, detail: "is no date field of this shop" });
    }
    if (one.type === "message") {
      const channel = names.templates.get(one.template);
      if (channel !== one.channel)
        errors.push({ pointer: `${ROOT}${at}/template`, detail: `is no ${one.channel} template of this shop` });
    }
  }
  return errors;
}
