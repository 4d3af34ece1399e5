import { z } from "zod";

import { AppError, type FieldError } from "../../errors";
import { parseDefinition, type Vocabulary } from "../definition";
import { customField, FIELDS } from "../fields";
import { step } from "../reading";
import { Condition, REFUSED } from "./conditions";
import { at, funnel, metric } from "./events";
import { conditions, type Json, Refusal, type Subject, window } from "./filters";

/** What Klaviyo's definition is read against: its ids mean nothing outside of the account. */
export interface KlaviyoVocabulary extends Vocabulary {
  /** ISO 4217, of the shop. */
  currency: string;
  /** Names of the account's metrics, or of our events, by Klaviyo's id. */
  metrics: Record<string, string>;
  /** Our segments and lists by the id of Klaviyo's. */
  groups: Record<string, { segment: string } | { list: string }>;
}

export interface Imported {
  /** What was accepted; it is the whole segment only if nothing was refused. Null where nothing was accepted. */
  definition: Json | null;
  /** Each condition that has nothing here which is the same, by JSON pointer into Klaviyo's definition. */
  refused: FieldError[];
  /** What is nearly the same, and how it differs. */
  notes: FieldError[];
}

const Shape = z.strictObject({
  condition_groups: z.array(z.strictObject({ conditions: z.array(z.unknown()).min(1, "has no condition") })),
});

/** Most conditions of one segment, as in Klaviyo. */
const MOST_CONDITIONS = 100;

/**
 * Reads the definition of a Klaviyo segment (`SegmentDefinition`): groups that all hold, of conditions any of which
 * holds. A condition is accepted as it is or refused, never changed.
 */
export function importKlaviyo(json: unknown, vocabulary: KlaviyoVocabulary): Imported {
  const imported: Imported = { definition: null, refused: [], notes: [] };
  const refuse = (pointer: string, detail: string) => imported.refused.push({ pointer, detail });
  const shape = Shape.safeParse(json);
  if (!shape.success) {
    for (const { path, message } of shape.error.issues)
      refuse(path.map((part) => step(String(part))).join(""), message);
    return imported;
  }
  const groups = shape.data.condition_groups;
  if (groups.reduce((sum, { conditions }) => sum + conditions.length, 0) > MOST_CONDITIONS) {
    refuse("/condition_groups", `has more than ${MOST_CONDITIONS} conditions`);
    return imported;
  }
  const all = groups.flatMap(({ conditions }, group) => {
    const any = conditions.flatMap((condition, index) => {
      const pointer = `/condition_groups/${group}/conditions/${index}`;
      return accepted(condition, pointer, vocabulary, imported) ?? [];
    });
    const [one, more] = any;
    return one === undefined ? [] : [more === undefined ? one : { any }];
  });
  if (all.length === 0) return imported;
  const definition = { all };
  for (const detail of problemsOf(definition, vocabulary)) refuse("", detail);
  imported.definition = definition;
  return imported;
}

/** The condition as ours; null after saying why it is refused. */
function accepted(raw: unknown, pointer: string, vocabulary: KlaviyoVocabulary, imported: Imported): Json | null {
  const refuse = (path: (string | number)[], detail: string): null => {
    imported.refused.push({ pointer: pointer + path.map(step).join(""), detail });
    return null;
  };
  const type = z.object({ type: z.string() }).safeParse(raw);
  const reason = type.success && Object.hasOwn(REFUSED, type.data.type) ? REFUSED[type.data.type] : undefined;
  if (reason !== undefined) return refuse([], reason);
  const condition = Condition.safeParse(raw);
  if (!condition.success) {
    const [issue] = condition.error.issues;
    const path = (issue?.path ?? []).map((part) => (typeof part === "symbol" ? String(part) : part));
    return refuse(path, `is nothing that is known of Klaviyo's segments (${issue?.message ?? "no condition"})`);
  }
  const notes = new Set<string>();
  try {
    const node = meaning(condition.data, vocabulary, (detail) => notes.add(detail));
    const [problem] = problemsOf(node, vocabulary);
    if (problem !== undefined) return refuse([], problem);
    imported.notes.push(...[...notes].map((detail) => ({ pointer, detail })));
    return node;
  } catch (error) {
    if (error instanceof Refusal) return refuse(error.path, error.message);
    throw error;
  }
}

function problemsOf(definition: Json, vocabulary: KlaviyoVocabulary): string[] {
  try {
    parseDefinition(definition, vocabulary, "");
    return [];
  } catch (error) {
    if (!(error instanceof AppError) || !error.errors) throw error;
    return error.errors.map(({ pointer, detail }) => `becomes what cannot be asked here: ${pointer} ${detail}`);
  }
}

type Note = (detail: string) => void;

function meaning(condition: Condition, vocabulary: KlaviyoVocabulary, note: Note): Json {
  switch (condition.type) {
    case "profile-property": {
      const subject = subjectOf(condition.property, vocabulary);
      const { filter } = condition;
      if (filter.type === "date") {
        if (subject.type !== "date") throw new Refusal(["filter"], "is a filter for dates, which this is not here");
        note("days begin in the shop's time zone here, and in UTC in Klaviyo");
      }
      return whole(at("filter", () => conditions(subject, filter, vocabulary.currency, note)));
    }
    case "profile-metric":
      return metric(condition, vocabulary, note);
    case "profile-metric-funnel":
      return funnel(condition, vocabulary, note);
    case "profile-marketing-consent":
      return at("consent", () => consent(condition.consent));
    case "profile-group-membership":
      return membership(condition, vocabulary);
    case "profile-region":
      return region(condition, note);
    case "profile-predictive-analytics":
      return predictive(condition, vocabulary, note);
    default:
      return condition satisfies never;
  }
}

function whole(conditions: Json[]): Json {
  const [one, more] = conditions;
  return one && !more ? one : { all: conditions };
}

/** Klaviyo's own properties of a profile. */
const PROFILE: Record<string, string> = {
  email: "email",
  phone_number: "phone",
  first_name: "first_name",
  last_name: "last_name",
  organization: "company",
  external_id: "external_id",
  "location['country']": "country",
  "location['region']": "region",
  "location['city']": "city",
  "location['zip']": "postal_code",
};

function subjectOf(property: string, { customFields }: KlaviyoVocabulary): Subject {
  const path = property.replaceAll('"', "'");
  const own = Object.hasOwn(PROFILE, path) ? FIELDS.get(PROFILE[path] ?? "") : undefined;
  if (own) return { field: own.name, type: own.type, many: own.many === true };
  const name = /^properties\['(.*)'\]$/.exec(path)?.[1];
  const custom = customFields.filter((field) => name !== undefined && (field.name === name || field.label === name));
  const [one, more] = custom;
  if (!one || more) {
    throw new Refusal(
      ["property"],
      more ? "is the name of several custom fields" : "is no field and no custom field here",
    );
  }
  const field = customField(one);
  return { field: field.name, type: field.type, many: field.many === true };
}

function consent({
  channel,
  can_receive_marketing,
  consent_status,
}: (Condition & { type: "profile-marketing-consent" })["consent"]): Json {
  if (channel !== "email" && channel !== "sms") throw new Refusal(["channel"], "is no channel that is stored here");
  const { subscription, filters } = consent_status;
  if (filters !== undefined && filters !== null && !(Array.isArray(filters) && filters.length === 0)) {
    throw new Refusal(["consent_status", "filters"], "is more than is stored of a consent here");
  }
  if (can_receive_marketing && subscription === "subscribed") {
    return { field: `${channel}_can_receive`, op: "is", value: true };
  }
  if (!can_receive_marketing && subscription === "unsubscribed") {
    return { field: `${channel}_consent`, op: "eq", value: "unsubscribed" };
  }
  throw new Refusal(
    ["consent_status", "subscription"],
    "whom Klaviyo may write to without their consent, or has suppressed, is not asked here",
  );
}

function membership(
  { is_member, group_ids, timeframe_filter }: Condition & { type: "profile-group-membership" },
  { groups }: KlaviyoVocabulary,
): Json {
  const [id, more] = group_ids;
  if (id === undefined || more !== undefined) throw new Refusal(["group_ids"], "one group was expected");
  const group = Object.hasOwn(groups, id) ? groups[id] : undefined;
  if (!group) throw new Refusal(["group_ids", 0], "is a list or segment for which none of ours was given in groups");
  const when = at("timeframe_filter", () => window(timeframe_filter));
  if (when && !is_member) throw new Refusal(["timeframe_filter"], "nobody enters what they are not in");
  return is_member ? { in: group, ...(when ? { window: when } : {}) } : { notIn: group };
}

function region({ region, in_region }: Condition & { type: "profile-region" }, note: Note): Json {
  note("the country is that of the contact's default address here");
  const is =
    region === "european_union"
      ? { field: "in_eu", op: "is", value: true }
      : { field: "country", op: "eq", value: "US" };
  return in_region ? is : { none: [is] };
}

const FIGURES: Record<string, string> = {
  historic_clv: "total_revenue",
  historic_number_of_orders: "orders_count",
  average_order_value: "average_order_value",
  average_days_between_orders: "average_days_between_orders",
};

function predictive(
  { dimension, filter }: Condition & { type: "profile-predictive-analytics" },
  { currency }: KlaviyoVocabulary,
  note: Note,
): Json {
  const field = Object.hasOwn(FIGURES, dimension) ? FIELDS.get(FIGURES[dimension] ?? "") : undefined;
  if (!field) throw new Refusal(["dimension"], "is a prediction of Klaviyo's");
  if (filter.type !== "numeric") throw new Refusal(["filter"], "is no comparison of numbers");
  note("Klaviyo knows this of accounts with many orders only");
  return whole(
    at("filter", () => conditions({ field: field.name, type: field.type, many: false }, filter, currency, note)),
  );
}
