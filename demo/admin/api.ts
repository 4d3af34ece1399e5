import { z } from "zod";
import { uninstallApp } from "../admin-api/oauth.ts";
import type { AdminStore } from "../admin-api/store.ts";
import { findVariant, PRODUCTS } from "../catalog.ts";
import { json, type Reply, type Request, route, type Route } from "../http.ts";
import { decimal } from "../money.ts";
import { marketOf } from "../shop.ts";
import type { Deliveries } from "../shopify/deliveries.ts";
import { shopPayload } from "../shopify/order-payload.ts";
import { productPayload } from "../shopify/product-payload.ts";
import { changeTags, deleteCustomer, findCustomer, mergeCustomers, setConsent } from "../store/customers.ts";
import { orderMoney } from "../store/order-money.ts";
import {
  cancelOrder,
  editOrder,
  findOrder,
  OrderError,
  payOrder,
  placeCounterOrder,
  refundOrder,
} from "../store/orders.ts";
import { chaosSchema, type Order } from "../store/state.ts";
import { actionAt, type Store } from "../store/store.ts";

/* The merchant's side of the stand-in, for the operator page and for tests. All POSTs take JSON. */

const piece = z.object({ lineId: z.number(), quantity: z.number().int().positive() });
const refundBody = z.object({
  lines: z.array(piece).optional(),
  amount: z.number().int().positive().optional(),
  shipping: z.boolean().optional(),
  note: z.string().optional(),
});
const cancelBody = z.object({
  reason: z.enum(["customer", "fraud", "inventory", "declined", "other"]).default("customer"),
});
const editBody = z.object({
  additions: z.array(z.object({ variantId: z.number(), quantity: z.number().int().positive() })).optional(),
  removals: z.array(piece).optional(),
});
const saleBody = z.object({
  variantId: z.number(),
  quantity: z.number().int().positive().default(1),
  email: z.email().nullable().default(null),
  test: z.boolean().default(false),
});
const tagsBody = z.object({ add: z.array(z.string()).optional(), remove: z.array(z.string()).optional() });
const consentBody = z.object({
  channel: z.enum(["email", "sms"]).default("email"),
  state: z.enum(["not_subscribed", "pending", "subscribed", "unsubscribed"]),
});
const mergeBody = z.object({ kept: z.number(), lost: z.number() });
const deliverBody = z.object({
  topic: z.string(),
  payload: z.record(z.string(), z.unknown()),
  eventId: z.string().optional(),
});
const announceBody = z.object({ topic: z.enum(["products/create", "products/update"]).default("products/create") });

/** An answer of the API: what the handler returns, 404 for undefined, 422 for what the store refuses. */
function answering(handle: (request: Request) => unknown) {
  return async (request: Request): Promise<Reply> => {
    // A page of another site cannot send JSON without asking first, so it cannot press these buttons.
    if (request.method === "POST" && request.headers["content-type"]?.includes("json") !== true)
      return json({ error: "Send application/json" }, 415);
    try {
      const value = await handle(request);
      return value === undefined ? json({ error: "Not found" }, 404) : json(value);
    } catch (error) {
      if (error instanceof OrderError) return json({ error: error.message }, 422);
      if (error instanceof z.ZodError || error instanceof SyntaxError) return json({ error: error.message }, 400);
      throw error;
    }
  };
}

const bodyAs = <T>(schema: z.ZodType<T>, request: Request): T =>
  schema.parse(request.body === "" ? {} : JSON.parse(request.body));

/** An order as the API shows it: amounts as decimal strings in the shopper's currency. */
function orderView(order: Order) {
  const { currency } = marketOf(order.country);
  const money = orderMoney(order);
  return {
    id: order.id,
    name: `#${order.number}`,
    email: order.email,
    customerId: order.customerId,
    financialStatus: order.financialStatus,
    cancelled: order.cancelledAt !== null,
    currency,
    total: decimal(money.total.presentment, currency),
    currentTotal: decimal(money.currentTotal.presentment, currency),
    cartToken: order.cartToken,
    checkoutToken: order.checkoutToken,
    createdAt: new Date(order.createdAt).toISOString(),
    lines: order.lines.map(({ id, variantId, quantity, currentQuantity }) => ({
      id,
      variantId,
      title: findVariant(variantId)?.product.title ?? "",
      quantity,
      currentQuantity,
    })),
  };
}

export function adminRoutes(store: Store, deliveries: Deliveries, admin: AdminStore): Route[] {
  const { state } = store;
  const onOrder = (act: (order: Order, request: Request) => void) =>
    answering((request) => {
      const order = findOrder(store, Number(request.params["id"]));
      if (order === undefined) return undefined;
      act(order, request);
      return orderView(order);
    });
  const onCustomer = (act: (customer: NonNullable<ReturnType<typeof findCustomer>>, request: Request) => void) =>
    answering((request) => {
      const customer = findCustomer(store, Number(request.params["id"]));
      if (customer === undefined) return undefined;
      act(customer, request);
      return customer;
    });

  return [
    route(
      "GET",
      "/_admin/api/orders",
      answering(() => state.orders.map(orderView)),
    ),
    route(
      "GET",
      "/_admin/api/customers",
      answering(() => state.customers),
    ),
    route(
      "GET",
      "/_admin/api/checkouts",
      answering(() => state.checkouts),
    ),
    route(
      "GET",
      "/_admin/api/products",
      answering(() => PRODUCTS),
    ),
    route(
      "GET",
      "/_admin/api/deliveries",
      answering(() => state.deliveries),
    ),
    route(
      "GET",
      "/_admin/api/chaos",
      answering(() => state.chaos),
    ),
    route(
      "POST",
      "/_admin/api/chaos",
      answering((request) => {
        state.chaos = bodyAs(chaosSchema, request);
        store.save();
        return state.chaos;
      }),
    ),
    route(
      "POST",
      "/_admin/api/flush",
      answering(() => deliveries.flush()),
    ),
    route(
      "POST",
      "/_admin/api/deliver",
      answering((request) => {
        const { topic, payload, eventId } = bodyAs(deliverBody, request);
        const action = actionAt(request.at);
        return deliveries.enqueue(eventId === undefined ? action : { ...action, eventId }, topic, payload);
      }),
    ),
    route(
      "POST",
      "/_admin/api/deliveries/:id/replay",
      answering((request) => {
        const delivery = state.deliveries.find((one) => one.webhookId === request.params["id"]);
        if (delivery !== undefined) deliveries.replay(delivery);
        return delivery;
      }),
    ),
    route(
      "POST",
      "/_admin/api/orders",
      answering((request) => {
        const sale = bodyAs(saleBody, request);
        if (findVariant(sale.variantId) === undefined) throw new OrderError("No such variant");
        return orderView(placeCounterOrder(store, sale, request.at));
      }),
    ),
    route(
      "POST",
      "/_admin/api/orders/:id/refund",
      onOrder((order, request) => void refundOrder(store, order, bodyAs(refundBody, request), request.at)),
    ),
    route(
      "POST",
      "/_admin/api/orders/:id/cancel",
      onOrder((order, request) => cancelOrder(store, order, bodyAs(cancelBody, request).reason, request.at)),
    ),
    route(
      "POST",
      "/_admin/api/orders/:id/edit",
      onOrder((order, request) => {
        const edit = bodyAs(editBody, request);
        if (edit.additions?.some((one) => findVariant(one.variantId) === undefined))
          throw new OrderError("No such variant");
        editOrder(store, order, edit, request.at);
      }),
    ),
    route(
      "POST",
      "/_admin/api/orders/:id/pay",
      onOrder((order, request) => payOrder(store, order, request.at)),
    ),
    route(
      "POST",
      "/_admin/api/customers/merge",
      answering((request) => {
        const { kept, lost } = bodyAs(mergeBody, request);
        const [stays, goes] = [findCustomer(store, kept), findCustomer(store, lost)];
        if (stays === undefined || goes === undefined || stays === goes) return undefined;
        mergeCustomers(store, stays, goes, request.at);
        return stays;
      }),
    ),
    route(
      "POST",
      "/_admin/api/customers/:id/tags",
      onCustomer((customer, request) => changeTags(store, customer, bodyAs(tagsBody, request), actionAt(request.at))),
    ),
    route(
      "POST",
      "/_admin/api/customers/:id/consent",
      onCustomer((customer, request) => {
        const { channel, state: consent } = bodyAs(consentBody, request);
        if ((channel === "email" ? customer.email : customer.phone) === null)
          throw new OrderError(`The customer has no address for ${channel}`);
        setConsent(store, customer, channel, consent, actionAt(request.at));
      }),
    ),
    route(
      "POST",
      "/_admin/api/customers/:id/delete",
      onCustomer((customer, request) => deleteCustomer(store, customer, request.at)),
    ),
    route(
      "POST",
      "/_admin/api/products/announce",
      answering((request) => {
        const { topic } = bodyAs(announceBody, request);
        for (const product of PRODUCTS)
          store.emit(actionAt(request.at), topic, productPayload(store, product, request.at));
        return { announced: PRODUCTS.length };
      }),
    ),
    route(
      "POST",
      "/_admin/api/uninstall",
      answering((request) => {
        store.emit(actionAt(request.at), "app/uninstalled", shopPayload());
        if (admin.subscriptions.size > 0) uninstallApp(admin);
        return { uninstalled: store.domain };
      }),
    ),
  ];
}
