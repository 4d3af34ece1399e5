import { afterEach, beforeEach, vi } from "vitest";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Where a test's clock starts: years ahead, since the runtime fires alarms by the real clock and none may fire by itself. */
export const T0 = Date.UTC(2035, 0, 15, 12);

/** Gives every test of the file a fake `Date` that starts at T0 and moves only by `travel`. */
export function useFakeClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: T0 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

export function travel(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}
