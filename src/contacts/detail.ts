import { z } from "@hono/zod-openapi";

import { CartSchema } from "../carts/schemas";
import type { Ctx } from "../context";
import { listsOf } from "../lists/rest";
import { StandingSchema } from "../lists/schemas";
import { OrderSchema } from "../orders/schemas";
import { TimelineItemSchema } from "../visitor/schemas";
import { listCarts } from "../carts/rest";
import { listOrders } from "../orders/rest";
import { contactTimeline } from "../visitor/rest";
import { contactShape, type Include } from "./schemas";

const partShape = {
  orders: z.array(OrderSchema).optional(),
  carts: z.array(CartSchema).optional(),
  events: z.array(TimelineItemSchema).optional(),
  conversations: z.array(z.strictObject({})).max(0).optional(),
  notes: z.array(z.strictObject({})).max(0).optional(),
  lists: z.array(StandingSchema).optional(),
  segments: z.array(StandingSchema).optional(),
};

/** A contact with what `include` asked for: the first page of each, the newest first. */
export const ContactDetailSchema = z.strictObject({ ...contactShape, ...partShape }).openapi("ContactDetail");

type Parts = Pick<z.infer<typeof ContactDetailSchema>, Include>;

const PAGE = { limit: 50 };

/** What belongs to a contact, as far as it is asked for. */
export async function includeParts(
  ctx: Ctx,
  contact: { key: number; id: string },
  include: Include[],
): Promise<Partial<Parts>> {
  const read: Record<Include, () => Promise<Partial<Parts>>> = {
    orders: async () => ({ orders: (await listOrders(ctx, { contactId: contact.id }, PAGE)).items }),
    carts: async () => ({ carts: (await listCarts(ctx, { contactId: contact.id }, PAGE)).items }),
    events: async () => ({ events: (await contactTimeline(ctx, contact.key, PAGE)).items }),
    conversations: async () => ({ conversations: [] }),
    notes: async () => ({ notes: [] }),
    lists: async () => ({ lists: await listsOf(ctx, "list", contact.key) }),
    segments: async () => ({ segments: await listsOf(ctx, "segment", contact.key) }),
  };
  const parts = await Promise.all(include.map((name) => read[name]()));
  return Object.assign({}, ...parts);
}
