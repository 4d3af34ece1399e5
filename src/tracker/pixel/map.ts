import { TOKEN } from "../address.ts";
import { money } from "../money.ts";
import type { Line, Money, TrackedEvent } from "../wire.ts";
import type { Amount, Cart, CartLine, Checkout, PixelEvent, Variant } from "./sandbox.ts";

/** Above, the beacon would be too large; the webhook knows all lines. */
const MOST_LINES = 40;

/** Views that `/ff.js` counts on theme pages. */
const VIEWS = /^(page_viewed|product_viewed|collection_viewed|search_submitted|cart_viewed)$/;

/** Pages that no theme renders: checkout, thank-you, order status, and the new customer accounts. */
const OUTSIDE_THEME = /\/(checkouts|orders)\/|^https:\/\/(account\.|shopify\.com\/)/;

const TYPES = /^(product_(added_to|removed_from)_cart|checkout_\w+|payment_info_submitted)$/;

/**
 * Shopify's event as ours, or undefined for one that is not ours to count: the types that mean nothing here, and
 * views of theme pages where `/ff.js` counts them. The id is Shopify's, which it reuses under two names.
 *
 * @param cartId of the page's cart; the checkout event does not carry it
 */
function toEvent(event: PixelEvent, inTheme: boolean, cartId?: string | null): TrackedEvent | undefined {
  const { location, referrer, title } = event.context.document;
  const isView = VIEWS.test(event.name);
  if (!TYPES.test(event.name) && !(isView && (!inTheme || OUTSIDE_THEME.test(location.href)))) return undefined;
  return {
    id: event.id.replace(/[^\w-]/g, "").slice(0, 64),
    type: event.name,
    at: Date.parse(event.timestamp),
    url: location.href,
    title,
    referrer,
    data: toData(event, cartToken(location.href, cartId)),
  };
}

/**
 * Shopify's event as what is sent: itself, and on a page that a tracked link of a message led to, who came by it. On
 * theme pages `/ff.js` tells that.
 */
export function toEvents(event: PixelEvent, inTheme: boolean, cartId?: string | null): TrackedEvent[] {
  const own = toEvent(event, inTheme, cartId);
  const token = tokenOf(event);
  if (!own) return [];
  return own.type === "page_viewed" && token ? [own, { ...own, type: "identified", data: { token } }] : [own];
}

/** The signed token in the address of the event's page. */
export const tokenOf = ({ context }: PixelEvent): string | undefined => TOKEN.exec(context.document.location.href)?.[1];

function toData({ data }: PixelEvent, token: string | undefined): unknown {
  if (data.checkout) return checkoutData(data.checkout, token);
  if (data.cartLine) return { ...line(data.cartLine), value: amount(data.cartLine.cost?.totalAmount) };
  if (data.cart) return cartData(data.cart);
  if (data.productVariant) return variant(data.productVariant);
  if (data.collection) return { collectionId: bareId(data.collection.id), title: text(data.collection.title) };
  if (data.searchResult) return { query: text(data.searchResult.query) };
  return undefined;
}

function checkoutData(checkout: Checkout, cartToken: string | undefined): unknown {
  return {
    checkoutToken: text(checkout.token),
    cartToken,
    orderId: bareId(checkout.order?.id),
    value: amount(checkout.totalPrice) || amount(checkout.subtotalPrice),
    email: text(checkout.email),
    phone: text(checkout.phone),
    lines: checkout.lineItems?.slice(0, MOST_LINES).map((item) => ({
      ...variant(item.variant),
      title: text(item.title) || variant(item.variant).title,
      quantity: item.quantity,
    })),
  };
}

function cartData(cart: Cart): unknown {
  return {
    token: bareId(cart.id),
    value: amount(cart.cost?.totalAmount),
    lines: cart.lines?.slice(0, MOST_LINES).map(line),
  };
}

const line = (item: CartLine): Line => ({ ...variant(item.merchandise), quantity: item.quantity });

const variant = (item: Variant | null | undefined): Line => ({
  productId: bareId(item?.product?.id),
  variantId: bareId(item?.id),
  sku: text(item?.sku),
  title: text(item?.product?.title) || text(item?.title),
  price: amount(item?.price),
  image: text(item?.image?.src),
  url: text(item?.product?.url),
});

const amount = (value: Amount | null | undefined): Money | undefined =>
  value ? money(value.amount, value.currencyCode) : undefined;

/** Shopify writes what it does not know as null or as an empty text. */
const text = (value: string | null | undefined): string | undefined => value || undefined;

/** `gid://shopify/Order/1?key=2` and `1` are both 1. */
const bareId = (id: string | null | undefined): string | undefined => text(id?.split("?")[0]?.split("/").pop());

/** A checkout's address holds the token of its cart: `/checkouts/cn/<token>/...`. */
const cartToken = (href: string, cartId: string | null | undefined): string | undefined =>
  /\/checkouts\/cn\/([^/?#]+)/.exec(href)?.[1] || bareId(cartId);
