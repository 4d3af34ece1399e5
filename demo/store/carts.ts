import { createHash } from "node:crypto";
import { findVariant } from "../catalog.ts";
import { cartPayload } from "../shopify/cart-payload.ts";
import { marketOf } from "../shop.ts";
import type { Cart, Line } from "./state.ts";
import { actionAt, hex, letters, type Store } from "./store.ts";

/** Refused by the cart; the message is for the shopper. */
export class CartError extends Error {}

export type Addition = { id: number; quantity: number; properties: Record<string, string> };

export function findCart(store: Store, token: string | undefined): Cart | undefined {
  return store.state.carts.find((cart) => cart.token === token);
}

/** An empty cart that nobody has been told about yet: Shopify announces a cart with its first change. */
export function openCart(
  store: Store,
  from: { country: string; landingSite: string | null; referringSite: string | null; at: number },
): Cart {
  return {
    token: `hWN${letters(21)}`,
    key: hex(16),
    country: marketOf(from.country).country,
    note: null,
    attributes: {},
    lines: [],
    createdAt: from.at,
    updatedAt: from.at,
    announced: false,
    landingSite: from.landingSite,
    referringSite: from.referringSite,
  };
}

/** Remembers a cart that a page was told the token of, so that the token stays the same. */
export function keepCart(store: Store, cart: Cart): void {
  if (store.state.carts.includes(cart)) return;
  store.state.carts.push(cart);
  store.save();
}

/** Adds variants, joining lines that are alike. Returns the lines as they are now. */
export function addToCart(store: Store, cart: Cart, additions: Addition[], at: number): Line[] {
  for (const { id, quantity } of additions) {
    if (findVariant(id) === undefined) throw new CartError("Cannot find variant");
    if (quantity < 1) throw new CartError("You can only add whole, positive quantities to the cart.");
  }
  const added = additions.map(({ id, quantity, properties }) => {
    const key = `${id}:${createHash("md5").update(JSON.stringify(properties)).digest("hex")}`;
    const present = cart.lines.find((line) => line.key === key);
    if (present !== undefined) {
      present.quantity += quantity;
      return present;
    }
    const line: Line = { key, variantId: id, quantity, properties };
    cart.lines.unshift(line);
    return line;
  });
  announce(store, cart, at);
  return added;
}

/** Sets the quantity of the line found by key, by variant id, or by its 1-based position. */
export function changeLine(
  store: Store,
  cart: Cart,
  which: { id?: string | undefined; line?: number | undefined },
  quantity: number,
  at: number,
): void {
  const index =
    which.line !== undefined
      ? which.line - 1
      : cart.lines.findIndex((line) => line.key === which.id || String(line.variantId) === which.id);
  const line = cart.lines[index];
  if (line === undefined) throw new CartError("no valid id or line parameter");
  if (quantity === line.quantity) return;
  if (quantity <= 0) cart.lines.splice(index, 1);
  else line.quantity = quantity;
  announce(store, cart, at);
}

/** The note, attributes and quantities of `/cart/update.js`. A change of nothing tells nobody. */
export function updateCart(
  store: Store,
  cart: Cart,
  change: {
    note?: string | undefined;
    attributes?: Record<string, string> | undefined;
    updates?: Record<string, number> | undefined;
  },
  at: number,
): void {
  const before = JSON.stringify([cart.note, cart.attributes, cart.lines]);
  if (change.note !== undefined) cart.note = change.note === "" ? null : change.note;
  for (const [name, value] of Object.entries(change.attributes ?? {})) {
    if (value === "") delete cart.attributes[name];
    else cart.attributes[name] = value;
  }
  for (const [id, quantity] of Object.entries(change.updates ?? {})) {
    const line = cart.lines.find((one) => one.key === id || String(one.variantId) === id);
    if (line !== undefined) line.quantity = quantity;
    else if (quantity > 0 && findVariant(Number(id)) !== undefined)
      cart.lines.unshift({ key: `${id}:${hex(16)}`, variantId: Number(id), quantity, properties: {} });
  }
  cart.lines = cart.lines.filter((line) => line.quantity > 0);
  if (JSON.stringify([cart.note, cart.attributes, cart.lines]) !== before) announce(store, cart, at);
}

/** Takes everything out; note and attributes stay, as in Shopify. */
export function clearCart(store: Store, cart: Cart, at: number): void {
  if (cart.lines.length === 0) return;
  cart.lines = [];
  announce(store, cart, at);
}

function announce(store: Store, cart: Cart, at: number): void {
  cart.updatedAt = at;
  keepCart(store, cart);
  const topic = cart.announced ? "carts/update" : "carts/create";
  cart.announced = true;
  store.emit(actionAt(at), topic, cartPayload(store, cart));
  store.save();
}
