import type { Length, Unit } from "../window";
import { TextError } from "./problem";

export type Token =
  /** Names and keywords; `lower` is what keywords are known by. */
  | { kind: "word"; text: string; lower: string; at: number }
  | { kind: "quoted"; text: string; at: number }
  | { kind: "number"; text: string; at: number }
  /** A day, or an instant with or without its offset. */
  | { kind: "date"; text: string; at: number }
  /** `30d`, and with a sign the day that is so far from today: `-30d`. */
  | { kind: "length"; sign: "" | "+" | "-"; length: Length; text: string; at: number }
  | { kind: "symbol"; text: string; at: number }
  | { kind: "end"; text: string; at: number };

export const UNIT_LETTERS = {
  minute: "min",
  hour: "h",
  day: "d",
  week: "w",
  month: "m",
  year: "y",
} as const satisfies Record<Unit, string>;

const UNITS = new Map(
  (["minute", "hour", "day", "week", "month", "year"] as const).map((unit) => [UNIT_LETTERS[unit], unit]),
);

const SPACE = /\s*/y;
const DATE = /\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?(?![\w.:-])/iy;
const LENGTH = /([+-]?)(\d+)(min|[hdwmy])(?![\w.])/iy;
const NUMBER = /[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])/iy;
const WORD = /custom:[\w.:-]+|[a-z_$][\w$-]*(?:\.[\w$-]+)*|\d+_[a-z_]+/iy;
const SYMBOL = /!=|<>|<=|>=|[=<>(),:]/y;

/** The tokens of a text, in one pass. Throws `TextError` at what is none. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const next = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  for (;;) {
    at += next(SPACE)?.[0].length ?? 0;
    if (at >= text.length) break;
    if (text[at] === "'" || text[at] === '"') {
      const quoted = readQuoted(text, at);
      tokens.push({ kind: "quoted", text: quoted.text, at });
      at = quoted.end;
      continue;
    }
    const found = next(DATE) ?? next(LENGTH) ?? next(NUMBER) ?? next(WORD) ?? next(SYMBOL);
    if (!found) throw new TextError(at, `${JSON.stringify(text.slice(at, at + 1))} has no meaning here`);
    tokens.push(tokenOf(found, at));
    at += found[0].length;
  }
  tokens.push({ kind: "end", text: "the end", at });
  return tokens;
}

function tokenOf({ 0: text, 1: sign, 2: digits, 3: letters }: RegExpExecArray, at: number): Token {
  const unit = letters === undefined ? undefined : [...UNITS].find(([known]) => known === letters.toLowerCase())?.[1];
  if (unit !== undefined) {
    return {
      kind: "length",
      sign: sign === "-" || sign === "+" ? sign : "",
      length: { n: Number(digits), unit },
      text,
      at,
    };
  }
  if (/^\d{4}-\d{2}-/.test(text)) return { kind: "date", text, at };
  if (/^[+-]?\d/.test(text) && !/^\d+_/.test(text)) return { kind: "number", text, at };
  if (/^[a-z_$\d]/i.test(text)) return { kind: "word", text, lower: text.toLowerCase(), at };
  return { kind: "symbol", text: text === "<>" ? "!=" : text, at };
}

const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t", "\\": "\\", "'": "'", '"': '"' };

/** Both kinds of quotes; a backslash takes the meaning of the quote after it. */
function readQuoted(text: string, start: number): { text: string; end: number } {
  const quote = text[start];
  let read = "";
  for (let at = start + 1; at < text.length; at++) {
    const letter = text[at];
    if (letter === quote) return { text: read, end: at + 1 };
    if (letter !== "\\") {
      read += letter;
      continue;
    }
    const escaped = ESCAPES[text[++at] ?? ""];
    if (escaped === undefined) throw new TextError(at - 1, "a backslash stands before \\ ' \" n r t only");
    read += escaped;
  }
  throw new TextError(start, "this quote is never closed");
}

/** A text as it is written between quotes. */
export function quote(text: string): string {
  const escaped = text.replaceAll(/[\\'\n\r\t]/g, (letter) => {
    const name = Object.keys(ESCAPES).find((known) => ESCAPES[known] === letter);
    return `\\${name ?? letter}`;
  });
  return `'${escaped}'`;
}
