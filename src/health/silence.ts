const HOUR_MS = 3_600_000;

/** How far back the shop's normal is looked for. */
export const HISTORY_HOURS = 6 * 168;

/** Hours that must have been counted before anything is called unusual: two weeks. */
const LEAST_HISTORY_HOURS = 2 * 168;

/** With less than this a week, days without anything are ordinary. */
const LEAST_PER_WEEK = 50;

/** An alert needs a silence that normal traffic shows less often than this. */
const CHANCE = 1e-4;

/** Spans before the silence whose own level counts, and how much must be expected of one for its level to mean anything. */
const LEVEL_HOURS = [24, 72, 168];
const LEAST_FOR_LEVEL = 20;

/** What came in during one whole hour; hours that nobody counted are absent. */
export interface HourCount {
  /** Beginning, epoch ms. */
  hour: number;
  count: number;
}

export interface Silence {
  /** End of the last hour in which anything came. */
  since: number;
  /** How much was to be expected since. */
  expected: number;
  /** The chance that this shop is silent for so long by itself. */
  chance: number;
}

/**
 * Whether intake has fallen silent against the shop's own normal: the mean of the same hour of the week (in the shop's
 * time zone) over the past weeks. Null while it has not, while there is too little history or traffic to tell, and
 * where the silence is ordinary.
 *
 * Traffic comes in clumps (a visit is several beacons), and only clumps come independently of each other. How large
 * they are shows in the dispersion of the shop's own hours, f: the chance of a silence is `e^(-expected/f)`. A season
 * that is quieter than the weeks before lowers what is expected, a busier one does not raise it.
 *
 * @param counts ascending, the last one the latest whole hour
 */
export function findSilence(counts: HourCount[], timezone: string): Silence | null {
  let end = counts.length;
  while (end > 0 && counts[end - 1]?.count === 0) end--;
  const [before, silent] = [counts.slice(0, end), counts.slice(end)];
  const last = before.at(-1);
  if (!last || silent.length === 0 || before.length < LEAST_HISTORY_HOURS) return null;

  const slotOf = slots(timezone);
  const means = meansBySlot(before, slotOf);
  const normal = ({ hour }: HourCount) => means.get(slotOf(hour)) ?? 0;
  const perWeek = (sum(before, ({ count }) => count) / before.length) * 168;
  if (perWeek < LEAST_PER_WEEK) return null;

  const expected = sum(silent, normal) * level(before, normal);
  const chance = Math.exp(-expected / dispersion(before, normal, means.size));
  return chance < CHANCE ? { since: last.hour + HOUR_MS, expected, chance } : null;
}

function sum<T>(values: T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}

/** The hour of the week by the shop's clock, 0 to 167: it keeps its place when the clocks change. */
function slots(timezone: string): (hour: number) => string {
  const format = new Intl.DateTimeFormat("en", {
    timeZone: timezone,
    weekday: "short",
    hour: "2-digit",
    hourCycle: "h23",
  });
  return (hour) => format.format(hour);
}

function meansBySlot(counts: HourCount[], slotOf: (hour: number) => string): Map<string, number> {
  const bySlot = Map.groupBy(counts, ({ hour }) => slotOf(hour));
  return new Map([...bySlot].map(([slot, hours]) => [slot, sum(hours, ({ count }) => count) / hours.length]));
}

/** How quiet the time before the silence was against the normal: from 0 to 1, the least over a day, three and a week. */
function level(before: HourCount[], normal: (hour: HourCount) => number): number {
  const levels = LEVEL_HOURS.map((hours) => {
    const recent = before.slice(-hours);
    const wanted = sum(recent, normal);
    return wanted < LEAST_FOR_LEVEL ? 1 : sum(recent, ({ count }) => count) / wanted;
  });
  return Math.min(1, ...levels);
}

/** Variance over mean of the hours around their normal (Pearson), at least 1. */
function dispersion(before: HourCount[], normal: (hour: HourCount) => number, slotCount: number): number {
  const busy = before.filter((hour) => normal(hour) > 0);
  const squares = sum(busy, (hour) => (hour.count - normal(hour)) ** 2 / normal(hour));
  return Math.max(1, squares / Math.max(1, busy.length - slotCount));
}
