import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from "libphonenumber-js/min";

/**
 * The form in which an address is compared: trimmed, NFC, lower case. Null when it is no address we could ever reach:
 * no `@`, spaces, over 254 characters (RFC 5321).
 */
export function normaliseEmail(value: string): string | null {
  const email = value.normalize("NFC").trim().toLowerCase();
  return email.length <= 254 && /^[^\s@"<>(),;:\\]+@[^\s@"<>(),;:\\.]+(\.[^\s@"<>(),;:\\.]+)+$/u.test(email)
    ? email
    : null;
}

/** E.164 (`+4930123456`), read in the given country when it is written nationally. Null when it is no phone number. */
export function normalisePhone(value: string, country?: string | null): string | null {
  const home = country?.toUpperCase();
  const region: CountryCode | undefined = home && isSupportedCountry(home) ? home : undefined;
  const phone = parsePhoneNumberFromString(value.slice(0, 40), region);
  return phone?.isPossible() ? phone.number : null;
}
