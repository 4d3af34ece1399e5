import { z } from "@hono/zod-openapi";

import { ShopRef, Text, TimeSchema } from "../api/schemas";
import { ContactFilter } from "../contacts/schemas";

export const ListSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    size: z.int(),
    createdAt: TimeSchema,
    updatedAt: TimeSchema,
  })
  .openapi("List");

export type List = z.infer<typeof ListSchema>;

const Name = Text(200).min(1);
const Id = z.string().min(1).max(100);

export const NewList = z
  .strictObject({
    shop: ShopRef.optional(),
    name: Name,
    segment: Id.optional().openapi({ description: "Id of a segment whose members, as they are now, it begins with" }),
  })
  .openapi("NewList");

export const ListPatch = z.strictObject({ name: Name }).openapi("ListPatch");

/** Everybody has to be asked for in so many words: a filter that was left empty by mistake changes nothing. */
const MemberFilter = ContactFilter.extend({ all: z.literal(true).optional() }).refine(
  (filter) => Object.keys(filter).length > 0,
  "names no contacts; for all of them it is { all: true }",
);

export const ListChange = z
  .strictObject({
    action: z.enum(["add", "remove"]),
    contactIds: z.array(Id).max(1_000).optional(),
    visitorIds: z.array(z.uuid()).max(1_000).optional(),
    filter: MemberFilter.optional(),
    segment: Id.optional(),
  })
  .refine(
    ({ contactIds, visitorIds, filter, segment }) =>
      [contactIds ?? visitorIds, filter, segment].filter((part) => part !== undefined).length === 1,
    "needs ids, or a filter, or a segment",
  )
  .openapi("ListChange");

export type ListChange = z.infer<typeof ListChange>;

export const ListChangedSchema = z
  .strictObject({
    jobId: z.string(),
    state: z.enum(["running", "done"]),
    changed: z.int().openapi({ description: "Members added or removed so far" }),
    size: z.int(),
  })
  .openapi("ListChanged");

/** Where somebody stands: on a list, or in a segment, and since when. */
export const StandingSchema = z
  .strictObject({ id: z.string(), name: z.string(), since: TimeSchema })
  .openapi("Standing");

export type Standing = z.infer<typeof StandingSchema>;

export const ListMemberSchema = z
  .strictObject({ kind: z.enum(["contact", "visitor"]), id: z.string(), addedAt: TimeSchema })
  .openapi("ListMember", { description: "Of an anonymous visitor nothing is told but the id" });

export type ListMember = z.infer<typeof ListMemberSchema>;
