import { type Args, listOf, type Listing, type Source } from "./listing.ts";
import { nextFailure } from "./failures.ts";
import { gid, parseGid, stampOf } from "./stamps.ts";
import type { AdminStore } from "./store.ts";

/** A discount made over the API. */
export type Discount = {
  id: number;
  title: string;
  codes: string[];
  startsAt: string;
  endsAt: string | null;
  createdAt: number;
  usageLimit: number | null;
  once: boolean;
};

/** Codes that are being added in bulk. */
export type CodeCreation = {
  id: number;
  discount: Discount;
  createdAt: number;
  results: { code: string; errors: UserError[]; position: number | null }[];
  done: boolean;
};

type UserError = { field: string[]; message: string; code: string; extraInfo: null };

/** Shopify takes so many codes at once. */
const MOST_AT_ONCE = 250;
const LONGEST = 255;

const error = (field: string[], message: string, code: string): UserError => ({
  field,
  message,
  code,
  extraInfo: null,
});

/** What is wrong with a code; codes are unique in a store whatever their case. */
function against(store: AdminStore, code: string, field: string[]): UserError[] {
  if (code.trim() === "") return [error(field, "Code can't be blank", "BLANK")];
  if (code.length > LONGEST) return [error(field, `Code is too long (maximum is ${LONGEST} characters)`, "TOO_LONG")];
  const taken = [...store.discounts.values()].some(({ codes }) =>
    codes.some((one) => one.toLowerCase() === code.toLowerCase()),
  );
  return taken ? [error(field, "Code must be unique. Please try a different code.", "TAKEN")] : [];
}

const has = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;

/** `discountCodeBasicCreate`. */
export function createDiscount(store: AdminStore, args: Args): Source {
  const input = args["basicCodeDiscount"];
  const at = (name: string): string[] => ["basicCodeDiscount", name];
  const [title, code, startsAt, endsAt] = ["title", "code", "startsAt", "endsAt"].map((name) => has(input, name));
  const errors =
    typeof code === "string" ? against(store, code, at("code")) : [error(at("code"), "Code can't be blank", "BLANK")];
  if (typeof title !== "string" || title === "") errors.push(error(at("title"), "Title can't be blank", "BLANK"));
  if (typeof startsAt !== "string") errors.push(error(at("startsAt"), "Starts at can't be blank", "BLANK"));
  if (typeof startsAt === "string" && typeof endsAt === "string" && Date.parse(endsAt) <= Date.parse(startsAt))
    errors.push(error(at("endsAt"), "Ends at needs to be after starts_at", "END_DATE_BEFORE_START_DATE"));
  const value = has(has(input, "customerGets"), "value");
  const percentage = has(value, "percentage");
  if (value === undefined) errors.push(error(at("customerGets"), "Value can't be blank", "BLANK"));
  if (typeof percentage === "number" && (percentage <= 0 || percentage > 1))
    errors.push(
      error([...at("customerGets"), "value", "percentage"], "Value must be between 0.0 and 1.0", "VALUE_OUTSIDE_RANGE"),
    );
  if (errors.length > 0) return { codeDiscountNode: null, userErrors: errors };
  const limit = has(input, "usageLimit");
  const discount: Discount = {
    id: store.nextId(),
    title: String(title),
    codes: [String(code)],
    startsAt: String(startsAt),
    endsAt: typeof endsAt === "string" ? endsAt : null,
    createdAt: store.now(),
    usageLimit: typeof limit === "number" ? limit : null,
    once: has(input, "appliesOncePerCustomer") === true,
  };
  store.discounts.set(discount.id, discount);
  return { codeDiscountNode: discountNode(store, discount), userErrors: [] };
}

/** `discountRedeemCodeBulkAdd`: taken on here, done when somebody next asks for it. */
export function addCodes(store: AdminStore, args: Args): Source {
  const discount = store.discounts.get(parseGid(args["discountId"])?.id ?? 0);
  const codes = (Array.isArray(args["codes"]) ? args["codes"] : []).map((one) => String(has(one, "code")));
  const refuse = (field: string, message: string, code: string): Source => ({
    bulkCreation: null,
    userErrors: [error([field], message, code)],
  });
  if (discount === undefined) return refuse("discountId", "Code discount does not exist.", "INVALID");
  if (codes.length === 0) return refuse("codes", "Codes can't be blank", "BLANK");
  if (codes.length > MOST_AT_ONCE) return refuse("codes", `Codes can't exceed ${MOST_AT_ONCE}`, "TOO_MANY_ARGUMENTS");
  const creation: CodeCreation = {
    id: store.nextId(),
    discount,
    createdAt: store.now(),
    results: codes.map((code) => ({ code, errors: [], position: null })),
    done: false,
  };
  store.codeCreations.set(creation.id, creation);
  return { bulkCreation: shownCreation(store, creation), userErrors: [] };
}

/** Carries a bulk creation out, unless a failure of `redeem-codes` keeps it waiting; codes that are taken fail one by one. */
export function creationNode(store: AdminStore, id: number): Source | null {
  const creation = store.codeCreations.get(id);
  if (creation === undefined) return null;
  if (!creation.done && nextFailure(store.failures, ["redeem-codes"]) === undefined) {
    for (const result of creation.results) {
      result.errors = against(store, result.code, ["code"]);
      if (result.errors.length === 0) result.position = creation.discount.codes.push(result.code) - 1;
    }
    creation.done = true;
  }
  return shownCreation(store, creation);
}

function shownCreation(store: AdminStore, { id, discount, createdAt, results, done }: CodeCreation): Source {
  return {
    __typename: "DiscountRedeemCodeBulkCreation",
    id: gid("DiscountRedeemCodeBulkCreation", id),
    codesCount: results.length,
    importedCount: results.filter(({ position }) => position !== null).length,
    failedCount: results.filter(({ errors }) => errors.length > 0).length,
    done,
    createdAt: stampOf(createdAt),
    discountCode: () => discountNode(store, discount),
    codes: listOf(
      results.map(({ code, errors, position }) => ({
        code,
        errors,
        discountRedeemCode: position === null ? null : codeNode(discount, position),
      })),
    ),
  };
}

const codeNode = (discount: Discount, at: number): Source => ({
  __typename: "DiscountRedeemCode",
  id: gid("DiscountRedeemCode", discount.id + at + 1),
  code: discount.codes[at] ?? "",
  asyncUsageCount: 0,
  createdBy: null,
});

export function discountNode(store: AdminStore, discount: Discount): Source {
  const { codes, endsAt } = discount;
  const listing = (): Listing => listOf(codes.map((_, at) => codeNode(discount, at)));
  const now = store.now();
  const status =
    Date.parse(discount.startsAt) > now
      ? "SCHEDULED"
      : endsAt !== null && Date.parse(endsAt) <= now
        ? "EXPIRED"
        : "ACTIVE";
  return {
    __typename: "DiscountCodeNode",
    id: gid("DiscountCodeNode", discount.id),
    metafield: null,
    codeDiscount: {
      __typename: "DiscountCodeBasic",
      title: discount.title,
      status,
      startsAt: discount.startsAt,
      endsAt,
      usageLimit: discount.usageLimit,
      appliesOncePerCustomer: discount.once,
      asyncUsageCount: 0,
      codesCount: { count: codes.length, precision: "EXACT" },
      codes: listing,
      createdAt: stampOf(discount.createdAt),
      updatedAt: stampOf(discount.createdAt),
      summary: discount.title,
      shortSummary: discount.title,
      tags: [],
      totalSales: null,
    },
  };
}

/** `codeDiscountNodeByCode`. */
export function discountByCode(store: AdminStore, args: Args): Source | null {
  const wanted = String(args["code"]).toLowerCase();
  const found = [...store.discounts.values()].find(({ codes }) => codes.some((code) => code.toLowerCase() === wanted));
  return found === undefined ? null : discountNode(store, found);
}
