/** One amount in minor units, in the store's currency and in the shopper's. */
export type Pair = { shop: number; presentment: number };

export const NOTHING: Pair = { shop: 0, presentment: 0 };

/** ISO 4217 currencies whose minor unit is not a hundredth, as far as Shopify sells in them. */
const EXPONENTS: Record<string, number> = {
  BIF: 0,
  CLP: 0,
  DJF: 0,
  GNF: 0,
  JPY: 0,
  KMF: 0,
  KRW: 0,
  PYG: 0,
  RWF: 0,
  UGX: 0,
  VND: 0,
  VUV: 0,
  XAF: 0,
  XOF: 0,
  XPF: 0,
  BHD: 3,
  IQD: 3,
  JOD: 3,
  KWD: 3,
  LYD: 3,
  OMR: 3,
  TND: 3,
};

export function exponentOf(currency: string): number {
  return EXPONENTS[currency] ?? 2;
}

/**
 * Minor units as the Decimal of Shopify's GraphQL: 1999 EUR is "19.99", and a trailing zero of the fraction goes but
 * for the first ("19.9", "20.0"), also in currencies without a fraction ("1650.0").
 */
export function decimalOf(amount: number, currency: string): string {
  const digits = exponentOf(currency);
  const sign = amount < 0 ? "-" : "";
  const text = String(Math.abs(amount));
  if (digits === 0) return `${sign}${text}.0`;
  const padded = text.length > digits ? text : text.padStart(digits + 1, "0");
  let end = padded.length;
  while (end > padded.length - digits + 1 && padded.charAt(end - 1) === "0") end -= 1;
  return `${sign}${padded.slice(0, -digits)}.${padded.slice(padded.length - digits, end)}`;
}

export function add(...pairs: Pair[]): Pair {
  let [shop, presentment] = [0, 0];
  for (const pair of pairs) {
    shop += pair.shop;
    presentment += pair.presentment;
  }
  return { shop, presentment };
}

export function subtract(a: Pair, b: Pair): Pair {
  return { shop: a.shop - b.shop, presentment: a.presentment - b.presentment };
}

export function scale(pair: Pair, factor: number): Pair {
  return { shop: Math.round(pair.shop * factor), presentment: Math.round(pair.presentment * factor) };
}
