import type { Wants } from "../../../src/segments/operators";
import { dayOfNumber, dayNumber, localDay, UNIT_MS } from "./calendar";
import type { Chance } from "./chance";
import type { Clock, Value } from "./operators";
import type { Json } from "./world";

export const COMPARISONS: [string, ...string[]] = ["eq", "ne", "gt", "gte", "lt", "lte", "between"];

/** What conditions compare with: mostly what is there, or just beside it. */
export class Operands {
  readonly chance: Chance;
  /** By which it is asked. */
  clock: Clock = { now: 0, zone: "UTC" };

  constructor(chance: Chance) {
    this.chance = chance;
  }

  comparison(values: number[], name: string): { [name: string]: Json } {
    const one = () => (this.chance.oneOf(values) ?? 0) + (this.chance.chance(0.2) ? this.chance.int(-1, 1) : 0);
    return { [name]: name === "between" ? this.pair(one) : one() };
  }

  pair(make: () => number): number[] {
    const pair = [make(), make()];
    return this.chance.chance(0.9) ? pair.sort((a, b) => a - b) : pair;
  }

  /** What an operator is given: mostly a value that is there, or one just beside it. */
  operand(wants: Wants, op: string, values: Value[], money: boolean): { value?: Json } {
    const { chance } = this;
    const texts = values.filter((value) => typeof value === "string" && value !== "").map(String);
    const numbers = values.filter((value) => typeof value === "number");
    const text = () => this.#text(op, texts);
    const number = () => this.#number(numbers, money);
    switch (wants) {
      case "nothing":
        return {};
      case "text":
        return { value: text() };
      case "texts":
        return { value: chance.some(1, 3, text) };
      case "pattern":
        return { value: this.#pattern(texts) };
      case "number":
        return { value: number() };
      case "numbers":
        return { value: chance.some(1, 3, number) };
      case "number_pair":
        return { value: this.pair(number) };
      case "bool":
        return { value: chance.chance(0.5) };
      case "point":
        return { value: this.#point(values) };
      case "point_pair":
        return { value: [this.#point(values), this.#point(values)].sort() };
      case "length":
        return { value: this.#length(values) };
      case "length_pair":
        return { value: { from: this.#length(values), to: this.#length(values) } };
      case "held":
        return { value: { is: chance.chance(0.7) ? text() : chance.some(1, 2, text), for: this.#length([]) } };
      case "month":
        return chance.chance(0.2) ? {} : { value: this.#month(values) };
      case "area":
        return { value: this.#area(values) };
      case "count":
        return { value: this.comparison([0, 1, 1, 2], chance.pick(COMPARISONS)) };
      default:
        return wants satisfies never;
    }
  }

  #text(op: string, texts: string[]): string {
    const { chance } = this;
    const whole = (chance.chance(0.85) ? chance.oneOf(texts) : undefined) ?? chance.word();
    const letters = Array.from(whole);
    const start = chance.int(0, Math.max(0, letters.length - 1));
    const cut = op.endsWith("contains")
      ? letters.slice(start, start + chance.int(1, 6))
      : op.endsWith("starts_with")
        ? letters.slice(0, start + 1)
        : op.endsWith("ends_with")
          ? letters.slice(start)
          : letters;
    const part = cut.join("");
    const cased = chance.pick([part, part, part.toUpperCase(), part.toLowerCase()]);
    return cased.trim() === "" ? "x" : cased;
  }

  #pattern(texts: string[]): string {
    const { chance } = this;
    const letters = Array.from(chance.oneOf(texts) ?? chance.word()).slice(0, 14);
    const parts = letters.map((letter, i) => {
      const literal = /[\p{L}\p{N}]/u.test(letter) ? letter : `\\${letter}`;
      if (i === 0 || !chance.chance(0.3)) return /[\s'"%_@&;:=,~`#!<>-]/.test(letter) ? letter : literal;
      return chance.pick([
        ".",
        ".*",
        /\d/.test(letter) ? "\\d" : ".",
        /[a-z]/.test(letter) ? "[a-m]" : ".+",
        "\\w",
        "[^x]",
      ]);
    });
    const pattern = parts.join("").trim();
    const made = `${chance.chance(0.5) ? "^" : ""}${pattern === "" ? "x" : pattern}${chance.chance(0.3) ? "$" : ""}`;
    return new TextEncoder().encode(made).length > 30 ? "^b.*n$" : made;
  }

  #number(numbers: number[], money: boolean): number {
    const { chance } = this;
    const value = chance.oneOf(numbers) ?? chance.int(0, 5);
    const near = chance.pick([value, value, value + 1, value - 1, money ? value + 500 : value + 0.5]);
    return money ? Math.round(near) : near;
  }

  /** An instant of the values, or one of the world's moments. */
  #instant(values: Value[]): number {
    const value = this.chance.chance(0.8) ? this.chance.oneOf(values) : undefined;
    const instant = typeof value === "string" ? Date.parse(value) : value;
    return typeof instant === "number" && Number.isFinite(instant) ? instant : this.chance.moment();
  }

  #point(values: Value[]): string {
    const { chance } = this;
    const instant = this.#instant(values) + chance.pick([0, 0, 1, -1]);
    if (chance.chance(0.4)) return new Date(instant).toISOString();
    return dayOfNumber(dayNumber(localDay(instant, this.clock.zone)) + chance.pick([0, 0, 1, -1]));
  }

  #length(values: Value[]): Json {
    const { chance } = this;
    const unit = chance.pick(["minute", "hour", "day", "day", "week", "month", "year"]);
    const ms = UNIT_MS[unit] ?? (unit === "month" ? 30.4 : 365.25) * 86_400_000;
    const away = Math.round(Math.abs(this.clock.now - this.#instant(values)) / ms);
    const n = chance.chance(0.7) ? away + chance.pick([0, 0, 0, 1, -1]) : chance.int(1, 40);
    return { n: Math.min(Math.max(n, 1), unit === "year" ? 100 : 100_000), unit };
  }

  /** A circle around a place, or beside one. */
  #area(values: Value[]): Json {
    const { chance } = this;
    const cell = Number(chance.oneOf(values) ?? 14_001_935);
    const beside = () => chance.int(-150, 150) / 100;
    return {
      latitude: Math.floor(cell / 10_000) / 10 - 90 + beside(),
      longitude: (cell % 10_000) / 10 - 180 + beside(),
      km: chance.pick([1, 10, 50, 120, 300]),
    };
  }

  #month(values: Value[]): number {
    return Number(localDay(this.#instant(values), this.clock.zone).slice(5, 7));
  }
}
