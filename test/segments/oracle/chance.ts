import { Random } from "../../helpers/random";
import { startOfDay } from "./calendar";

export const ZONES: [string, ...string[]] = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/Santiago",
  "Africa/Cairo",
  "Asia/Kolkata",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Asia/Kathmandu",
  "Pacific/Chatham",
];

const CURRENCIES: [string, ...string[]] = ["EUR", "EUR", "JPY", "KWD"];

/** Days around which clocks change somewhere, months end and years begin. */
const DAYS: [string, ...string[]] = [
  "2027-03-28",
  "2027-03-14",
  "2027-10-31",
  "2027-11-07",
  "2027-04-30",
  "2027-10-29",
  "2027-09-05",
  "2027-04-04",
  "2028-02-29",
  "2027-02-28",
  "2027-12-31",
  "2028-01-01",
  "2027-01-01",
  "2027-06-15",
];

const MINUTE = 60_000;
export const STEPS: [number, ...number[]] = [MINUTE, 60 * MINUTE, 1_440 * MINUTE, 10_080 * MINUTE];

/** Chance that repeats itself for a seed, with the words and moments that definitions and worlds share. */
export class Chance extends Random {
  /** Moments that everything in one world is near to. */
  #moments: number[] = [];

  /** The shop's own currency. */
  currency = "EUR";

  /** What a world is about, before anything in it is made. */
  newWorld(): void {
    this.currency = this.pick(CURRENCIES);
    this.#moments = Array.from({ length: 8 }, () => {
      const day = this.pick(DAYS);
      if (this.chance(0.5)) return startOfDay(day, this.pick(ZONES)) + this.int(-1, 1);
      return Date.parse(`${day}T00:00:00Z`) + this.int(-40 * 1_440, 40 * 1_440) * MINUTE;
    });
  }

  /** An instant at, or by whole units beside, one of the moments; often a ms off. */
  moment(): number {
    const base = this.#moments[this.int(0, this.#moments.length - 1)] ?? 0;
    const shift = this.chance(0.5) ? this.pick(STEPS) * this.int(-6, 6) : 0;
    return base + shift + (this.chance(0.4) ? this.int(-1, 1) : 0);
  }

  maybe<T>(probability: number, make: () => T): T | null {
    return this.chance(probability) ? make() : null;
  }

  /** So many, each made anew. */
  some<T>(from: number, to: number, make: (i: number) => T): T[] {
    return Array.from({ length: this.int(from, to) }, (_, i) => make(i));
  }

  shuffled<T>(list: readonly T[]): T[] {
    return list
      .map((one) => ({ one, at: this.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ one }) => one);
  }

  oneOf<T>(list: readonly T[]): T | undefined {
    return list[this.int(0, list.length - 1)];
  }

  word(): string {
    return this.pick(WORDS);
  }
}

/** Texts that break careless queries. */
export const WORDS: [string, ...string[]] = [
  "Berlin",
  "berlin",
  "BERLIN",
  "São Paulo",
  "SÃO PAULO",
  "50%",
  "50",
  "a_b",
  "axb",
  "A_B",
  "O'Brien",
  'say "hi"',
  "100%_'\"",
  "😀 emoji",
  "😀",
  "Zoë",
  "ZOË",
  "zoe",
  "straße",
  "STRASSE",
  "STRAẞE",
  "İstanbul",
  "ısı",
  "ISI",
  "ΣΑΣ",
  "σας",
  "Kelvin",
  "\u212aelvin",
  "a*b",
  "[x]",
  "a?b",
  "back\\slash",
  "привет",
  "ПРИВЕТ",
  "日本語",
  "Ǆ",
  "ǆ",
  "ends with b",
  "null",
  "0",
  `${"long ".repeat(12)}tail`,
];
