import { describe, expect, test } from "vitest";

import { dayOf, inRange, nextFlip, PERIODS, rangeOf, type Span, startOf, type Unit } from "../../src/segments/window";
import { anniversaryFlips } from "../../src/segments/membership/flips";
import { DAY, HOUR, MINUTE } from "../helpers/clock";
import { Random } from "../helpers/random";

const BERLIN = "Europe/Berlin";
const at = (text: string) => Date.parse(text);
const last = (n: number, unit: Unit): Span => ({ kind: "last", length: { n, unit } });

describe("2.2: windows", () => {
  test("2.2: a DST day has 23 or 25 hours, an hour always 60 minutes", () => {
    // Berlin: 2027-03-28 begins at 23:00 UTC and has 23 hours; 2027-10-31 has 25.
    const spring = rangeOf({ kind: "period", period: "today" }, at("2027-03-28T12:00:00Z"), BERLIN);
    expect([spring.from, spring.to]).toEqual([at("2027-03-27T23:00:00Z"), at("2027-03-28T21:59:59.999Z")]);
    const autumn = rangeOf({ kind: "period", period: "yesterday" }, at("2027-11-01T12:00:00Z"), BERLIN);
    expect([autumn.from, autumn.to]).toEqual([at("2027-10-30T22:00:00Z"), at("2027-10-31T22:59:59.999Z")]);
    const now = at("2027-03-28T12:00:00Z");
    expect(rangeOf(last(24, "hour"), now, BERLIN).from).toBe(now - 24 * HOUR);
    expect(rangeOf(last(1, "day"), now, BERLIN).from).toBe(at("2027-03-26T23:00:00Z"));
    expect(rangeOf(last(90, "minute"), now, BERLIN)).toMatchObject({ from: now - 90 * MINUTE, to: now });
  });

  test("2.2: a day without a midnight begins with its first instant", () => {
    expect(startOf("2018-11-04", "America/Sao_Paulo")).toBe(at("2018-11-04T03:00:00Z"));
    expect(dayOf(at("2018-11-04T03:00:00Z"), "America/Sao_Paulo")).toBe("2018-11-04");
    expect(dayOf(at("2018-11-04T02:59:59.999Z"), "America/Sao_Paulo")).toBe("2018-11-03");
  });

  test("2.2: months end where they end; weeks begin on Monday; quarters and years", () => {
    const days = (span: Span, now: string) => {
      const { fromDay, toDay } = rangeOf(span, at(now), BERLIN);
      return [fromDay, toDay];
    };
    expect(days(last(1, "month"), "2027-03-31T12:00:00Z")).toEqual(["2027-02-28", "2027-03-31"]);
    expect(days(last(2, "week"), "2027-03-31T12:00:00Z")).toEqual(["2027-03-17", "2027-03-31"]);
    expect(days(last(1, "year"), "2028-02-29T12:00:00Z")).toEqual(["2027-02-28", "2028-02-29"]);
    const period = (name: Extract<Span, { kind: "period" }>["period"], now = "2027-02-17T12:00:00Z") =>
      days({ kind: "period", period: name }, now);
    expect(period("this_week")).toEqual(["2027-02-15", "2027-02-21"]);
    expect(period("last_week")).toEqual(["2027-02-08", "2027-02-14"]);
    expect(period("next_month")).toEqual(["2027-03-01", "2027-03-31"]);
    expect(period("last_month")).toEqual(["2027-01-01", "2027-01-31"]);
    expect(period("this_quarter")).toEqual(["2027-01-01", "2027-03-31"]);
    expect(period("last_quarter")).toEqual(["2026-10-01", "2026-12-31"]);
    expect(period("last_year")).toEqual(["2026-01-01", "2026-12-31"]);
    expect(period("next_year")).toEqual(["2028-01-01", "2028-12-31"]);
    expect(period("tomorrow", "2027-02-28T23:30:00Z")).toEqual(["2027-03-02", "2027-03-02"]);
  });

  test("2.2: the next moment at which the clock alone changes the answer is exact to the ms", () => {
    const random = new Random(20351);
    const units: [Unit, ...Unit[]] = ["minute", "hour", "day", "week", "month", "year"];
    const zones: [string, ...string[]] = [BERLIN, "America/Sao_Paulo", "Asia/Kolkata", "Pacific/Apia", "UTC"];
    let flips = 0;
    for (let i = 0; i < 400; i++) {
      const zone = random.pick(zones);
      const length = () => ({ n: random.int(1, 40), unit: random.pick(units) });
      const span = random.pick<Span>([
        { kind: "last", length: length() },
        { kind: "next", length: length() },
        { kind: "before", length: length() },
        { kind: "ago", lengths: [length(), length()] },
        { kind: "period", period: random.pick(PERIODS) },
      ]);
      const moment = at("2027-02-20T00:00:00Z") + random.int(0, 400 * DAY);
      const now = moment + random.int(-800 * DAY, 800 * DAY);
      const holds = (when: number) => inRange(rangeOf(span, when, zone), moment);
      const flip = nextFlip(span, moment, now, zone);
      const told = JSON.stringify({ span, zone, moment, now, flip });
      if (flip !== null) {
        flips++;
        expect(flip, told).toBeGreaterThan(now);
        expect(holds(flip), told).toBe(!holds(now));
        expect(holds(flip - 1), told).toBe(holds(now));
      }
      // Nothing changes before it: looked at in uneven steps.
      const until = flip ?? now + 3_000 * DAY;
      for (let j = 0; j < 25; j++) {
        const between = now + Math.floor(random.next() * (until - now));
        expect(holds(between), `${told} at ${between}`).toBe(holds(now));
      }
    }
    expect(flips).toBeGreaterThan(100);
  });

  test("2.2: an instant late in a quarter enters the quarter before the next one when that begins", () => {
    const moment = at("2027-09-04T12:00:00Z");
    const flips = (period: Extract<Span, { kind: "period" }>["period"], now: string) =>
      nextFlip({ kind: "period", period }, moment, at(now), "UTC");
    expect(flips("next_quarter", "2027-02-23T00:00:00Z")).toBe(at("2027-04-01T00:00:00Z"));
    expect(flips("last_quarter", "2027-10-05T00:00:00Z")).toBe(at("2028-01-01T00:00:00Z"));
  });

  test("2.2: an anniversary within hours comes and goes to the ms, however many hours", () => {
    const born = at("1990-05-10T12:00:00Z");
    const flips = (way: "next" | "last", n: number, now: string) =>
      anniversaryFlips({ in: way, length: { n, unit: "hour" } }, born, at(now), "UTC").sort((a, b) => a - b);
    // 336 hours before the day begins, and 3 hours before it.
    expect(flips("next", 336, "2027-04-25T00:00:00Z")).toContain(at("2027-04-26T00:00:00Z"));
    expect(flips("next", 3, "2027-05-09T00:00:00Z")).toContain(at("2027-05-09T21:00:00Z"));
    expect(flips("last", 3, "2027-05-10T00:00:00Z")).toContain(at("2027-05-11T03:00:00Z"));
  });
});
