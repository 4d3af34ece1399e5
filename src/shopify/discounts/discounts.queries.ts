import { z } from "zod";

import type { AdminQuery } from "../admin";

const UserErrors = z.array(z.object({ message: z.string(), code: z.string().nullable() }));

export const ReadDiscount: AdminQuery<{
  node: { id: string; codeDiscount: { title: string; endsAt: string | null } } | null;
}> = {
  name: "ReadDiscount",
  text: `query ReadDiscount($id: ID!) {
  node(id: $id) {
    id
    ... on DiscountCodeNode {
      codeDiscount {
        ... on DiscountCodeBasic { title endsAt }
        ... on DiscountCodeBxgy { title endsAt }
        ... on DiscountCodeFreeShipping { title endsAt }
        ... on DiscountCodeApp { title endsAt }
      }
    }
  }
}`,
  answer: z.object({
    node: z
      .object({
        id: z.string(),
        codeDiscount: z.object({ title: z.string(), endsAt: z.iso.datetime({ offset: true }).nullable() }),
      })
      .nullable(),
  }),
};

/** Codes that one `FindCodes` looks for. */
export const CODES_A_SEARCH = 50;

const places = Array.from({ length: CODES_A_SEARCH }, (_, place) => `c${place}`);

/** Whose each of the codes is: `c0` to `c49`, all of which have to be given. */
export const FindCodes: AdminQuery<Record<string, { id: string } | null>> = {
  name: "FindCodes",
  text: `query FindCodes(${places.map((place) => `$${place}: String!`).join(", ")}) {
${places.map((place) => `  ${place}: codeDiscountNodeByCode(code: $${place}) { id }`).join("\n")}
}`,
  answer: z.record(z.string(), z.object({ id: z.string() }).nullable()),
};

export const CreateDiscount: AdminQuery<{
  discountCodeBasicCreate: {
    codeDiscountNode: { id: string } | null;
    userErrors: z.infer<typeof UserErrors>;
  } | null;
}> = {
  name: "CreateDiscount",
  text: `mutation CreateDiscount($discount: DiscountCodeBasicInput!) {
  discountCodeBasicCreate(basicCodeDiscount: $discount) {
    codeDiscountNode { id }
    userErrors { message code }
  }
}`,
  answer: z.object({
    discountCodeBasicCreate: z
      .object({ codeDiscountNode: z.object({ id: z.string() }).nullable(), userErrors: UserErrors })
      .nullable(),
  }),
};

export const AddCodes: AdminQuery<{
  discountRedeemCodeBulkAdd: { bulkCreation: { id: string } | null; userErrors: z.infer<typeof UserErrors> } | null;
}> = {
  name: "AddCodes",
  text: `mutation AddCodes($discount: ID!, $codes: [DiscountRedeemCodeInput!]!) {
  discountRedeemCodeBulkAdd(discountId: $discount, codes: $codes) {
    bulkCreation { id }
    userErrors { message code }
  }
}`,
  answer: z.object({
    discountRedeemCodeBulkAdd: z
      .object({ bulkCreation: z.object({ id: z.string() }).nullable(), userErrors: UserErrors })
      .nullable(),
  }),
};

export const ReadCreation: AdminQuery<{
  discountRedeemCodeBulkCreation: {
    done: boolean;
    codes: {
      nodes: { code: string; errors: z.infer<typeof UserErrors>; discountRedeemCode: { id: string } | null }[];
    };
  } | null;
}> = {
  name: "ReadCreation",
  text: `query ReadCreation($id: ID!) {
  discountRedeemCodeBulkCreation(id: $id) {
    done
    codes(first: 250) {
      nodes { code errors { message code } discountRedeemCode { id } }
    }
  }
}`,
  answer: z.object({
    discountRedeemCodeBulkCreation: z
      .object({
        done: z.boolean(),
        codes: z.object({
          nodes: z.array(
            z.object({
              code: z.string(),
              errors: UserErrors,
              discountRedeemCode: z.object({ id: z.string() }).nullable(),
            }),
          ),
        }),
      })
      .nullable(),
  }),
};
