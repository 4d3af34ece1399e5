/**
 * How texts are compared: without regard to case, code point by code point, in NFC for the words of a definition. A
 * letter folds to its lower case where that is one code point; letters outside ASCII never fold to ASCII ones, so the
 * Kelvin sign and the dotless i are letters of their own. Accents count.
 */
export function fold(text: string): string {
  return Array.from(text.normalize("NFC"), foldLetter).join("");
}

function foldLetter(letter: string): string {
  const upper = single(letter.toUpperCase()) ?? letter;
  const lower = single(upper.toLowerCase()) ?? single(letter.toLowerCase()) ?? letter;
  return isAscii(lower) === isAscii(letter) ? lower : letter;
}

function single(text: string): string | null {
  return Array.from(text).length === 1 ? text : null;
}

function isAscii(letter: string): boolean {
  return (letter.codePointAt(0) ?? 0) < 128;
}

/** Where letters with case are, outside ASCII. */
const CASED: [number, number][] = [
  [0x80, 0x588],
  [0x10a0, 0x1100],
  [0x13a0, 0x1400],
  [0x1c80, 0x1cc0],
  [0x1d79, 0x1d8f],
  [0x1e00, 0x2000],
  [0x2126, 0x2189],
  [0x24b6, 0x24ea],
  [0x2c00, 0x2d30],
  [0xa640, 0xa69c],
  [0xa722, 0xa7ff],
  [0xab50, 0xabc0],
  [0xff21, 0xff5b],
  [0x10400, 0x104fc],
  [0x10570, 0x105bd],
  [0x10c80, 0x10cf3],
  [0x10d50, 0x10d86],
  [0x118a0, 0x118e0],
  [0x16e40, 0x16e80],
  [0x1e900, 0x1e944],
];

let others: Map<string, string[]> | undefined;

/** The other ways to write a folded letter. Found once an isolate, and only when a definition has such a letter. */
function variantsOf(letter: string): string[] {
  if (!others) {
    others = new Map();
    for (const [from, to] of CASED) {
      for (let code = from; code < to; code++) {
        const written = String.fromCodePoint(code);
        const folded = foldLetter(written);
        if (folded !== written) others.set(folded, [...(others.get(folded) ?? []), written]);
      }
    }
  }
  return others.get(letter) ?? [];
}

/**
 * What must be replaced in a stored text, whose ASCII letters are in lower case already, so that the given folded words
 * are found in it exactly where `fold` of the text has them: only the letters of the words matter. SQLite's `lower()`
 * knows ASCII alone.
 */
export function replacements(words: string[]): [written: string, folded: string][] {
  const letters = new Set(words.flatMap((word) => Array.from(word).filter((letter) => !isAscii(letter))));
  return [...letters].flatMap((letter) => variantsOf(letter).map((written): [string, string] => [written, letter]));
}
