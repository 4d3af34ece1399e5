import { STOP_WORDS } from "./keywords";

/** The GSM 03.38 alphabet: one septet each. */
const GSM =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/** Its extension: two septets each. */
const GSM_EXTENSION = "^{}\\[~]|€\f";

const septets = new Map<string, number>([
  ...Array.from(GSM, (letter): [string, number] => [letter, 1]),
  ...Array.from(GSM_EXTENSION, (letter): [string, number] => [letter, 2]),
]);

/**
 * How many parts a text message is sent and billed as: 160 septets of the GSM alphabet in one, 153 each in several; with
 * any other letter 70 and 67 UTF-16 units. A letter is never cut in two (3GPP TS 23.038 and 23.040).
 */
export function countSegments(text: string): { encoding: "GSM-7" | "UCS-2"; segments: number } {
  const letters = Array.from(text);
  const isGsm = letters.every((letter) => septets.has(letter));
  const sizes = letters.map((letter) => (isGsm ? (septets.get(letter) ?? 1) : letter.length));
  const [single, each] = isGsm ? [160, 153] : [70, 67];
  const encoding = isGsm ? "GSM-7" : "UCS-2";
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total <= single) return { encoding, segments: 1 };
  let segments = 1;
  let used = 0;
  for (const size of sizes) {
    if (used + size > each) {
      segments++;
      used = 0;
    }
    used += size;
  }
  return { encoding, segments };
}

/** Words of telling somebody to answer. */
const TELLS =
  "reply|text|txt|send|respond|repond(?:ez|s)?|envoyez|responda|responde|envie|envia|antworten?|sende|rispondi|stuur|svara";
const ANSWER = new RegExp(
  `\\b(?:${TELLS})\\b[\\s"'“”«»:]*(?:(?:with|avec|mit|con|com)\\b)?[\\s"'“”«»]*\\b(?:${STOP_WORDS.join("|")})\\b`,
  "iu",
);
/** A word in capitals that can hardly be meant otherwise, and what for. */
const CAPITALS =
  /\b(?:STOP|STOPALL|UNSUBSCRIBE|ARRET|PARE|SAIR|BAJA|STOPP)\b["'“”«»]?\s*(?:=|:|2|to|for|pour|para|per|um)(?:\s|$)/u;

/** True for a text that already tells how to leave. */
export function tellsHowToStop(text: string): boolean {
  const plain = text.normalize("NFKD").replaceAll(/\p{M}/gu, "");
  return ANSWER.test(plain) || CAPITALS.test(plain);
}

/** The text with the footer that tells how to leave, once. */
export function withStopFooter(text: string, footer: string): string {
  return tellsHowToStop(text) ? text : `${text.trimEnd()}\n${footer}`;
}
