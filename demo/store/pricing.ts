import { variantOf } from "../catalog.ts";
import { inMarket, minus, type Pair, plus, times, ZERO } from "../money.ts";
import { type Market, marketOf } from "../shop.ts";
import type { Line } from "./state.ts";

export type ShippingRate = { code: string; title: string; detail: string; cents: number };

export const SHIPPING_RATES: readonly [ShippingRate, ...ShippingRate[]] = [
  { code: "standard", title: "Standard", detail: "3 to 5 working days", cents: 490 },
  { code: "express", title: "Express", detail: "Next working day", cents: 1290 },
  { code: "pickup", title: "Collect in Berlin", detail: "Workshop, Wed to Sat", cents: 0 },
];

export type DiscountCode = { code: string; type: "percentage" | "fixed_amount" | "shipping"; value: number };

const DISCOUNTS: DiscountCode[] = [
  { code: "WELCOME10", type: "percentage", value: 10 },
  { code: "FIVEOFF", type: "fixed_amount", value: 500 },
  { code: "SHIPFREE", type: "shipping", value: 100 },
];

export function findDiscount(code: string | null): DiscountCode | undefined {
  return DISCOUNTS.find((discount) => discount.code === code?.trim().toUpperCase());
}

export function findRate(code: string | null): ShippingRate | undefined {
  return SHIPPING_RATES.find((rate) => rate.code === code);
}

export type PricedLine = { line: Line; price: Pair; total: Pair; discount: Pair };

export type Priced = {
  market: Market;
  lines: PricedLine[];
  itemsTotal: Pair;
  /** What the code takes off, on lines and shipping together. */
  discount: Pair;
  lineDiscount: Pair;
  subtotal: Pair;
  shippingPrice: Pair;
  shippingDiscount: Pair;
  total: Pair;
  tax: Pair;
  grams: number;
};

/** What the lines cost in a market with a shipping rate and a discount code. Tax is included in every price. */
export function price(
  lines: Line[],
  country: string,
  shippingCode: string | null,
  discountCode: string | null,
): Priced {
  const market = marketOf(country);
  const code = findDiscount(discountCode);
  const totals = lines.map((line) => times(inMarket(variantOf(line.variantId).variant.price, market), line.quantity));
  const itemsTotal = plus(ZERO, ...totals);
  const wanted =
    code?.type === "percentage"
      ? times(itemsTotal, code.value / 100)
      : code?.type === "fixed_amount"
        ? smaller(inMarket(code.value, market), itemsTotal)
        : ZERO;
  const shares = share(wanted, totals, itemsTotal);
  const shippingPrice = inMarket(findRate(shippingCode)?.cents ?? 0, market);
  const shippingDiscount = code?.type === "shipping" ? shippingPrice : ZERO;
  const subtotal = minus(itemsTotal, wanted);
  const total = plus(subtotal, minus(shippingPrice, shippingDiscount));
  return {
    market,
    lines: lines.map((line, index) => ({
      line,
      price: inMarket(variantOf(line.variantId).variant.price, market),
      total: totals[index] ?? ZERO,
      discount: shares[index] ?? ZERO,
    })),
    itemsTotal,
    discount: plus(wanted, shippingDiscount),
    lineDiscount: wanted,
    subtotal,
    shippingPrice,
    shippingDiscount,
    total,
    tax: includedTax(total, market),
    grams: lines.reduce((sum, line) => sum + variantOf(line.variantId).variant.grams * line.quantity, 0),
  };
}

/** The tax that an amount with tax included holds. */
export function includedTax(amount: Pair, market: Market): Pair {
  return times(amount, market.taxRate / (1 + market.taxRate));
}

function smaller(a: Pair, b: Pair): Pair {
  return { shop: Math.min(a.shop, b.shop), presentment: Math.min(a.presentment, b.presentment) };
}

/** Splits a discount over lines in proportion; the last line takes what rounding leaves, so the shares add up. */
function share(discount: Pair, totals: Pair[], sum: Pair): Pair[] {
  let rest = discount;
  return totals.map((total, index) => {
    const part =
      index === totals.length - 1
        ? rest
        : {
            shop: sum.shop === 0 ? 0 : Math.floor((discount.shop * total.shop) / sum.shop),
            presentment:
              sum.presentment === 0 ? 0 : Math.floor((discount.presentment * total.presentment) / sum.presentment),
          };
    rest = minus(rest, part);
    return part;
  });
}
