export {
  abandonBefore,
  abandonDueCarts,
  announceOrder,
  nextAbandonment,
  purchaseByBrowser,
  settleCartsByOrder,
  settleCartsOfPerson,
} from "./transitions";
export type { Cart } from "./schemas";
export { deleteCheckout } from "./delete-checkout";
export { type CartLineSource, parseLines } from "./lines";
export { returnUrl } from "./return-url";
export { type CartSource, planCart } from "./upsert";
