import type { Source } from "./listing.ts";
import type { AddressRecord } from "./records.ts";
import { gid } from "./stamps.ts";

export function addressNode(address: AddressRecord): Source {
  const name = [address.firstName, address.lastName].filter(Boolean).join(" ");
  const lines = [
    address.address1,
    address.address2,
    [address.zip, address.city].filter(Boolean).join(" "),
    address.country,
  ];
  return {
    __typename: "MailingAddress",
    id: gid("MailingAddress", address.id),
    firstName: address.firstName,
    lastName: address.lastName,
    name: name === "" ? null : name,
    company: address.company,
    address1: address.address1,
    address2: address.address2,
    city: address.city,
    province: address.province,
    provinceCode: address.provinceCode,
    country: address.country,
    countryCode: address.countryCode,
    countryCodeV2: address.countryCode,
    zip: address.zip,
    phone: address.phone,
    coordinatesValidated: false,
    latitude: null,
    longitude: null,
    timeZone: null,
    formatted: () => lines.filter((line) => line !== null && line !== ""),
    formattedArea: () => [address.city, address.country].filter(Boolean).join(", "),
  };
}
