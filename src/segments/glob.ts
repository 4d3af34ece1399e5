/** Longest pattern that D1 lets GLOB match, bytes. */
const MOST_BYTES = 50;

const CLASSES: Record<string, string> = { d: "[0-9]", D: "[^0-9]", w: "[a-z0-9_]", W: "[^a-z0-9_]" };

/**
 * A regular expression of the safe subset as a GLOB pattern over folded text: letters, `.`, `.*`, `.+`, `[...]`, `\d`,
 * `\w`, `\D`, `\W`, escaped characters, and `^` and `$` at the ends. Nothing in it can take longer than the text is
 * long, as in RE2; what is beyond the subset is refused with its position, counted from 1.
 */
export function toGlob(pattern: string): { glob: string } | { problem: string } {
  const letters = Array.from(pattern);
  const anchored = { start: letters[0] === "^", end: endsOpen(letters) };
  let glob = anchored.start ? "" : "*";
  const end = anchored.end ? letters.length - 1 : letters.length;
  for (let i = anchored.start ? 1 : 0; i < end; i++) {
    const letter = letters[i] ?? "";
    if (letter === ".") {
      const next = letters[i + 1];
      glob += next === "*" ? "*" : next === "+" ? "?*" : "?";
      if (next === "*" || next === "+") i++;
    } else if (letter === "[") {
      const close = letters.indexOf("]", i + 1);
      const inside = letters.slice(i + 1, close).join("");
      if (close === -1 || !/^\^?[^\][\\^]+$/u.test(inside)) return refused(i, letter);
      glob += `[${inside}]`;
      i = close;
    } else if (letter === "\\") {
      const next = letters[++i];
      const known = next === undefined ? undefined : CLASSES[next];
      if (next === undefined || (known === undefined && /[\p{L}\p{N}]/u.test(next))) return refused(i - 1, letter);
      glob += known ?? literal(next);
    } else if (/[*+?{}()|^$\]]/.test(letter)) {
      return refused(i, letter);
    } else {
      glob += literal(letter);
    }
  }
  if (!anchored.end) glob += "*";
  glob = glob.replaceAll(/\*{2,}/g, "*");
  const bytes = new TextEncoder().encode(glob).length;
  return bytes > MOST_BYTES
    ? { problem: `comes to ${bytes} bytes; the database matches patterns of at most ${MOST_BYTES}` }
    : { glob };
}

/** True for a `$` at the end that no backslash takes away. */
function endsOpen(letters: string[]): boolean {
  const before = letters.slice(0, -1).join("");
  return letters.at(-1) === "$" && (/\\*$/.exec(before)?.[0].length ?? 0) % 2 === 0;
}

function literal(letter: string): string {
  return /[*?[]/.test(letter) ? `[${letter}]` : letter;
}

function refused(index: number, letter: string): { problem: string } {
  return { problem: `has ${letter} at position ${index + 1}, which is beyond the patterns that can be matched` };
}
