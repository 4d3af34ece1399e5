import type { Money } from "./wire.ts";

const WITHOUT_DECIMALS = /BIF|CLP|DJF|GNF|ISK|JPY|KMF|KRW|PYG|RWF|UGX|UYI|V(ND|UV)|X[AOP]F/;
const THREE_DECIMALS = /BHD|IQD|JOD|KWD|LYD|OMR|TND/;

/**
 * Minor units in one whole unit (ISO 4217). The table is written out because browsers' own (CLDR) counts the digits
 * that people use, not those that payments use, and so differs for a dozen currencies.
 */
const units = (currency: string): number =>
  WITHOUT_DECIMALS.test(currency) ? 1 : THREE_DECIMALS.test(currency) ? 1e3 : 100;

/** Of a decimal amount. */
export const money = (decimal: number, currency: string): Money => ({
  amount: Math.round(decimal * units(currency)),
  currency,
});

/**
 * Of a price of Shopify's Liquid, theme and Ajax API, which is always in hundredths: 1,000 yen is 100000 there
 * (https://shopify.dev/docs/api/liquid/objects/cart).
 */
export const ajaxMoney = (hundredths: number, currency: string): Money => ({
  amount: Math.round((hundredths * units(currency)) / 100),
  currency,
});
