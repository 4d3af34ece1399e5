import type { CartLine } from "./lines";

/**
 * Where a cart goes on, on any device: the checkout's own recovery address where it was begun, else Shopify's cart
 * permalink (`/cart/{variant}:{quantity},...`), which fills a cart anew; the cart page where no variant is known.
 */
export function returnUrl(cart: { checkoutUrl: string | null; lines: CartLine[] }, domain: string): string {
  const { checkoutUrl, lines } = cart;
  if (checkoutUrl !== null && /^https?:\/\//.test(checkoutUrl)) return checkoutUrl;
  const variants = lines
    .filter(({ variantId }) => variantId !== null && /^\d+$/.test(variantId))
    .map(({ variantId, quantity }) => `${variantId}:${quantity}`);
  return variants.length === 0 ? `https://${domain}/cart` : `https://${domain}/cart/${variants.join(",")}`;
}
