import { variantOf } from "../catalog.ts";
import { escape, html, inScript, type Reply, type Request } from "../http.ts";
import { display, inMarket } from "../money.ts";
import { BRAND, MARKETS } from "../shop.ts";
import { priceCheckout } from "../store/checkouts.ts";
import { SHIPPING_RATES } from "../store/pricing.ts";
import type { Checkout, Order } from "../store/state.ts";
import { pictureUrl } from "./ajax-shapes.ts";
import { checkoutData } from "./event-data.ts";
import { type PageEvent, pixelTags, type Site } from "./layout.ts";

/* Checkout and thank-you pages. They carry no theme and no tracker tag: only the pixels run here, as at Shopify. */

export type Step = "information" | "shipping" | "payment" | "thank-you";

export const checkoutPath = (checkout: Checkout, step: Step): string =>
  `/checkouts/cn/${checkout.cartToken}/en-${checkout.country.toLowerCase()}/${step}`;

const STEPS: [Step, string][] = [
  ["information", "Information"],
  ["shipping", "Shipping"],
  ["payment", "Payment"],
];

/** One step. Publishes the pixel events that wait for this checkout, each once. */
export function checkoutPage(
  site: Site,
  request: Request,
  checkout: Checkout,
  page: { step: Step; main: string; order?: Order | undefined; alert?: string | undefined },
): Reply {
  const events: PageEvent[] = checkout.pendingEvents.map((name) => ({
    name,
    data: checkoutData(checkout, name === "checkout_completed" ? page.order : undefined),
  }));
  checkout.pendingEvents = [];
  if (page.alert !== undefined)
    events.push({
      name: "alert_displayed",
      data: { alert: { target: "payment.creditCardNumber", type: "PAYMENT_ERROR", value: null, message: page.alert } },
    });
  site.store.save();
  const at = STEPS.findIndex(([step]) => step === page.step);
  const trail = STEPS.map(([step, label], index) =>
    index < at
      ? `<li><a href="${checkoutPath(checkout, step)}">${label}</a></li>`
      : `<li${index === at ? ' aria-current="step"' : ""}>${label}</li>`,
  ).join("");
  const { market } = priceCheckout(checkout);
  return html(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${page.step === "thank-you" ? "Thank you" : "Checkout"} – ${escape(BRAND)}</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml"><link rel="stylesheet" href="/assets/base.css"><link rel="stylesheet" href="/assets/checkout.css">
<script>window.Shopify={shop:${inScript(site.store.domain)}};window.__region=${inScript({ country: market.country, consentRequired: market.consentRequired })};</script>
<script src="/assets/privacy.js" data-silent></script></head>
<body class="checkout"><div class="checkout-grid"><main id="main">
<a class="logo" href="/"><span>${escape(BRAND)}</span></a>
${page.step === "thank-you" ? "" : `<ol class="trail"><li><a href="/cart">Cart</a></li>${trail}</ol>`}
${page.main}</main><aside aria-label="Order summary">${summary(checkout, page.step)}</aside></div>
<script src="/assets/checkout.js" defer></script>${pixelTags(site, request, events)}</body></html>`);
}

function summary(checkout: Checkout, step: Step): string {
  const priced = priceCheckout(checkout);
  const { market } = priced;
  const show = (amount: number): string => display(amount, market.currency);
  const lines = priced.lines
    .map(({ line, total }) => {
      const { product, variant } = variantOf(line.variantId);
      return `<li><span class="thumb"><img src="${pictureUrl(product, variant.id)}" alt="" width="64" height="64"><b>${line.quantity}</b></span><span>${escape(product.title)}<small>${variant.title}</small></span><span>${show(total.presentment)}</span></li>`;
    })
    .join("");
  const form =
    step === "thank-you"
      ? ""
      : `<form method="post" action="${checkoutPath(checkout, step).replace(/[^/]+$/, "discount")}" class="code"><input type="hidden" name="step" value="${step}"><label class="seen-label"><span class="seen-only">Discount code</span><input name="code" placeholder="Discount code" value="${escape(checkout.discountCode ?? "")}"></label><button class="button quiet">Apply</button></form>`;
  const discount =
    priced.discount.presentment === 0
      ? ""
      : `<p><span>Discount ${escape(checkout.discountCode ?? "")}</span><span>−${show(priced.discount.presentment)}</span></p>`;
  return `<ul class="sum-lines">${lines}</ul>${form}<div class="sums"><p><span>Subtotal</span><span>${show(priced.itemsTotal.presentment)}</span></p>${discount}<p><span>Shipping</span><span>${checkout.shippingCode === null ? "Next step" : show(priced.shippingPrice.presentment)}</span></p><p class="total"><span>Total <small>${market.currency}</small></span><strong>${show(priced.total.presentment)}</strong></p>${priced.tax.presentment === 0 ? "" : `<p class="small">Including ${show(priced.tax.presentment)} tax</p>`}</div>`;
}

const field = (name: string, label: string, value: string | null | undefined, more = ""): string =>
  `<label class="seen">${label}<input name="${name}" value="${escape(value ?? "")}" ${more}></label>`;

export function informationForm(checkout: Checkout, problem?: string): string {
  const address = checkout.shippingAddress;
  const countries = MARKETS.map(
    (market) =>
      `<option value="${market.country}"${market.country === (address?.countryCode ?? checkout.country) ? " selected" : ""}>${market.name}</option>`,
  ).join("");
  return `<form method="post" action="${checkoutPath(checkout, "information")}" class="stack" data-contact="${checkoutPath(checkout, "information").replace(/[^/]+$/, "contact")}">
${problem === undefined ? "" : `<p class="problem" role="alert">${escape(problem)}</p>`}
<h1>Contact</h1>${field("email", "E-mail", checkout.email, 'type="email" autocomplete="email" required')}
<label class="check"><input type="checkbox" name="marketing" value="1"${checkout.acceptsMarketing ? " checked" : ""}> E-mail me about new pieces</label>
<h2>Delivery</h2><label class="seen">Country<select name="country">${countries}</select></label>
<div class="pair">${field("firstName", "First name", address?.firstName, 'autocomplete="given-name" required')}${field("lastName", "Last name", address?.lastName, 'autocomplete="family-name" required')}</div>
${field("address1", "Address", address?.address1, 'autocomplete="address-line1" required')}
<div class="pair">${field("zip", "Postal code", address?.zip, 'autocomplete="postal-code" required')}${field("city", "City", address?.city, 'autocomplete="address-level2" required')}</div>
${field("phone", "Phone (optional)", checkout.phone, 'type="tel" autocomplete="tel"')}
<button class="button wide">Continue to shipping</button></form>`;
}

export function shippingForm(checkout: Checkout): string {
  const { market } = priceCheckout(checkout);
  const rates = SHIPPING_RATES.map(
    (rate, index) =>
      `<label class="choice"><input type="radio" name="rate" value="${rate.code}"${rate.code === (checkout.shippingCode ?? SHIPPING_RATES[0].code) || (index === 0 && checkout.shippingCode === null) ? " checked" : ""}><span>${rate.title}<small>${rate.detail}</small></span><span>${rate.cents === 0 ? "Free" : display(inMarket(rate.cents, market).presentment, market.currency)}</span></label>`,
  ).join("");
  const address = checkout.shippingAddress;
  return `<dl class="review"><div><dt>Contact</dt><dd>${escape(checkout.email ?? checkout.phone ?? "")}</dd></div><div><dt>Ship to</dt><dd>${escape([address?.address1, address?.zip, address?.city, address?.country].filter(Boolean).join(", "))}</dd></div></dl>
<form method="post" action="${checkoutPath(checkout, "shipping")}" class="stack"><h1>Shipping</h1><div class="choices">${rates}</div><button class="button wide">Continue to payment</button></form>`;
}

export function paymentForm(checkout: Checkout, problem: string | undefined): string {
  return `<form method="post" action="${checkoutPath(checkout, "payment")}" class="stack"><h1>Payment</h1>${problem === undefined ? "" : `<p class="problem" role="alert">${escape(problem)}</p>`}
<p class="small">A demonstration: type 1 as the number to pay, 2 to be declined. Do not enter a real card.</p>
<div class="choices"><label class="choice"><input type="radio" name="method" value="card" checked><span>Card<small>Bogus Gateway</small></span></label>
<div class="stack inset">${field("number", "Card number", "", 'inputmode="numeric" autocomplete="off" placeholder="1"')}<div class="pair">${field("expiry", "Expiry", "", 'placeholder="12 / 30" autocomplete="off"')}${field("cvv", "Security code", "", 'placeholder="123" inputmode="numeric" autocomplete="off"')}</div></div>
<label class="choice"><input type="radio" name="method" value="bank"><span>Bank transfer<small>We ship when it arrives</small></span></label></div>
<button class="button wide">Pay now</button></form>`;
}

export function thankYou(checkout: Checkout, order: Order): string {
  const address = order.address;
  return `<div class="thanks"><p class="by">Confirmation ${order.confirmationNumber}</p><h1>Thank you${address === null ? "" : `, ${escape(address.firstName)}`}</h1><p class="lead">Order <strong data-order-name>#${order.number}</strong> is ${order.financialStatus === "pending" ? "waiting for your transfer" : "confirmed"}. We wrote to ${escape(order.email ?? "you")}.</p>
<dl class="review"><div><dt>Ship to</dt><dd>${escape([address?.firstName, address?.lastName, address?.address1, address?.zip, address?.city].filter(Boolean).join(" "))}</dd></div><div><dt>Method</dt><dd>${escape(order.shipping?.title ?? "")}</dd></div><div><dt>Payment</dt><dd>${order.gateway === "bogus" ? "Card" : "Bank transfer"}</dd></div></dl><a class="button" href="/">Keep browsing</a></div>`;
}
