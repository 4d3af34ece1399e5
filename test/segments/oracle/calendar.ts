/** Local days by the platform's own calendar, one instant at a time: nothing here knows when a day begins. */
const formats = new Map<string, Intl.DateTimeFormat>();
const known = new Map<string, string>();

const DAY = 86_400_000;

export const UNIT_MS: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: DAY, week: 7 * DAY };

/** `YYYY-MM-DD` where the clock on the wall shows this instant. */
export function localDay(at: number, zone: string): string {
  const name = `${at} ${zone}`;
  const found = known.get(name);
  if (found !== undefined) return found;
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
    formats.set(zone, format);
  }
  const day = format.format(at);
  if (known.size > 200_000) known.clear();
  known.set(name, day);
  return day;
}

/** Days since 1970-01-01, which was a Thursday. */
export function dayNumber(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) / DAY;
}

export function dayOfNumber(number: number): string {
  return new Date(number * DAY).toISOString().slice(0, 10);
}

/** So many units after a day; a month that is too short ends with its last day. */
export function dayPlus(day: string, n: number, unit: string): string {
  if (unit === "day" || unit === "week") return dayOfNumber(dayNumber(day) + n * (unit === "week" ? 7 : 1));
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  const months = year * 12 + (month - 1) + n * (unit === "year" ? 12 : 1);
  const last = new Date(Date.UTC(Math.floor(months / 12), (months % 12) + 1, 0));
  last.setUTCDate(Math.min(date, last.getUTCDate()));
  return last.toISOString().slice(0, 10);
}

const starts = new Map<string, number>();

/** The first instant that is on this day or a later one. */
export function startOfDay(day: string, zone: string): number {
  const name = `${day} ${zone}`;
  const found = starts.get(name);
  if (found !== undefined) return found;
  let [before, after] = [Date.parse(`${day}T00:00:00Z`) - 2 * DAY, Date.parse(`${day}T00:00:00Z`) + 2 * DAY];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (localDay(middle, zone) >= day) after = middle;
    else before = middle;
  }
  if (starts.size > 50_000) starts.clear();
  starts.set(name, after);
  return after;
}

/** Which period of this kind a day is in: those next to each other are one apart. */
function periodNumber(day: string, kind: string): number {
  const [year = 0, month = 1] = day.split("-").map(Number);
  if (kind === "day") return dayNumber(day);
  if (kind === "week") return Math.floor((dayNumber(day) + 3) / 7);
  if (kind === "month") return year * 12 + month - 1;
  return kind === "quarter" ? Math.floor((year * 12 + month - 1) / 3) : year;
}

export function inPeriod(period: string, day: string, today: string): boolean {
  const days: Record<string, number> = { today: 0, yesterday: -1, tomorrow: 1 };
  const [which = "", unit = ""] = period.split("_");
  const shift = days[period] ?? { last: -1, this: 0, next: 1 }[which] ?? 0;
  const kind = period in days ? "day" : unit;
  return periodNumber(day, kind) === periodNumber(today, kind) + shift;
}
