import { z } from "zod";
import { escape, redirect, type Reply, type Request, reply, route, type Route, withCookie } from "../http.ts";
import { display } from "../money.ts";
import { marketOf } from "../shop.ts";
import { changeTags, customerByEmail, ensureCustomer, setConsent } from "../store/customers.ts";
import { orderMoney } from "../store/order-money.ts";
import { actionAt, type Store } from "../store/store.ts";
import { bodyOf } from "./ajax.ts";
import { type Page, type Site, themePage } from "./layout.ts";
import { customerOf, localize } from "./session.ts";

/* The account (an e-mail opens it, the demo asks no password), the sign-up form and the country choice. */

function accountPage(store: Store, request: Request): Page {
  const customer = customerOf(store, request);
  if (customer === undefined)
    return {
      title: "Account",
      template: "customers-login",
      main: `<section class="wrap top narrow"><h1>Sign in</h1><p class="lead">In this demonstration an e-mail is enough.</p><form method="post" action="/account/login" class="stack"><label class="seen">E-mail<input type="email" name="customer[email]" required autocomplete="email"></label><button class="button">Sign in</button></form></section>`,
    };
  const orders = store.state.orders.filter((order) => order.customerId === customer.id).toReversed();
  const rows = orders
    .map(
      (order) =>
        `<tr><td><a href="/orders/${order.token}">#${order.number}</a></td><td>${new Date(order.createdAt).toISOString().slice(0, 10)}</td><td>${order.cancelledAt === null ? order.financialStatus.replaceAll("_", " ") : "cancelled"}</td><td>${display(orderMoney(order).currentTotal.presentment, marketOf(order.country).currency)}</td></tr>`,
    )
    .join("");
  return {
    title: "Account",
    template: "customers-account",
    main: `<section class="wrap top narrow"><h1>Hello${customer.firstName === null ? "" : `, ${escape(customer.firstName)}`}</h1><p class="lead">${escape(customer.email ?? "")} · <a href="/account/logout">Sign out</a></p>${orders.length === 0 ? "<p>No orders yet.</p>" : `<div class="scroll"><table><thead><tr><th>Order</th><th>Date</th><th>State</th><th>Total</th></tr></thead><tbody>${rows}</tbody></table></div>`}</section>`,
  };
}

const loginBody = z.object({ customer: z.object({ email: z.email() }) });
const contactBody = z.object({
  contact: z.object({
    email: z.email(),
    tags: z.string().default(""),
    accepts_marketing: z.string().optional(),
  }),
});

/** The theme's sign-up form makes a customer, with tags and, when ticked, e-mail consent. */
function signUp(site: Site, request: Request): Reply {
  const body = contactBody.safeParse(bodyOf(request));
  if (!body.success) return reply(400, "text/plain", "An e-mail is needed.");
  const { email, tags, accepts_marketing: accepts } = body.data.contact;
  const { store } = site;
  const action = actionAt(request.at);
  const customer = ensureCustomer(store, { email, phone: null }, action);
  if (accepts !== undefined) setConsent(store, customer, "email", "subscribed", action);
  changeTags(
    store,
    customer,
    {
      add: tags
        .split(",")
        .map((tag) => tag.trim())
        .filter(Boolean),
    },
    action,
  );
  return themePage(site, request, {
    title: "Thank you",
    template: "contact",
    main: `<section class="wrap top narrow"><h1>Thank you</h1><p class="lead">A letter is on its way to ${escape(email)}. Use <strong>WELCOME10</strong> for ten percent off your first order.</p><a class="button" href="/collections/all">Back to the shop</a></section>`,
  });
}

export function accountRoutes(site: Site): Route[] {
  const { store } = site;
  return [
    route("GET", "/account", (request) => themePage(site, request, accountPage(store, request))),
    route("POST", "/account/login", (request) => {
      const body = loginBody.safeParse(bodyOf(request));
      if (!body.success) return redirect("/account");
      const { email } = body.data.customer;
      const customer =
        customerByEmail(store, email) ?? ensureCustomer(store, { email, phone: null }, actionAt(request.at));
      return withCookie(redirect("/account"), "demo_customer", String(customer.id));
    }),
    route("GET", "/account/logout", () => withCookie(redirect("/"), "demo_customer", "", 0)),
    route("POST", "/contact", (request) => signUp(site, request)),
    route("POST", "/localization", (request) => {
      const form = new URLSearchParams(request.body);
      return localize(form.get("country_code") ?? "DE", form.get("return_to") ?? "/");
    }),
  ];
}
