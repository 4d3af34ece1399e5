import { parsePhoneNumberFromString } from "libphonenumber-js/min";

/** The zone where most people of a country live, by ISO 3166-1; countries that are missing use the shop's. */
const COUNTRIES: Record<string, string> = {
  AE: "Asia/Dubai",
  AR: "America/Argentina/Buenos_Aires",
  AT: "Europe/Vienna",
  AU: "Australia/Sydney",
  BE: "Europe/Brussels",
  BG: "Europe/Sofia",
  BR: "America/Sao_Paulo",
  CA: "America/Toronto",
  CH: "Europe/Zurich",
  CL: "America/Santiago",
  CN: "Asia/Shanghai",
  CO: "America/Bogota",
  CY: "Asia/Nicosia",
  CZ: "Europe/Prague",
  DE: "Europe/Berlin",
  DK: "Europe/Copenhagen",
  EE: "Europe/Tallinn",
  EG: "Africa/Cairo",
  ES: "Europe/Madrid",
  FI: "Europe/Helsinki",
  FR: "Europe/Paris",
  GB: "Europe/London",
  GR: "Europe/Athens",
  HK: "Asia/Hong_Kong",
  HR: "Europe/Zagreb",
  HU: "Europe/Budapest",
  ID: "Asia/Jakarta",
  IE: "Europe/Dublin",
  IL: "Asia/Jerusalem",
  IN: "Asia/Kolkata",
  IS: "Atlantic/Reykjavik",
  IT: "Europe/Rome",
  JP: "Asia/Tokyo",
  KE: "Africa/Nairobi",
  KR: "Asia/Seoul",
  LT: "Europe/Vilnius",
  LU: "Europe/Luxembourg",
  LV: "Europe/Riga",
  MA: "Africa/Casablanca",
  MT: "Europe/Malta",
  MX: "America/Mexico_City",
  MY: "Asia/Kuala_Lumpur",
  NG: "Africa/Lagos",
  NL: "Europe/Amsterdam",
  NO: "Europe/Oslo",
  NZ: "Pacific/Auckland",
  PE: "America/Lima",
  PH: "Asia/Manila",
  PL: "Europe/Warsaw",
  PT: "Europe/Lisbon",
  RO: "Europe/Bucharest",
  RS: "Europe/Belgrade",
  SA: "Asia/Riyadh",
  SE: "Europe/Stockholm",
  SG: "Asia/Singapore",
  SI: "Europe/Ljubljana",
  SK: "Europe/Bratislava",
  TH: "Asia/Bangkok",
  TR: "Europe/Istanbul",
  TW: "Asia/Taipei",
  UA: "Europe/Kyiv",
  US: "America/New_York",
  UY: "America/Montevideo",
  VN: "Asia/Ho_Chi_Minh",
  ZA: "Africa/Johannesburg",
};

/** Parts of countries with several zones, by ISO 3166-2 code without the country. */
const PROVINCES: Record<string, Record<string, string>> = {
  US: byZone({
    "America/Chicago": "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI",
    "America/Denver": "CO ID MT NM UT WY",
    "America/Phoenix": "AZ",
    "America/Los_Angeles": "CA NV OR WA",
    "America/Anchorage": "AK",
    "Pacific/Honolulu": "HI",
    "America/Puerto_Rico": "PR VI",
  }),
  CA: byZone({
    "America/Winnipeg": "MB",
    "America/Regina": "SK",
    "America/Edmonton": "AB NT",
    "America/Vancouver": "BC",
    "America/Whitehorse": "YT",
    "America/Halifax": "NB NS PE",
    "America/St_Johns": "NL",
  }),
  AU: byZone({
    "Australia/Brisbane": "QLD",
    "Australia/Adelaide": "SA",
    "Australia/Darwin": "NT",
    "Australia/Perth": "WA",
  }),
  BR: byZone({ "America/Manaus": "AM RO RR", "America/Cuiaba": "MT MS", "America/Rio_Branco": "AC" }),
};

/** Codes of `COUNTRIES` by their English names in lower case: Shopify's addresses carry the name. */
const CODES = new Map(
  Object.keys(COUNTRIES).map((code) => [
    new Intl.DisplayNames(["en"], { type: "region" }).of(code)?.toLowerCase() ?? code,
    code,
  ]),
);

function byZone(zones: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(zones).flatMap(([zone, provinces]) => provinces.split(" ").map((code) => [code, zone])),
  );
}

/** Where somebody is known to be. */
export interface Whereabouts {
  /** IANA name of where their browser was last. */
  browserZone: string | null;
  /** Code or English name. */
  country: string | null;
  province: string | null;
  phone: string | null;
}

/**
 * The zone by whose clock somebody is written to: where they last browsed, else by their address, else by their phone
 * number's country, else the shop's.
 */
export function zoneOf({ browserZone, country, province, phone }: Whereabouts, shopZone: string): string {
  if (browserZone !== null && isZone(browserZone)) return browserZone;
  const code = CODES.get(country?.toLowerCase() ?? "") ?? country?.toUpperCase() ?? "";
  const byAddress = PROVINCES[code]?.[province?.toUpperCase() ?? ""] ?? COUNTRIES[code];
  if (byAddress !== undefined) return byAddress;
  const calling = phone === null ? undefined : parsePhoneNumberFromString(phone)?.country;
  return COUNTRIES[calling ?? ""] ?? shopZone;
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
