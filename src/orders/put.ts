import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { onConflictRetry, sql } from "../db/client";
import { AppError, type FieldError } from "../errors";
import type { Money } from "../lib/money";
import { recount } from "../contacts";
import { contactNamed } from "../contacts/rest";
import { armClock } from "../jobs";
import { visitorJoined } from "../identity";
import { findOrder } from "./read";
import type { NewOrder, Order } from "./schemas";
import type { OrderSource } from "./source";
import { planOrder } from "./upsert";

/**
 * Takes an order by its external id: makes it, or changes the one that is there. Telling the same again changes
 * nothing. Throws `validation_failed` for amounts that are not in the shop's currency.
 */
export async function putOrder(ctx: Ctx, input: NewOrder): Promise<{ order: Order; isNew: boolean }> {
  refuseOtherCurrencies(ctx.shop.currency, input);
  const contact = await contactNamed(ctx, input, "");
  const order = toSource(input, await readStored(ctx, input.externalId), ctx.now);
  const from = {
    tracker: input.visitorId ?? null,
    cartToken: input.cartToken ?? null,
    checkoutToken: input.checkoutToken ?? null,
    at: ctx.now,
  };
  await armClock(ctx.env, ctx.shop.key, ctx.now);
  const plan = await onConflictRetry(async () => {
    const plan = await planOrder(ctx.db, ctx.shop.key, order, contact?.key ?? null, ctx.now);
    await ctx.db.batch([
      plan.guard,
      ...plan.statements,
      ...(contact ? visitorJoined(ctx, contact, from) : []),
      ...plan.contacts.flatMap((key) => recount(ctx.db, ctx.shop.key, key, ctx.now)),
      audit(ctx, plan.isNew ? "order.created" : "order.updated", plan.id, Object.keys(input)),
    ]);
    return plan;
  });
  const shown = await findOrder(ctx, plan.id);
  if (!shown) throw new AppError("not_found");
  return { order: shown, isNew: plan.isNew };
}

/** Only the shop's currency adds up; what the customer saw goes into `presentmentTotal`. */
function refuseOtherCurrencies(currency: string, input: NewOrder): void {
  const amounts: [string, Money | null | undefined][] = [
    ["/total", input.total],
    ["/originalTotal", input.originalTotal],
    ["/subtotal", input.subtotal],
    ["/discount", input.discount],
    ["/shipping", input.shipping],
    ["/tax", input.tax],
    ...(input.items ?? []).flatMap((item, i): [string, Money | undefined][] => [
      [`/items/${i}/price`, item.price],
      [`/items/${i}/discountedPrice`, item.discountedPrice],
    ]),
  ];
  const errors = amounts.flatMap(([pointer, money]): FieldError[] =>
    money && money.currency !== currency
      ? [{ pointer: `${pointer}/currency`, detail: `must be the shop's currency, ${currency}` }]
      : [],
  );
  if (errors.length > 0) throw new AppError("validation_failed", undefined, { errors: errors.slice(0, 50) });
}

/** What stays when it is not told again. */
interface Stored {
  placedAt: number;
  originalTotal: number;
  cancelledAt: number | null;
}

function readStored(ctx: Ctx, externalId: string): Promise<Stored | null> {
  return sql(
    ctx.db,
    `select placed_at as "placedAt", original_total as "originalTotal", cancelled_at as "cancelledAt" from orders
     where shop = ? and origin = 'api' and external_id = ?`,
    ctx.shop.key,
    externalId,
  ).first<Stored>();
}

function toSource(input: NewOrder, stored: Stored | null, now: number): OrderSource {
  const amount = (money: Money | null | undefined) => (money === undefined ? undefined : (money?.amount ?? null));
  return defined({
    origin: "api" as const,
    externalId: input.externalId,
    state: input.state,
    name: input.name,
    cartToken: input.cartToken,
    checkoutToken: input.checkoutToken,
    currency: input.total.currency,
    total: input.total.amount,
    originalTotal: input.originalTotal?.amount ?? stored?.originalTotal ?? input.total.amount,
    subtotal: amount(input.subtotal),
    discount: amount(input.discount),
    shipping: amount(input.shipping),
    tax: amount(input.tax),
    presentmentCurrency: input.presentmentTotal?.currency,
    presentmentTotal: amount(input.presentmentTotal),
    discountCodes: input.discountCodes,
    tags: input.tags,
    shippingMethod: input.shippingMethod,
    sourceName: input.sourceName,
    test: input.test,
    placedAt: input.placedAt ?? stored?.placedAt ?? now,
    cancelledAt: input.cancelledAt ?? (input.state === "cancelled" ? (stored?.cancelledAt ?? now) : undefined),
    fulfilledAt: input.fulfilledAt,
    deliveredAt: input.deliveredAt,
    items: input.items?.map((item) => ({
      externalId: item.externalId ?? null,
      productId: item.productId ?? null,
      variantId: item.variantId ?? null,
      sku: item.sku ?? null,
      title: item.title,
      variantTitle: item.variantTitle ?? null,
      vendor: item.vendor ?? null,
      category: item.category ?? null,
      image: item.image ?? null,
      quantity: item.quantity,
      currentQuantity: item.currentQuantity ?? item.quantity,
      price: item.price.amount,
      discountedPrice: (item.discountedPrice ?? item.price).amount,
    })),
    refunds: [],
    tracker: input.visitorId ?? null,
    version: { updatedAt: input.updatedAt ?? now, triggeredAt: now },
  });
}

/** What was not told is not there, instead of being there as `undefined`. */
function defined<T extends object>(source: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
