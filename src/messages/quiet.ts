import { Temporal } from "temporal-polyfill";

/** When a message may not go out, by the recipient's clock. */
export interface SendingWindow {
  /** `HH:MM` local; may span midnight. Null for none. */
  quiet: { from: string; to: string } | null;
  /** ISO weekdays (1 is Monday) on which messages go out; null for all. */
  weekdays: readonly number[] | null;
}

/** Local days looked ahead: every weekday comes within them. */
const DAYS = 8;

/**
 * The first moment from `now` on at which a message may go out: `now` itself where it may. An hour that a clock change
 * skips begins when the skip ends; of one that comes twice the first counts. Null where it may never.
 */
export function nextMoment(now: number, zone: string, { quiet, weekdays }: SendingWindow): number | null {
  const local = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone);
  const today = local.toPlainDate();
  const candidates = [now];
  for (let day = 0; day < DAYS; day++) {
    const date = today.add({ days: day });
    for (const time of ["00:00", ...(quiet ? [quiet.to] : [])]) {
      const at = date.toZonedDateTime({ timeZone: zone, plainTime: Temporal.PlainTime.from(time) }).epochMilliseconds;
      if (at > now) candidates.push(at);
    }
  }
  candidates.sort((a, b) => a - b);
  return candidates.find((at) => isOpen(at, zone, { quiet, weekdays })) ?? null;
}

function isOpen(at: number, zone: string, { quiet, weekdays }: SendingWindow): boolean {
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
  if (weekdays && !weekdays.includes(local.dayOfWeek)) return false;
  if (!quiet || quiet.from === quiet.to) return true;
  const minute = local.hour * 60 + local.minute;
  const [from, to] = [minutes(quiet.from), minutes(quiet.to)];
  return from < to ? minute < from || minute >= to : minute < from && minute >= to;
}

function minutes(time: string): number {
  const [hour = "0", minute = "0"] = time.split(":");
  return Number(hour) * 60 + Number(minute);
}
