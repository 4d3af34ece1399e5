/** An amount in integer minor units of its currency: 1999 EUR is 19.99. */
export interface Money {
  amount: number;
  currency: string;
}

/** Currencies whose minor unit is not a hundredth (ISO 4217). */
const EXPONENTS: Record<string, number> = {
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, UYI: 0, VND: 0, VUV: 0,
  XAF: 0, XOF: 0, XPF: 0, BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3, CLF: 4, UYW: 4,
}; // prettier-ignore

/** Digits after the decimal point of a currency. */
export function exponent(currency: string): number {
  return EXPONENTS[currency.toUpperCase()] ?? 2;
}

/**
 * Minor units of a decimal as Shopify writes it (`"19.99"`, or a JSON number in refunds), computed on digits, never
 * as a float. Further digits round half away from zero. Null for anything that is not a decimal or is beyond 2^53.
 */
export function toMinor(value: unknown, currency: string): number | null {
  const text = typeof value === "number" && Number.isFinite(value) ? plainDecimal(value) : value;
  if (typeof text !== "string") return null;
  const match = /^([+-]?)(\d+)(?:\.(\d*))?$/.exec(text.trim());
  if (!match) return null;
  const digits = exponent(currency);
  const fraction = (match[3] ?? "").padEnd(digits + 1, "0");
  let minor = Number(`${match[2]}${fraction.slice(0, digits)}`);
  if (fraction.charCodeAt(digits) >= 53) minor += 1;
  if (!Number.isSafeInteger(minor)) return null;
  return match[1] === "-" && minor !== 0 ? -minor : minor;
}

/** A number without an exponent, so that 1e-7 is read as a decimal. */
function plainDecimal(value: number): string {
  const text = String(value);
  return /e/i.test(text) ? value.toFixed(10) : text;
}

/** `"19.99"` for 1999 EUR, `"500"` for 500 JPY. */
export function toDecimal(amount: number, currency: string): string {
  const digits = exponent(currency);
  const text = String(Math.abs(amount)).padStart(digits + 1, "0");
  const sign = amount < 0 ? "-" : "";
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
