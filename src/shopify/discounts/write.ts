import type { Settings } from "../../shops";
import { type Money, toDecimal } from "../../lib/money";
import { adminQuery, type Store } from "../admin";
import { isGranted } from "../scopes";
import { AddCodes, CODES_A_SEARCH, CreateDiscount, FindCodes, ReadCreation, ReadDiscount } from "./discounts.queries";

/** The scope without which nothing here is asked. */
export const DISCOUNT_SCOPE = "write_discounts";

/** Codes that Shopify takes at once. */
export const CODES_AT_ONCE = 250;

/** Why codes may not be written, as far as is known without asking Shopify. */
export type WriteObstacle = "not_connected" | "scope_not_wanted" | "scope_missing";

/** Writing is off unless the shop's settings want the scope, even where the store has granted it. */
export function writeObstacle(
  connection: { scopes: string[] } | null,
  { optionalScopes }: Pick<Settings, "optionalScopes">,
): WriteObstacle | null {
  if (!optionalScopes.includes(DISCOUNT_SCOPE)) return "scope_not_wanted";
  if (!connection) return "not_connected";
  return isGranted(connection.scopes, DISCOUNT_SCOPE) ? null : "scope_missing";
}

/** A discount on the whole order, to be made. */
export interface DiscountTerms {
  title: string;
  /** Percent from 1 to 100, or an amount off in the store's currency. */
  value: { percent: number } | { amount: Money };
  /** Epoch ms; null for none. */
  endsAt: number | null;
  oncePerCustomer: boolean;
}

/** What Shopify answered: done, or its reason not to. */
export type Written<T> = { done: T } | { refused: string };

/** A code discount of the store, by Shopify's id; null for none. Throws `AdminError`. */
export async function readDiscount(env: Env, store: Store, id: string) {
  const { node } = await adminQuery(env, store, ReadDiscount, { id });
  if (!node) return null;
  const { title, endsAt } = node.codeDiscount;
  return { id: node.id, title, endsAt: endsAt === null ? null : Date.parse(endsAt) };
}

/**
 * Makes the discount, whose first code this is; one that an earlier try made with the same code is found again.
 * Shopify counts its usage limit by code, so each code is good for one order. Throws `AdminError`.
 *
 * @returns Shopify's id of the discount
 */
export async function makeDiscount(
  env: Env,
  store: Store,
  terms: DiscountTerms,
  code: string,
  now: number,
): Promise<Written<string>> {
  const [owner] = await ownersOf(env, store, [code]);
  if (owner) return { done: owner };
  const { value } = terms;
  const discount = {
    title: terms.title,
    code,
    startsAt: new Date(now).toISOString(),
    endsAt: terms.endsAt === null ? null : new Date(terms.endsAt).toISOString(),
    usageLimit: 1,
    appliesOncePerCustomer: terms.oncePerCustomer,
    context: { all: "ALL" },
    customerGets: {
      items: { all: true },
      value:
        "percent" in value
          ? { percentage: value.percent / 100 }
          : {
              discountAmount: {
                amount: toDecimal(value.amount.amount, value.amount.currency),
                appliesOnEachItem: false,
              },
            },
    },
  };
  const { discountCodeBasicCreate: answer } = await adminQuery(env, store, CreateDiscount, { discount });
  return answer?.codeDiscountNode ? { done: answer.codeDiscountNode.id } : { refused: reasonOf(answer?.userErrors) };
}

/**
 * Hands at most 250 codes to Shopify, which adds them in its own time. Throws `AdminError`.
 *
 * @returns Shopify's id of the bulk creation
 */
export async function addCodes(env: Env, store: Store, discount: string, codes: string[]): Promise<Written<string>> {
  const { discountRedeemCodeBulkAdd: answer } = await adminQuery(env, store, AddCodes, {
    discount,
    codes: codes.map((code) => ({ code })),
  });
  return answer?.bulkCreation ? { done: answer.bulkCreation.id } : { refused: reasonOf(answer?.userErrors) };
}

/** How a bulk creation stands: `added` codes work, the others Shopify refused. */
export type Creation =
  | { state: "queued" | "unknown" }
  | { state: "done"; added: string[]; refused: { code: string; reason: string }[] };

/**
 * How a bulk creation went. A code that is refused as taken and that the same discount has is one of ours from an
 * earlier try whose answer was lost. Throws `AdminError`.
 */
export async function readCreation(env: Env, store: Store, discount: string, id: string): Promise<Creation> {
  const { discountRedeemCodeBulkCreation: creation } = await adminQuery(env, store, ReadCreation, { id });
  if (!creation) return { state: "unknown" };
  if (!creation.done) return { state: "queued" };
  const { nodes } = creation.codes;
  const added = nodes.filter(({ discountRedeemCode }) => discountRedeemCode !== null).map(({ code }) => code);
  const failed = nodes.filter(({ discountRedeemCode }) => discountRedeemCode === null);
  const taken = failed.filter(({ errors }) => errors.some((error) => error.code === "TAKEN")).map(({ code }) => code);
  const owners = await ownersOf(env, store, taken);
  const ours = new Set(taken.filter((_, i) => owners[i] === discount));
  return {
    state: "done",
    added: [...added, ...ours],
    refused: failed
      .filter(({ code }) => !ours.has(code))
      .map(({ code, errors }) => ({ code, reason: reasonOf(errors) })),
  };
}

/** Shopify's ids of the discounts that have these codes; null where none has. */
async function ownersOf(env: Env, store: Store, codes: string[]): Promise<(string | null)[]> {
  const owners: (string | null)[] = [];
  for (let from = 0; from < codes.length; from += CODES_A_SEARCH) {
    const asked = codes.slice(from, from + CODES_A_SEARCH);
    // Every place has to be filled.
    const filled = Array.from({ length: CODES_A_SEARCH }, (_, i) => [`c${i}`, asked[i] ?? asked[0]]);
    const found = await adminQuery(env, store, FindCodes, Object.fromEntries(filled));
    owners.push(...asked.map((_, i) => found[`c${i}`]?.id ?? null));
  }
  return owners;
}

function reasonOf(errors: { message: string; code: string | null }[] | undefined): string {
  const text = (errors ?? []).map(({ message, code }) => (code === null ? message : `${message} (${code})`)).join("; ");
  return text === "" ? "Shopify gives no reason" : text.slice(0, 500);
}
