import { z } from "zod";
import { json, redirect, type Reply, type Request, route, type Route, withCookie } from "../http.ts";
import { MARKETS } from "../shop.ts";
import { findCart, updateCart } from "../store/carts.ts";
import { enterCheckout, findCheckout, setContact, setDiscount, setShipping } from "../store/checkouts.ts";
import { findOrder, placeOrder } from "../store/orders.ts";
import type { Address, Checkout } from "../store/state.ts";
import { bodyOf } from "./ajax.ts";
import { checkoutPage, checkoutPath, informationForm, paymentForm, shippingForm, thankYou } from "./checkout-pages.ts";
import { checkoutData } from "./event-data.ts";
import type { Site } from "./layout.ts";
import { cartOf, customerOf } from "./session.ts";
import { notFoundPage } from "./shop-pages.ts";

const PATH = "/checkouts/cn/:cart/:locale";

const phone = z
  .string()
  .trim()
  .transform((value) => (value === "" ? null : value.replaceAll(/[\s()-]/g, "")))
  .default(null);

const informationBody = z.object({
  email: z.email().or(z.literal("").transform(() => null)),
  marketing: z.string().optional(),
  country: z.string(),
  firstName: z.string().trim().min(1),
  lastName: z.string().trim().min(1),
  address1: z.string().trim().min(1),
  zip: z.string().trim().min(1),
  city: z.string().trim().min(1),
  province: z.string().optional(),
  provinceCode: z.string().optional(),
  phone,
});

const contactBody = z.object({ email: z.email(), marketing: z.boolean().default(false) });

function addressFrom(body: z.infer<typeof informationBody>): Address {
  return {
    firstName: body.firstName,
    lastName: body.lastName,
    company: null,
    address1: body.address1,
    address2: null,
    city: body.city,
    province: body.province ?? null,
    provinceCode: body.provinceCode ?? null,
    country: MARKETS.find((market) => market.country === body.country)?.name ?? body.country,
    countryCode: body.country,
    zip: body.zip,
    phone: body.phone,
  };
}

/** An event waits once for the next page, however often the step is submitted before it. */
function publishLater(checkout: Checkout, name: string): void {
  if (!checkout.pendingEvents.includes(name)) checkout.pendingEvents.push(name);
}

export function checkoutRoutes(site: Site): Route[] {
  const { store } = site;

  const enter = (request: Request): Reply => {
    const cart = cartOf(store, request);
    const note = new URLSearchParams(request.body).get("note");
    if (note !== null) updateCart(store, cart, { note }, request.at);
    if (cart.lines.length === 0) return redirect("/cart");
    const checkout = enterCheckout(store, cart, customerOf(store, request)?.id ?? null, request.at);
    return redirect(checkoutPath(checkout, "information"));
  };

  /** A step of an open checkout; a completed one goes to its thank-you page. */
  const step = (handle: (request: Request, checkout: Checkout) => Reply) => (request: Request) => {
    const checkout = findCheckout(store, request.params["cart"] ?? "");
    if (checkout === undefined) return notFoundPage(site, request);
    return checkout.completedAt === null ? handle(request, checkout) : redirect(checkoutPath(checkout, "thank-you"));
  };

  const showInformation = (request: Request, checkout: Checkout, problem?: string): Reply =>
    checkoutPage(site, request, checkout, { step: "information", main: informationForm(checkout, problem) });

  const submitInformation = (request: Request, checkout: Checkout): Reply => {
    const parsed = informationBody.safeParse(bodyOf(request));
    if (!parsed.success) return showInformation(request, checkout, "Please fill in every field.");
    const body = parsed.data;
    if (body.email === null && body.phone === null)
      return showInformation(request, checkout, "We need an e-mail or a phone number.");
    const news = body.email !== checkout.email || body.phone !== checkout.phone;
    setContact(
      store,
      checkout,
      {
        email: body.email,
        phone: body.phone,
        acceptsMarketing: body.marketing !== undefined,
        shippingAddress: addressFrom(body),
      },
      request.at,
    );
    if (news) publishLater(checkout, "checkout_contact_info_submitted");
    publishLater(checkout, "checkout_address_info_submitted");
    return redirect(checkoutPath(checkout, "shipping"));
  };

  /** The e-mail as soon as the field is left: whoever stops here is known all the same. */
  const saveContact = (request: Request, checkout: Checkout): Reply => {
    const parsed = contactBody.safeParse(bodyOf(request));
    if (!parsed.success) return json({ events: [] }, 422);
    if (parsed.data.email === checkout.email) return json({ events: [] });
    const { email, marketing: acceptsMarketing } = parsed.data;
    const { phone, shippingAddress } = checkout;
    setContact(store, checkout, { email, phone, acceptsMarketing, shippingAddress }, request.at);
    return json({ events: [{ name: "checkout_contact_info_submitted", data: checkoutData(checkout, undefined) }] });
  };

  const submitShipping = (request: Request, checkout: Checkout): Reply => {
    const code = new URLSearchParams(request.body).get("rate") ?? "";
    if (!setShipping(store, checkout, code, request.at)) return redirect(checkoutPath(checkout, "shipping"));
    publishLater(checkout, "checkout_shipping_info_submitted");
    return redirect(checkoutPath(checkout, "payment"));
  };

  const applyDiscount = (request: Request, checkout: Checkout): Reply => {
    const form = new URLSearchParams(request.body);
    setDiscount(store, checkout, form.get("code")?.trim() ?? "", request.at);
    const back = z.enum(["information", "shipping", "payment"]).catch("information").parse(form.get("step"));
    return redirect(checkoutPath(checkout, back));
  };

  const showPayment = (request: Request, checkout: Checkout, problem?: string): Reply =>
    checkoutPage(site, request, checkout, { step: "payment", main: paymentForm(checkout, problem), alert: problem });

  const pay = (request: Request, checkout: Checkout): Reply => {
    if (checkout.customerId === null) return redirect(checkoutPath(checkout, "information"));
    if (checkout.shippingCode === null) return redirect(checkoutPath(checkout, "shipping"));
    const form = new URLSearchParams(request.body);
    const bank = form.get("method") === "bank";
    publishLater(checkout, "payment_info_submitted");
    if (!bank && form.get("number")?.trim() === "2") return showPayment(request, checkout, "The card was declined.");
    placeOrder(store, checkout, { gateway: bank ? "Bank Deposit" : "bogus", paid: !bank }, request.at);
    store.state.carts = store.state.carts.filter((cart) => cart.token !== checkout.cartToken);
    return withCookie(redirect(checkoutPath(checkout, "thank-you")), "cart", "", 0);
  };

  /** checkout_completed belongs to the first look at this page, not to a reload. */
  const showThankYou = (request: Request): Reply => {
    const checkout = findCheckout(store, request.params["cart"] ?? "");
    const order = findOrder(store, checkout?.orderId ?? null);
    if (checkout === undefined || order === undefined) return notFoundPage(site, request);
    if (!order.thankYouSeen) publishLater(checkout, "checkout_completed");
    order.thankYouSeen = true;
    return checkoutPage(site, request, checkout, { step: "thank-you", main: thankYou(checkout, order), order });
  };

  /** The link of an abandoned checkout brings the cart back to this browser; what was added to the link goes along. */
  const recover = (request: Request): Reply => {
    const checkout = findCheckout(store, request.params["cart"] ?? "");
    const cart = findCart(store, request.params["cart"]);
    if (checkout === undefined || request.url.searchParams.get("key") !== checkout.token.slice(0, 20))
      return redirect("/");
    if (checkout.completedAt !== null || cart === undefined) return redirect("/");
    enterCheckout(store, cart, null, request.at);
    const query = new URLSearchParams(request.url.searchParams);
    query.delete("key");
    const path = checkoutPath(checkout, "information");
    const answer = redirect(query.size === 0 ? path : `${path}?${query.toString()}`);
    return withCookie(answer, "cart", `${cart.token}?key=${cart.key}`, 1_209_600);
  };

  return [
    route("GET", "/checkout", enter),
    route("POST", "/checkout", enter),
    route("GET", `${PATH}/information`, step(showInformation)),
    route("POST", `${PATH}/information`, step(submitInformation)),
    route("POST", `${PATH}/contact`, step(saveContact)),
    route(
      "GET",
      `${PATH}/shipping`,
      step((request, checkout) =>
        checkout.customerId === null
          ? redirect(checkoutPath(checkout, "information"))
          : checkoutPage(site, request, checkout, { step: "shipping", main: shippingForm(checkout) }),
      ),
    ),
    route("POST", `${PATH}/shipping`, step(submitShipping)),
    route("POST", `${PATH}/discount`, step(applyDiscount)),
    route("GET", `${PATH}/payment`, step(showPayment)),
    route("POST", `${PATH}/payment`, step(pay)),
    route("GET", `${PATH}/thank-you`, showThankYou),
    route("GET", "/:shop/checkouts/ac/:cart/:locale/recover", recover),
    route("GET", "/orders/:token", (request) => {
      const order = store.state.orders.find((one) => one.token === request.params["token"]);
      const checkout = order?.cartToken == null ? undefined : findCheckout(store, order.cartToken);
      return checkout === undefined ? notFoundPage(site, request) : redirect(checkoutPath(checkout, "thank-you"));
    }),
  ];
}
