/** Facts about the demo shop: its brand, its markets and their currencies. */

export const BRAND = "Alder & Oat";
export const SHOP_ID = 61_384_220_711;
export const SHOP_CURRENCY = "EUR";
export const SHOP_TIME_ZONE = "Europe/Berlin";

/** Where the shop sells over the counter, and who stands behind it. */
export const WORKSHOP = { id: 73_002_844_391, name: "Workshop Berlin" };
export const SHOPKEEPER = {
  id: 88_002_844_391,
  firstName: "Ada",
  lastName: "Alder",
  email: "ada@alder-and-oat.example",
};

export type Currency = "EUR" | "USD" | "GBP" | "JPY";

/** A market as Shopify Markets has it: a country with its currency, its tax included in prices, and whether privacy law there asks first. */
export type Market = {
  country: string;
  name: string;
  currency: Currency;
  /** Presentment units per shop unit (EUR). Fixed, so that a test can compute a price. */
  rate: number;
  taxRate: number;
  taxTitle: string;
  consentRequired: boolean;
};

export const MARKETS: readonly [Market, ...Market[]] = [
  {
    country: "DE",
    name: "Germany",
    currency: "EUR",
    rate: 1,
    taxRate: 0.19,
    taxTitle: "DE VAT",
    consentRequired: true,
  },
  { country: "FR", name: "France", currency: "EUR", rate: 1, taxRate: 0.2, taxTitle: "FR TVA", consentRequired: true },
  {
    country: "GB",
    name: "United Kingdom",
    currency: "GBP",
    rate: 0.85,
    taxRate: 0.2,
    taxTitle: "GB VAT",
    consentRequired: true,
  },
  {
    country: "US",
    name: "United States",
    currency: "USD",
    rate: 1.08,
    taxRate: 0,
    taxTitle: "US tax",
    consentRequired: false,
  },
  {
    country: "JP",
    name: "Japan",
    currency: "JPY",
    rate: 165,
    taxRate: 0.1,
    taxTitle: "JP CT",
    consentRequired: false,
  },
];

/** The market of a country code, the shop's home market when it sells nothing there. */
export function marketOf(country: string | undefined): Market {
  return MARKETS.find((market) => market.country === country) ?? MARKETS[0];
}
