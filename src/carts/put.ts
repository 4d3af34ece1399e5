import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { onConflictRetry, sql } from "../db/client";
import { AppError } from "../errors";
import { contactNamed } from "../contacts/rest";
import { armClock } from "../jobs";
import { visitorJoined } from "../identity";
import type { CartLineSource } from "./lines";
import { findCart } from "./read";
import type { Cart, NewCart } from "./schemas";
import { type CartSource, planCart } from "./upsert";

/** Takes a cart by its token: makes it, or changes the one that is there. Telling the same again changes nothing. */
export async function putCart(ctx: Ctx, input: NewCart): Promise<{ cart: Cart; isNew: boolean }> {
  const { db, shop, now } = ctx;
  const token = tokenOf(input);
  const contact = await contactNamed(ctx, input, "");
  const source: CartSource = {
    kind: "cart",
    token,
    checkoutToken: input.checkoutToken ?? null,
    ...(input.value ? { currency: input.value.currency, value: input.value.amount } : {}),
    ...(input.items ? { items: input.items.map(toLine) } : {}),
    ...(input.checkoutUrl === undefined ? {} : { checkoutUrl: input.checkoutUrl }),
    completedAt: null,
    tracker: input.visitorId ?? null,
    version: { updatedAt: input.updatedAt ?? now, triggeredAt: now },
  };
  const from = { tracker: source.tracker, cartToken: source.token, checkoutToken: source.checkoutToken, at: now };
  const before = await idOf(db, shop.key, token);
  await armClock(ctx.env, shop.key, now);
  await onConflictRetry(async () => {
    const plan = await planCart(db, shop.key, source, contact?.key ?? null, now);
    await db.batch([
      ...plan.guards,
      ...plan.statements,
      ...(contact ? visitorJoined(ctx, contact, from) : []),
      audit(ctx, before === null ? "cart.created" : "cart.updated", token, Object.keys(input)),
    ]);
  });
  const id = await idOf(db, shop.key, token);
  const cart = id === null ? null : await findCart(ctx, id);
  if (!cart) throw new AppError("not_found");
  return { cart, isNew: before === null };
}

function tokenOf({ token, externalId }: NewCart): string {
  const named = token ?? externalId;
  if (named !== undefined && (token === undefined || externalId === undefined || token === externalId)) return named;
  const detail = named === undefined ? "a token or an externalId is needed" : "differs from the externalId";
  throw new AppError("validation_failed", undefined, { errors: [{ pointer: "/token", detail }] });
}

function idOf(db: D1Database, shop: number, token: string): Promise<string | null> {
  return sql(db, "select id from carts where shop = ? and token = ?", shop, token).first<string>("id");
}

function toLine(line: NonNullable<NewCart["items"]>[number]): CartLineSource {
  return {
    productId: line.productId ?? null,
    variantId: line.variantId ?? null,
    sku: line.sku ?? null,
    title: line.title ?? null,
    vendor: line.vendor ?? null,
    quantity: line.quantity,
    price: line.price ?? null,
    image: line.image ?? null,
    url: line.url ?? null,
  };
}
