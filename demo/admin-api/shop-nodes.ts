import type { Source } from "./listing.ts";
import { listOf } from "./listing.ts";
import type { LocationRecord, StaffRecord } from "./records.ts";
import { gid, stampOf } from "./stamps.ts";
import type { AdminStore } from "./store.ts";

const PLANS = { basic: "Basic", advanced: "Advanced", plus: "Shopify Plus" };

/** `GMT+1`, `GMT+05:30`, `GMT-8` as minutes. */
function offsetMinutes(zone: string, at: number): number {
  const parts = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(at);
  const text = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
  const match = /([+-])(\d\d):(\d\d)/.exec(text);
  return match === null ? 0 : (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
}

/** The shop object. */
export function shopNode(store: AdminStore): Source {
  const minutes = offsetMinutes(store.ianaTimezone, store.now());
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const offset = `${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}${two(Math.abs(minutes) % 60)}`;
  const url = `https://${store.domain}`;
  const format = `${store.currency} {{amount}}`;
  const presentment = [...new Set([store.currency, "EUR", "USD", "GBP", "JPY"])];
  return {
    __typename: "Shop",
    id: gid("Shop", store.id),
    name: store.name,
    email: store.email,
    contactEmail: store.email,
    description: null,
    shopOwnerName: "Ada Alder",
    myshopifyDomain: store.domain,
    url,
    primaryDomain: { __typename: "Domain", id: gid("Domain", store.id + 1), host: store.domain, url, sslEnabled: true },
    currencyCode: store.currency,
    enabledPresentmentCurrencies: presentment,
    currencyFormats: {
      moneyFormat: format,
      moneyInEmailsFormat: format,
      moneyWithCurrencyFormat: format,
      moneyWithCurrencyInEmailsFormat: format,
    },
    ianaTimezone: store.ianaTimezone,
    timezoneAbbreviation: "UTC",
    timezoneOffset: offset,
    timezoneOffsetMinutes: minutes,
    plan: {
      displayName: PLANS[store.plan],
      publicDisplayName: PLANS[store.plan],
      partnerDevelopment: false,
      shopifyPlus: store.plan === "plus",
    },
    shopAddress: {
      __typename: "ShopAddress",
      id: gid("ShopAddress", store.id + 2),
      address1: "Oderberger Straße 12",
      address2: null,
      city: "Berlin",
      company: store.name,
      country: "Germany",
      countryCode: "DE",
      countryCodeV2: "DE",
      phone: null,
      province: null,
      provinceCode: null,
      zip: "10435",
      latitude: null,
      longitude: null,
      coordinatesValidated: false,
      formatted: ["Oderberger Straße 12", "10435 Berlin", "Germany"],
      formattedArea: "Berlin, Germany",
    },
    orderNumberFormatPrefix: "#",
    orderNumberFormatSuffix: "",
    taxesIncluded: store.taxesIncluded,
    taxShipping: false,
    setupRequired: false,
    checkoutApiSupported: true,
    transactionalSmsDisabled: false,
    marketingSmsConsentEnabledAtCheckout: false,
    unitSystem: "METRIC_SYSTEM",
    weightUnit: "KILOGRAMS",
    createdAt: stampOf(store.createdAt),
    updatedAt: stampOf(store.createdAt),
    metafield: null,
    metafields: listOf([]),
  };
}

export function installationNode(store: AdminStore): Source {
  return {
    __typename: "AppInstallation",
    id: gid("AppInstallation", store.id + 3),
    accessScopes: store.app.scopes.map((handle) => ({ handle, description: handle.replaceAll("_", " ") })),
    app: {
      __typename: "App",
      id: gid("App", store.id + 4),
      apiKey: store.app.clientId,
      handle: "stand-in-app",
      title: "App of the stand-in",
      embedded: true,
      developerType: "MERCHANT",
    },
    launchUrl: `https://${store.domain}/admin/apps/${store.app.clientId}`,
    uninstallUrl: null,
    activeSubscriptions: [],
    metafield: null,
    metafields: listOf([]),
  };
}

export function locationNode(location: LocationRecord): Source {
  return {
    __typename: "Location",
    id: gid("Location", location.id),
    legacyResourceId: String(location.id),
    name: location.name,
    isActive: true,
    isPrimary: false,
    isFulfillmentService: false,
    fulfillsOnlineOrders: true,
    shipsInventory: true,
    createdAt: stampOf(location.createdAt),
    updatedAt: stampOf(location.updatedAt),
  };
}

export function staffNode(staff: StaffRecord): Source {
  return {
    __typename: "StaffMember",
    id: gid("StaffMember", staff.id),
    firstName: staff.firstName,
    lastName: staff.lastName,
    name: `${staff.firstName} ${staff.lastName}`,
    email: staff.email,
    phone: null,
    active: true,
    exists: true,
    isShopOwner: false,
    accountType: "REGULAR",
    initials: [staff.firstName.charAt(0) + staff.lastName.charAt(0)],
    locale: "en",
  };
}
