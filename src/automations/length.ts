import { Temporal } from "temporal-polyfill";

export const INSTANT_UNITS = ["minute", "hour"] as const;
export const CALENDAR_UNITS = ["day", "week", "month", "year"] as const;

const MS = { minute: 60_000, hour: 3_600_000 } as const;

interface Length {
  n: number;
  unit: (typeof INSTANT_UNITS)[number] | (typeof CALENDAR_UNITS)[number];
}

/**
 * The moment so much later. Minutes and hours are exact; days and longer keep the time of day in the shop's zone, so a
 * day over a clock change has 23 or 25 hours. A time that a change leaves out is the same distance after the gap, and
 * one that comes twice is the first.
 */
export function after(at: number, { n, unit }: Length, zone: string): number {
  if (unit === "minute" || unit === "hour") return at + n * MS[unit];
  return zoned(at, zone).add({ [`${unit}s`]: n }).epochMilliseconds;
}

/** So much earlier, by the same rule. */
export function before(at: number, { n, unit }: Length, zone: string): number {
  if (unit === "minute" || unit === "hour") return at - n * MS[unit];
  return zoned(at, zone).subtract({ [`${unit}s`]: n }).epochMilliseconds;
}

/**
 * The next moment after `at` at which the clocks of the zone show this time of day, on one of these days of the week
 * (1 is Monday; any without them).
 *
 * @param time `HH:MM`
 */
export function nextTime(at: number, time: string, weekdays: number[] | undefined, zone: string): number {
  const today = zoned(at, zone).toPlainDate();
  for (let days = 0; ; days++) {
    const day = today.add({ days });
    const moment = onDay(day, time, zone);
    if (moment > at && (weekdays === undefined || weekdays.includes(day.dayOfWeek))) return moment;
  }
}

/** The same for a day of the month; the last one where the month is shorter. */
export function nextMonthly(at: number, time: string, dayOfMonth: number, zone: string): number {
  const today = zoned(at, zone).toPlainDate();
  for (let months = 0; ; months++) {
    const month = today.with({ day: 1 }).add({ months });
    const moment = onDay(month.with({ day: dayOfMonth }, { overflow: "constrain" }), time, zone);
    if (moment > at) return moment;
  }
}

/** A local day (`YYYY-MM-DD`) at a time of day. */
export function momentOf(day: string, time: string, zone: string): number {
  return onDay(Temporal.PlainDate.from(day), time, zone);
}

function onDay(day: Temporal.PlainDate, time: string, zone: string): number {
  return day.toZonedDateTime({ timeZone: zone, plainTime: Temporal.PlainTime.from(time) }).epochMilliseconds;
}

function zoned(at: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
}
