import { describe, expect, it } from "vitest";

import { findSilence, type HourCount } from "../../src/health/silence";
import { HOUR } from "../helpers/clock";
import { Random } from "../helpers/random";

const WEEK = 168;

/** A Monday, midnight UTC. */
const MONDAY = Date.UTC(2035, 0, 1);

/** Poisson, or in clumps of a visit's page views. */
function draw(random: Random, mean: number, clump = 1): number {
  let visits = 0;
  for (let p = Math.exp(-mean / clump), sum = p, u = random.next(); u > sum && visits < 1000;) {
    p *= mean / clump / ++visits;
    sum += p;
  }
  let total = 0;
  for (let i = 0; i < visits; i++) total += clump === 1 ? 1 : random.int(1, 2 * clump - 1);
  return total;
}

/** Hours from MONDAY on, by what a shop's hour is like. */
function hours(
  n: number,
  mean: (hour: Date, index: number) => number,
  { seed = 1, clump = 1, from = MONDAY } = {},
): HourCount[] {
  const random = new Random(seed);
  return Array.from({ length: n }, (_, i) => {
    const hour = from + i * HOUR;
    return { hour, count: draw(random, mean(new Date(hour), i), clump) };
  });
}

const even = (mean: number) => () => mean;

/** Open by day, next to nothing at night (UTC). */
const daytime = (mean: number) => (at: Date) => (at.getUTCHours() >= 8 && at.getUTCHours() < 20 ? mean : 0);

/** Nothing on Saturdays and Sundays. */
const weekdays = (mean: number) => (at: Date) => ([0, 6].includes(at.getUTCDay()) ? 0 : mean);

const silent = (n: number, after: HourCount[]): HourCount[] => {
  const from = (after.at(-1)?.hour ?? 0) + HOUR;
  return [...after, ...Array.from({ length: n }, (_, i) => ({ hour: from + i * HOUR, count: 0 }))];
};

const nonzeroEnd = (counts: HourCount[]) => counts.slice(0, counts.findLastIndex(({ count }) => count > 0) + 1);

describe("an alert", () => {
  it("opens once normal traffic would be silent for so long less than once in 10,000", () => {
    const normal = nonzeroEnd(hours(6 * WEEK, even(4)));
    expect(findSilence(silent(1, normal), "UTC")).toBeNull();
    expect(findSilence(silent(2, normal), "UTC")).toBeNull();
    const found = findSilence(silent(4, normal), "UTC");
    expect(found?.chance).toBeLessThan(1e-4);
    expect(found?.expected).toBeGreaterThan(9.2);
    expect(found?.since).toBe((normal.at(-1)?.hour ?? 0) + HOUR);
  });

  it("opens within the hour for a busy shop", () => {
    expect(findSilence(silent(1, nonzeroEnd(hours(3 * WEEK, even(100), { clump: 4 }))), "UTC")).not.toBeNull();
  });

  it("is gone as soon as anything came", () => {
    const counts = silent(10, nonzeroEnd(hours(6 * WEEK, even(4))));
    expect(findSilence(counts, "UTC")).not.toBeNull();
    expect(findSilence([...counts, { hour: (counts.at(-1)?.hour ?? 0) + HOUR, count: 1 }], "UTC")).toBeNull();
  });
});

describe("nothing is opened", () => {
  it.each([
    ["at night, for a shop that sleeps", () => hours(4 * WEEK + 8, daytime(20))],
    ["on a weekend, for a shop that has none", () => hours(3 * WEEK + 7 * 24 - 1, weekdays(10))],
    ["without any history", () => []],
    ["for a shop that never had anything", () => hours(6 * WEEK, even(0))],
  ])("%s", (_, counts) => {
    expect(findSilence(counts(), "UTC")).toBeNull();
  });

  it("for a new shop: less than two weeks of its own", () => {
    const tenDays = nonzeroEnd(hours(10 * 24, even(10)));
    expect(findSilence(silent(48, tenDays), "UTC")).toBeNull();
    expect(findSilence(silent(48, nonzeroEnd(hours(15 * 24, even(10)))), "UTC")).not.toBeNull();
  });

  it("for a shop with too little traffic, however long", () => {
    const quiet = nonzeroEnd(hours(4 * WEEK, even(0.2)));
    expect(findSilence(silent(2 * WEEK, quiet), "UTC")).toBeNull();
  });

  it("in a season that is quieter than the weeks before", () => {
    const holidays = hours(6 * WEEK, (_, i) => (i < 5 * WEEK ? 6 : 0.5));
    const normal = nonzeroEnd(hours(6 * WEEK, even(6)));
    expect(findSilence(silent(4, normal), "UTC")).not.toBeNull();
    expect(findSilence(silent(4, nonzeroEnd(holidays)), "UTC")).toBeNull();
    expect(findSilence(silent(60, nonzeroEnd(holidays)), "UTC")).not.toBeNull();
  });

  it("where traffic comes in clumps and its gaps are ordinary", () => {
    const clumped = nonzeroEnd(hours(6 * WEEK, even(6), { clump: 12 }));
    expect(findSilence(silent(2, nonzeroEnd(hours(6 * WEEK, even(6)))), "UTC")).not.toBeNull();
    expect(findSilence(silent(2, clumped), "UTC")).toBeNull();
    expect(findSilence(silent(24, clumped), "UTC")).not.toBeNull();
  });
});

describe("the hours of a shop's own clock", () => {
  it("a shop that sleeps in its own zone is not woken, and is missed in its own morning", () => {
    const zone = "America/Los_Angeles";
    // 8 to 20 there is 16 to 4 UTC in winter.
    const there = (at: Date) => (at.getUTCHours() >= 16 || at.getUTCHours() < 4 ? 20 : 0);
    const endsAtNight = nonzeroEnd(hours(3 * WEEK + 4, there));
    expect(findSilence(silent(12, endsAtNight), zone)).toBeNull();
    expect(findSilence(silent(14, endsAtNight), zone)).not.toBeNull();
  });

  it("keep their place when the clocks change: the hour after is not missed an hour too early", () => {
    const zone = "Europe/Berlin";
    // Three weeks of summer time, then winter time from 28 October 2035, 01:00 UTC on: opening at 8 is an hour later in UTC.
    const from = Date.UTC(2035, 9, 8);
    const change = Date.UTC(2035, 9, 28, 1);
    const there = (at: Date) => {
      const local = (at.getUTCHours() + (at.getTime() < change ? 2 : 1)) % 24;
      return local >= 8 && local < 20 ? 30 : 0;
    };
    const untilMonday = (Date.UTC(2035, 9, 29, 7) - from) / HOUR;
    const counts = hours(untilMonday, there, { from });
    expect(counts.at(-1)).toEqual({ hour: Date.UTC(2035, 9, 29, 6), count: 0 });
    expect(findSilence(counts, zone)).toBeNull();
    // By UTC alone, 06:00 was a busy hour in each of the weeks before.
    expect(findSilence(counts, "UTC")).not.toBeNull();
    expect(findSilence(silent(1, counts), zone)).not.toBeNull();
  });
});

it("false alarms are rare in ordinary traffic of twelve shops over two weeks", () => {
  let alarms = 0;
  let checks = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const counts = hours(4 * WEEK, (at) => daytime(3)(at) + 0.3, { seed, clump: 4 });
    for (let end = 2 * WEEK; end <= counts.length; end += 5) {
      checks++;
      if (findSilence(counts.slice(0, end), "UTC")) alarms++;
    }
  }
  expect(checks).toBeGreaterThan(700);
  expect(alarms).toBe(0);
});
