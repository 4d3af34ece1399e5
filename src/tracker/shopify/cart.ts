import { Key } from "../config.ts";
import { ajaxMoney } from "../money.ts";
import { add, isOpen, read, visitor, write } from "./borrowed.ts";
import { theme } from "./theme.ts";

/** Calls of the Ajax API that change a cart, under any root (`/en-us/cart/add.js`). */
const CHANGE = /\/cart\/(add|change|update|clear)\b/;

const enum Limit {
  /** Several calls in a row are one change. */
  SettleMs = 100,
  /** Above, the beacon would be too large; the webhook knows all lines. */
  Lines = 40,
}

/** `GET /cart.js`; money in hundredths of the presentment currency. */
interface Cart {
  token: string;
  currency: string;
  total_price: number;
  item_count: number;
  items: Item[];
}

interface Item {
  product_id: number;
  variant_id: number;
  sku: string | null;
  title: string;
  quantity: number;
  final_price: number;
  image: string | null;
  url: string;
}

const request = window.fetch;
/** What the last reading on this page showed. */
export let seen: string | undefined;
let timer: number | undefined;

/** Reads the cart; tells of it if it changed, and writes the visitor into it once, so that webhooks can join. Never rejects. */
export const readCart = async (): Promise<void> => {
  try {
    const root = (theme.routes?.root || "/") + "cart";
    const cart: Cart = await (await request(root + ".js")).json();
    const token = cart.token.split("?")[0];
    const price = (hundredths: number) => ajaxMoney(hundredths, cart.currency);
    const data = {
      token,
      value: price(cart.total_price),
      lines: cart.items.slice(0, Limit.Lines).map((item) => ({
        productId: "" + item.product_id,
        variantId: "" + item.variant_id,
        sku: item.sku,
        title: item.title,
        quantity: item.quantity,
        price: price(item.final_price),
        image: item.image,
        url: item.url,
      })),
    };
    const now = JSON.stringify(data);
    const [told, owner] = read<[string, string]>(Key.Cart) || [];
    const before = seen || told;
    if (now != before && (before || cart.item_count)) add("cart_updated", data);
    seen = now;
    if (isOpen()) {
      const id = visitor();
      const claim = cart.item_count ? token + id : owner;
      if (claim != owner)
        await request(root + "/update.js", {
          method: "POST",
          body: new URLSearchParams("attributes[__ff_visitor]=" + id),
        });
      write(Key.Cart, [now, claim]);
    }
  } catch {
    // A shop without the Ajax API, or a page that is going away.
  }
};

const changed = (): void => {
  clearTimeout(timer);
  timer = setTimeout(readCart, Limit.SettleMs);
};

/** Follows the theme's own calls, whichever way it makes them, and the cart page. */
export const watchCart = (): void => {
  window.fetch = function (...call) {
    const answer = request.apply(this, call);
    const [target] = call;
    if (CHANGE.test((target as Request)?.url || (target as string))) answer.then(changed, () => 0);
    return answer;
  };
  const { prototype } = XMLHttpRequest;
  // oxlint-disable-next-line typescript/unbound-method -- called with the request below
  const { open } = prototype;
  prototype.open = function (this: XMLHttpRequest, ...call: unknown[]) {
    if (CHANGE.test(call[1] as string)) this.addEventListener("load", changed);
    return open.apply(this, call as Parameters<typeof open>);
  };
  if (/\/cart\/?$/.test(location.pathname)) {
    add("cart_viewed");
    void readCart();
  }
};
