/** 32 letters and digits, none of which is taken for another: no I, O, 0 or 1. */
const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/** Of 5 bits each: 60 bits cannot be guessed at a checkout. */
const RANDOM_CHARACTERS = 12;

/** A code that nobody can guess, such as `SPRING-7KQ2MZX9WA4T`; without the dash where there is no prefix. */
export function newCode(prefix: string): string {
  let random = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(RANDOM_CHARACTERS))) random += ALPHABET.charAt(byte & 31);
  return prefix === "" ? random : `${prefix}-${random}`;
}
