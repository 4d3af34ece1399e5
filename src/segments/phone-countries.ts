import { getCountryCallingCode, isSupportedCountry, parsePhoneNumberFromString } from "libphonenumber-js/min";

import { countryCode } from "./countries";

/** The calling code that twenty-five countries of North America share, told apart by area codes. */
const NORTH_AMERICA = "1";

let areas: Map<string, string[]> | undefined;

/** Area codes by country, read off the metadata once an isolate. */
function areaCodes(): Map<string, string[]> {
  if (areas) return areas;
  areas = new Map();
  for (let area = 200; area < 1000; area++) {
    const country = parsePhoneNumberFromString(`+1${area}5550123`)?.country;
    if (country) areas.set(country, [...(areas.get(country) ?? []), `+1${area}`]);
  }
  return areas;
}

/**
 * How E.164 numbers of a country begin. Other countries that share a calling code (Russia and Kazakhstan) are not told
 * apart. The text itself, with which no number begins, for what is no country.
 *
 * @param country code or English name
 */
export function phonePrefixes(country: string): string[] {
  const code = countryCode(country);
  if (code === null || !isSupportedCountry(code)) return [country];
  const calling = getCountryCallingCode(code);
  return calling === NORTH_AMERICA ? (areaCodes().get(code) ?? [country]) : [`+${calling}`];
}
