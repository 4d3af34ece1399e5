import { exponent } from "../../lib/money";

/** Digits a shifted decimal may have. */
const MOST_DIGITS = 400;

/**
 * A decimal with its point moved to the right, computed on digits: `12.5` by 2 is `1250`. Null for what is no decimal,
 * or too long.
 */
function shifted(decimal: string, by: number): string | null {
  const [, sign = "", whole = "", fraction = "", power = "0"] =
    /^([+-]?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(decimal) ?? [];
  const digits = whole + fraction;
  const point = whole.length + Number(power) + by;
  if (whole === "" || Math.abs(point) + digits.length > MOST_DIGITS) return null;
  const left = point <= 0 ? "0" : digits.slice(0, point).padEnd(point, "0");
  const right = (point < 0 ? "0".repeat(-point) : "") + digits.slice(Math.max(point, 0));
  return `${sign === "-" ? "-" : ""}${left}${/[1-9]/.test(right) ? `.${right}` : ""}`;
}

/** Minor units of an amount as a merchant writes it: 5000 for `50` EUR. Null for what is no amount. */
export function minorOf(amount: string, currency: string): number | null {
  const minor = shifted(amount, exponent(currency));
  return minor === null ? null : Number(minor);
}

/** The shortest amount that `minorOf` reads as these minor units, with all digits of the currency: `50.00`. */
export function amountOf(minor: number, currency: string): string {
  const digits = exponent(currency);
  const [whole = "0", fraction = ""] = (shifted(String(minor), -digits) ?? "0").split(".");
  const padded = fraction.padEnd(digits, "0");
  const amount = padded === "" ? whole : `${whole}.${padded}`;
  return Object.is(minor, -0) ? `-${amount}` : amount;
}
