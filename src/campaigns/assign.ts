import { Temporal } from "temporal-polyfill";

import { fraction } from "../lib/fraction";
import type { Definition, Schedule } from "./definition";

/** The group of those who get nothing, in the column of variants. */
export const HOLDOUT = "holdout";

/**
 * Which message somebody gets: always the same for the same campaign and contact.
 *
 * @param campaign its public id
 * @param contact key
 * @returns a variant's name, `holdout`, or null for who waits for the winner
 */
export function assign(
  campaign: string,
  contact: number,
  { holdout, test, variants }: Pick<Definition, "holdout" | "test" | "variants">,
): string | null {
  if (fraction(`${campaign}:holdout:${contact}`) * 100 < holdout) return HOLDOUT;
  if (test && fraction(`${campaign}:test:${contact}`) * 100 >= test.percent) return null;
  const all = variants.reduce((sum, { weight }) => sum + weight, 0);
  let left = fraction(`${campaign}:variant:${contact}`) * all;
  for (const { name, weight } of variants) {
    left -= weight;
    if (left < 0) return name;
  }
  return variants.at(-1)?.name ?? null;
}

/** Where the day begins first, so that nobody's hour has passed when the audience is taken down. */
const FIRST_ZONE = "Etc/GMT-14";

/** When a schedule has the audience taken down, epoch ms. */
export function beginsAt(schedule: Schedule, now: number): number {
  if (schedule.type === "now") return now;
  return schedule.type === "at" ? Date.parse(schedule.at) : localMoment(schedule.at, FIRST_ZONE);
}

/**
 * When somebody's message is due: at once, or at the hour of their own zone. Who is past that hour already gets it at
 * once. An hour that a clock change skips is as much later.
 */
export function dueFor(schedule: Schedule, zone: string, now: number): number {
  return schedule.type === "local" ? Math.max(now, localMoment(schedule.at, zone)) : now;
}

function localMoment(at: string, zone: string): number {
  return Temporal.PlainDateTime.from(at).toZonedDateTime(zone).epochMilliseconds;
}

/** When the `nth` message (from 0) of a moment goes out at so many a minute. */
export function spread(moment: number, nth: number, perMinute: number | null): number {
  return perMinute === null ? moment : moment + Math.floor((nth * 60_000) / perMinute);
}
