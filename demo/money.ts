import { type Currency, type Market, SHOP_CURRENCY } from "./shop.ts";

/** One amount in minor units, in the shop's currency and in the shopper's. */
export type Pair = { shop: number; presentment: number };

export const ZERO: Pair = { shop: 0, presentment: 0 };

const MINOR_DIGITS: Record<Currency, number> = { EUR: 2, USD: 2, GBP: 2, JPY: 0 };

/** A catalogue price (EUR cents) in both currencies, rounded to the shopper's minor unit. */
export function inMarket(cents: number, market: Market): Pair {
  const digits = MINOR_DIGITS[market.currency];
  return { shop: cents, presentment: Math.round((cents / 100) * market.rate * 10 ** digits) };
}

export function plus(...pairs: Pair[]): Pair {
  return pairs.reduce((sum, pair) => ({
    shop: sum.shop + pair.shop,
    presentment: sum.presentment + pair.presentment,
  }));
}

export function minus(a: Pair, b: Pair): Pair {
  return { shop: a.shop - b.shop, presentment: a.presentment - b.presentment };
}

/** The pair times a number, each side rounded to a whole minor unit. */
export function times(pair: Pair, factor: number): Pair {
  return { shop: Math.round(pair.shop * factor), presentment: Math.round(pair.presentment * factor) };
}

/** Minor units as the decimal string of Shopify's webhooks: 1999 EUR is "19.99", 1650 JPY is "1650". */
export function decimal(amount: number, currency: Currency): string {
  const digits = MINOR_DIGITS[currency];
  return (amount / 10 ** digits).toFixed(digits);
}

/** Minor units as the JSON number of Shopify's pixels and refund lines: 19.99. */
export function major(amount: number, currency: Currency): number {
  return amount / 10 ** MINOR_DIGITS[currency];
}

/**
 * Minor units as Shopify's Ajax API writes them: always hundredths, also where the currency has none
 * (1,650 yen is 165000; Shopify's Liquid and Ajax references say so for JPY and KRW).
 */
export function hundredths(amount: number, currency: Currency): number {
  return amount * 10 ** (2 - MINOR_DIGITS[currency]);
}

/** A MoneySet of the Admin API's webhooks. */
export function moneySet(pair: Pair, currency: Currency) {
  return {
    shop_money: { amount: decimal(pair.shop, SHOP_CURRENCY), currency_code: SHOP_CURRENCY },
    presentment_money: { amount: decimal(pair.presentment, currency), currency_code: currency },
  };
}

/** For people: "€19.99". */
export function display(amount: number, currency: Currency): string {
  return new Intl.NumberFormat("en", { style: "currency", currency }).format(major(amount, currency));
}
