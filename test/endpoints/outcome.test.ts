import { describe, expect, it } from "vitest";

import { afterAttempt, endpointAfter, type Reply } from "../../src/endpoints/outcome";
import { DAY, HOUR, MINUTE, SECOND } from "../helpers/clock";

const FAILED: Reply = { status: 500, error: null };
const NO_ANSWER: Reply = { status: null, error: "timed out" };
const GONE: Reply = { status: 410, error: null };

describe("a delivery", () => {
  it.each([200, 201, 204, 299])("is delivered by %i", (status) => {
    expect(afterAttempt({ status, error: null }, 1, 7, 0).state).toBe("delivered");
  });

  it.each([100, 301, 302, 308, 400, 404, 429, 500, 503])("is tried again after %i", (status) => {
    expect(afterAttempt({ status, error: null }, 1, 0, 0)).toEqual({ state: "pending", nextAttemptAt: 5 * SECOND });
  });

  it("is tried nine times in about a day, with growing waits and jitter, then failed", () => {
    for (const chance of [0, 0.999]) {
      let now = 0;
      let attempts = 0;
      for (;;) {
        const next = afterAttempt(NO_ANSWER, ++attempts, now, chance);
        if (next.state === "failed") break;
        expect(next.nextAttemptAt - now).toBeGreaterThanOrEqual(5 * SECOND);
        now = next.nextAttemptAt;
      }
      expect(attempts).toBe(9);
      expect(now).toBeGreaterThan(20 * HOUR);
      expect(now).toBeLessThan(30 * HOUR);
    }
    expect(afterAttempt(FAILED, 2, 0, 0).nextAttemptAt).toBe(MINUTE);
    expect(afterAttempt(FAILED, 2, 0, 0.5).nextAttemptAt).toBe(1.1 * MINUTE);
  });

  it("is given up by a 410", () => {
    expect(afterAttempt(GONE, 1, 0, 0).state).toBe("failed");
  });
});

describe("an endpoint", () => {
  it.each([
    ["a first failure", "enabled", null, FAILED, 9 * DAY, "enabled", 9 * DAY],
    ["failures for less than an hour", "enabled", 0, FAILED, HOUR - 1, "enabled", 0],
    ["failures for an hour", "enabled", 0, NO_ANSWER, HOUR, "failing", 0],
    ["failures for less than five days", "failing", 0, FAILED, 5 * DAY - 1, "failing", 0],
    ["failures for five days", "failing", 0, FAILED, 5 * DAY, "disabled", 0],
    ["a success", "failing", 0, { status: 204, error: null }, DAY, "enabled", null],
    ["a 410", "enabled", null, GONE, DAY, "disabled", DAY],
    ["a late success after it was disabled", "disabled", null, { status: 204, error: null }, DAY, "disabled", null],
  ] as const)("after %s", (_, state, failingSince, reply, now, wanted, since) => {
    expect(endpointAfter({ state, failingSince }, reply, now)).toEqual({ state: wanted, failingSince: since });
  });
});
