import { z } from "zod";
import { findProduct } from "../catalog.ts";
import { json, type Reply, type Request, route, type Route } from "../http.ts";
import { addToCart, CartError, changeLine, clearCart, keepCart, updateCart } from "../store/carts.ts";
import type { Store } from "../store/store.ts";
import { cartJson, lineJson, productJson } from "./ajax-shapes.ts";
import { cartOf, withCart } from "./session.ts";

/* Shopify's Ajax API: /cart.js, /cart/{add,change,update,clear}.js and /products/{handle}.js. */

const quantity = z.coerce.number().int();
const properties = z.record(z.string(), z.coerce.string()).default({});
const texts = z.record(z.string(), z.coerce.string());
const addition = z.object({ id: z.coerce.number(), quantity: quantity.default(1), properties });
const addBody = z.union([z.object({ items: z.array(addition) }), addition]);
const changeBody = z.object({ id: z.coerce.string().optional(), line: z.coerce.number().optional(), quantity });
const updateBody = z.object({
  note: z.string().optional(),
  attributes: texts.optional(),
  updates: z.record(z.string(), quantity).optional(),
});

/** A body as JSON or as a form; `a[b]=c` of a form becomes `{ a: { b: "c" } }`. */
export function bodyOf(request: Request): unknown {
  if (request.headers["content-type"]?.includes("json") === true) {
    try {
      return JSON.parse(request.body);
    } catch {
      return undefined;
    }
  }
  const plain: Record<string, string> = {};
  const nested: Record<string, Record<string, string>> = {};
  for (const [name, value] of formOf(request)) {
    const parts = /^(\w+)\[(.+)\]$/.exec(name);
    const [, group, key] = parts ?? [];
    if (group === undefined || key === undefined) plain[name] = value;
    else (nested[group] ??= {})[key] = value;
  }
  return { ...plain, ...nested };
}

/** The fields of a form, urlencoded or multipart without files (what `new FormData(form)` sends). */
function formOf(request: Request): Iterable<[string, string]> {
  const boundary = /multipart\/form-data.*boundary="?([^";]+)/.exec(request.headers["content-type"] ?? "")?.[1];
  if (boundary === undefined) return new URLSearchParams(request.body);
  return request.body.split(`--${boundary}`).flatMap((part): [string, string][] => {
    const found = /name="([^"]*)"[^]*?\r\n\r\n([^]*)\r\n$/.exec(part);
    return found?.[1] === undefined || found[2] === undefined ? [] : [[found[1], found[2]]];
  });
}

const cartError = (description: string): Reply => json({ status: 422, message: "Cart Error", description }, 422);

export function ajaxRoutes(store: Store): Route[] {
  /** One endpoint that changes the cart and answers with it, or with what `answer` makes. */
  const changing =
    (change: (request: Request, cart: ReturnType<typeof cartOf>) => object | undefined) =>
    (request: Request): Reply => {
      const cart = cartOf(store, request);
      try {
        const answer = change(request, cart) ?? cartJson(cart, request.market, store.url);
        return withCart(json(answer), cart);
      } catch (error) {
        if (error instanceof CartError) return cartError(error.message);
        if (error instanceof z.ZodError) return cartError("Parameter missing or invalid");
        throw error;
      }
    };

  const add = changing((request, cart) => {
    const body = addBody.parse(bodyOf(request));
    const lines = addToCart(store, cart, "items" in body ? body.items : [body], request.at);
    const answers = lines.map((line) => lineJson(line, request.market, store.url));
    return "items" in body ? { items: answers } : answers[0];
  });
  const change = changing((request, cart) => {
    const body = changeBody.parse(bodyOf(request));
    changeLine(store, cart, body, body.quantity, request.at);
    return undefined;
  });
  const update = changing((request, cart) => {
    updateCart(store, cart, updateBody.parse(bodyOf(request)), request.at);
    return undefined;
  });
  const clear = changing((request, cart) => {
    clearCart(store, cart, request.at);
    return undefined;
  });

  const read = (request: Request): Reply => {
    const cart = cartOf(store, request);
    keepCart(store, cart);
    return withCart(json(cartJson(cart, request.market, store.url)), cart);
  };

  return [
    route("GET", "/cart.js", read),
    route("GET", "/cart.json", read),
    ...[".js", ".json", ""].flatMap((end) => [
      route("POST", `/cart/add${end}`, add),
      route("POST", `/cart/change${end}`, change),
      route("POST", `/cart/update${end}`, update),
      route("POST", `/cart/clear${end}`, clear),
    ]),
    route("GET", "/products/:handle.js", (request) => {
      const product = findProduct(request.params["handle"] ?? "");
      return product === undefined ? json({ status: 404 }, 404) : json(productJson(product, request.market));
    }),
  ];
}
