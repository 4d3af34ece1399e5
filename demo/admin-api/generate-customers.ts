import type { Chance } from "../simulator/chance.ts";
import type { World } from "./world.ts";
import type { AddressRecord, Consent, CustomerRecord } from "./records.ts";

const FIRST = [
  "Ada",
  "Noé",
  "Jun",
  "Lea",
  "Søren",
  "Mira",
  "Owen",
  "Yuki",
  "Çelik",
  "Ines",
  "Paweł",
  "Zoë",
  "Ravi",
] as const;
const LAST = [
  "Alder",
  "Okafor",
  "Møller",
  "Tanaka",
  "García",
  "O’Neil",
  "Weiß",
  "van Dijk",
  "Kowalska",
  "Nguyễn",
] as const;
const TAGS = ["vip", "wholesale", "newsletter", "Friends & family", "returns often", "berlin"] as const;
type Place = Pick<AddressRecord, "city" | "province" | "provinceCode" | "country" | "countryCode" | "zip"> & {
  dial: string;
};

const PLACES: readonly [Place, ...Place[]] = [
  {
    city: "Berlin",
    province: null,
    provinceCode: null,
    country: "Germany",
    countryCode: "DE",
    zip: "10115",
    dial: "+4930",
  },
  {
    city: "Lyon",
    province: null,
    provinceCode: null,
    country: "France",
    countryCode: "FR",
    zip: "69001",
    dial: "+334",
  },
  {
    city: "Portland",
    province: "Oregon",
    provinceCode: "OR",
    country: "United States",
    countryCode: "US",
    zip: "97214",
    dial: "+1503",
  },
  {
    city: "Tokyo",
    province: "Tokyo",
    provinceCode: "JP-13",
    country: "Japan",
    countryCode: "JP",
    zip: "150-0001",
    dial: "+813",
  },
];

/** A customer by number, without the id and the stamps. E-mail addresses and phone numbers are unique in the store. */
export function generateCustomer(
  world: World,
  chance: Chance,
  n: number,
): Omit<CustomerRecord, "id" | "createdAt" | "updatedAt"> {
  const [firstName, lastName] = [chance.pick(FIRST), chance.pick(LAST)];
  const place = chance.pick(PLACES);
  const named = chance.yes(0.95);
  const email = chance.yes(0.97) ? `person.${n}@${chance.pick(["example.com", "mail.example", "post.example"])}` : null;
  // Seven digits after the area, so that no two are alike.
  const phone = email === null || chance.yes(0.4) ? `${place.dial}${String(2_000_000 + n)}` : null;
  const at = world.from + Math.floor(chance.next() * (world.until - world.from));
  const address = (number: number): AddressRecord => ({
    id: 9_500_000_000_000 + n * 4 + number,
    firstName: named ? firstName : null,
    lastName: named ? lastName : null,
    company: chance.yes(0.1) ? `${lastName} GmbH` : null,
    address1: `Street ${chance.whole(1, 200)}`,
    address2: chance.yes(0.1) ? "2nd floor" : null,
    city: place.city,
    province: place.province,
    provinceCode: place.provinceCode,
    country: place.country,
    countryCode: place.countryCode,
    zip: place.zip,
    phone: chance.yes(0.5) ? phone : null,
  });
  return {
    email,
    phone,
    firstName: named ? firstName : null,
    lastName: named ? lastName : null,
    state: chance.weighted([
      [80, "DISABLED"],
      [12, "ENABLED"],
      [5, "INVITED"],
      [3, "DECLINED"],
    ]),
    note: chance.yes(0.05) ? "Rings twice" : null,
    tags: TAGS.filter(() => chance.yes(0.12)),
    locale: place.countryCode === "JP" ? "ja" : "en",
    verifiedEmail: chance.yes(0.9),
    taxExempt: chance.yes(0.02),
    emailConsent: consent(chance, email === null ? null : at),
    smsConsent: consent(chance, phone === null ? null : at),
    whatsAppConsent: consent(chance, null),
    addresses: Array.from(
      {
        length: chance.weighted([
          [10, 0],
          [75, 1],
          [15, 2],
        ]),
      },
      (_, number) => address(number),
    ),
  };
}

function consent(chance: Chance, at: number | null): Consent {
  const state = chance.weighted<Consent["state"]>([
    [45, "SUBSCRIBED"],
    [40, "NOT_SUBSCRIBED"],
    [12, "UNSUBSCRIBED"],
    [3, "PENDING"],
  ]);
  const level = chance.pick<Consent["level"]>(["SINGLE_OPT_IN", "CONFIRMED_OPT_IN", "UNKNOWN", null]);
  if (at === null) return { state: "NOT_SUBSCRIBED", level: null, at: null, from: null };
  return {
    state,
    level,
    at: state === "NOT_SUBSCRIBED" ? null : at,
    from: chance.pick<Consent["from"]>(["SHOPIFY", "OTHER"]),
  };
}
