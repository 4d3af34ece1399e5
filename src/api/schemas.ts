import { z } from "@hono/zod-openapi";

/**
 * Text that a person typed: trimmed, and without what a database or a log cannot hold faithfully (NUL and half of a
 * surrogate pair).
 */
export function Text(max: number) {
  return z
    .string()
    .trim()
    .max(max)
    .refine((value) => !value.includes("\u0000") && value.isWellFormed(), "holds characters that are not text");
}

/** Integer minor units of an ISO 4217 currency. */
export const MoneySchema = z
  .strictObject({
    amount: z.int().openapi({ description: "Integer minor units: 1999 is 19.99 EUR", example: 1999 }),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, "is not an ISO 4217 code")
      .openapi({ example: "EUR" }),
  })
  .openapi("Money");

/** A time as it goes out: ISO 8601 in UTC. */
export const TimeSchema = z.string().openapi({ format: "date-time", example: "2026-11-22T08:30:00.000Z" });

/** A time as it comes in: ISO 8601 with an offset or `Z`; epoch ms after parsing. */
export const TimeInput = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .openapi({ type: "string", format: "date-time" });

/** A value or nothing: what an absent fact looks like in every answer. */
export const MaybeText = z.string().nullable();
export const MaybeTime = TimeSchema.nullable();

/** A named schema or null. Not `.nullable()`: that would write null into the named component, or a contradiction. */
export function Maybe<S extends z.ZodType>(schema: S) {
  return z.union([schema, z.null()]);
}

/** A shop by domain or id. */
export const ShopRef = z.string().min(1).max(253).openapi({ example: "acme.myshopify.com" });

/** The query of every list. Extend it with filters: `PageQuery.extend({ tag: ... })`. */
export const PageQuery = z.object({
  shop: ShopRef.optional().openapi({ description: "Domain or id; needed with the operator token" }),
  limit: z.coerce.number().int().min(1).max(250).default(50).openapi({ type: "integer" }),
  cursor: z.string().min(1).max(1000).optional().openapi({ description: "`nextCursor` of the page before" }),
});

/** The query of routes about one record. */
export const ShopQuery = PageQuery.pick({ shop: true });

export const IdParam = z.object({ id: z.string().min(1).max(300) });

/** RFC 9457. */
export const ProblemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    requestId: z.string(),
    errors: z.array(z.strictObject({ pointer: z.string(), detail: z.string() })).optional(),
    contactId: z.string().optional().openapi({ description: "The contact that exists already" }),
    survivorId: z.string().optional().openapi({ description: "The contact that this one was merged into" }),
    shopId: z.string().optional().openapi({ description: "The shop that exists already" }),
  })
  .openapi("Problem");
