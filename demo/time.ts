import { SHOP_TIME_ZONE } from "./shop.ts";

const parts = new Intl.DateTimeFormat("en-GB", {
  timeZone: SHOP_TIME_ZONE,
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
  timeZoneName: "longOffset",
});

/** Epoch ms as Shopify writes most times: local to the shop, with its offset, no fraction ("2026-11-22T08:59:37+01:00"). */
export function shopTime(at: number): string {
  const found = new Map(parts.formatToParts(at).map((part) => [part.type, part.value]));
  const get = (type: Intl.DateTimeFormatPartTypes): string => found.get(type) ?? "";
  const offset = get("timeZoneName").replace("GMT", "") || "+00:00";
  return `${get("year")}-${get("month")}-${get("day")}T${get("hour")}:${get("minute")}:${get("second")}${offset}`;
}

/** Epoch ms in UTC with milliseconds, as in carts and in the GraphQL-born topics. */
export function utcTime(at: number): string {
  return new Date(at).toISOString();
}
