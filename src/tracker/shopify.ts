import { borrow, guard, type Core } from "./shopify/borrowed.ts";
import { watchCart } from "./shopify/cart.ts";
import { watchConsent } from "./shopify/consent.ts";
import { theme } from "./shopify/theme.ts";
import { viewed } from "./shopify/views.ts";

export interface ShopifyPart {
  default: typeof start;
}

/**
 * What only Shopify themes need: consent by the Customer Privacy API, the cart, and what a page shows. In the theme
 * editor and in previews of themes that are not live the gate stays shut, so nothing is stored or sent.
 */
export default function start(...core: Core): void {
  borrow(core);
  if (
    theme.designMode ||
    theme.previewMode ||
    (theme.theme?.role || "main") != "main" ||
    /preview_theme/.test(location.href)
  )
    return;
  for (const part of [watchConsent, watchCart, viewed]) guard(part)();
}
