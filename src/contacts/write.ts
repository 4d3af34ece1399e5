import { AppError } from "../errors";
import { SYSTEM_NAMES } from "../fields";
import type { Identity } from "../identity";
import { customerStatus } from "./lifecycle";
import type { ContactPatch } from "./schemas";

type Columns = Map<string, string | number | null>;

const TEXT_COLUMNS = [
  ["externalId", "external_id"],
  ["email", "email"],
  ["firstName", "first_name"],
  ["lastName", "last_name"],
  ["company", "company"],
  ["shopifyCustomerId", "shopify_customer_id"],
] as const;

const ADDRESS = ["line1", "line2", "city", "province", "country", "zip"] as const;

/** Which columns a body sets, by column name: absent keys set nothing, null clears. `phone` is normalised already. */
export function columnsOf(input: ContactPatch, phone: string | null | undefined): Columns {
  const columns: Columns = new Map();
  for (const [key, column] of TEXT_COLUMNS) {
    const value = input[key];
    if (value !== undefined) columns.set(column, value);
  }
  if (phone !== undefined) columns.set("phone", phone).set("phone_source", phone === null ? null : "api");
  for (const column of ADDRESS) {
    const value = input.address === null ? null : input.address?.[column];
    if (value !== undefined) columns.set(column, value);
  }
  if (input.score !== undefined) columns.set("score", input.score);
  return columns;
}

/** The values of a body that tell the contact apart. */
export function identitiesOf(input: ContactPatch, phone: string | null | undefined): Identity[] {
  const named: [Identity["kind"], string | null | undefined][] = [
    ["email", input.email],
    ["phone", phone],
    ["shopify_customer", input.shopifyCustomerId],
    ["external", input.externalId],
  ];
  return named.flatMap(([kind, value]) => (value ? [{ kind, value }] : []));
}

/** A merge patch of custom fields; those that are worked out are left alone. */
export function fieldsPatch(fields: NonNullable<ContactPatch["fields"]>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(fields).filter(([name]) => !SYSTEM_NAMES.includes(name))));
}

/**
 * The stage and status that a change asks for. Only customers have a status; one that is not named follows the rule
 * for orders. Throws `validation_failed` for a status in another stage.
 */
export function lifecycleAfter(
  before: { stage: string; status: string | null; ordered: boolean },
  change: NonNullable<ContactPatch["lifecycle"]>,
): { stage: string; status: string | null } {
  const stage = change.stage ?? before.stage;
  if (stage !== "customer") {
    if (change.status) {
      throw new AppError("validation_failed", undefined, {
        errors: [{ pointer: "/lifecycle/status", detail: "only the stage customer has a status" }],
      });
    }
    return { stage, status: null };
  }
  return { stage, status: change.status ?? before.status ?? customerStatus(null, before.ordered) };
}

/** Names of what a body changes, for the audit log. */
export function changedFields(input: object): string[] {
  return Object.entries(input).flatMap(([key, value]) => {
    if (value === undefined || key === "shop" || key === "source") return [];
    if (["address", "consents", "fields", "lifecycle"].includes(key) && typeof value === "object" && value !== null) {
      return Object.keys(value).map((inner) => `${key}.${inner}`);
    }
    return [key];
  });
}
