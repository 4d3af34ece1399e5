/** One word alone that somebody sends to a number of the shop's, by language. Folded: no case, no accents. */
const WORDS: Record<string, { stop: string[]; start: string[]; help: string[] }> = {
  en: {
    stop: ["stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke"],
    start: ["start", "unstop", "subscribe"],
    help: ["help", "info"],
  },
  fr: { stop: ["arret", "arreter", "arretez", "desabonner"], start: ["reprendre", "abonner"], help: ["aide"] },
  pt: { stop: ["pare", "parar", "sair", "cancelar", "descadastrar"], start: ["iniciar", "voltar"], help: ["ajuda"] },
  es: { stop: ["baja", "alto", "detener"], start: ["alta", "comenzar"], help: ["ayuda"] },
  de: { stop: ["stopp", "abmelden", "ende"], start: ["anmelden"], help: ["hilfe"] },
  it: { stop: ["ferma", "basta"], start: ["inizia"], help: ["aiuto"] },
  nl: { stop: ["afmelden", "stoppen"], start: ["aanmelden"], help: ["hulp"] },
  sv: { stop: ["avsluta", "sluta"], start: ["borja"], help: ["hjalp"] },
  pl: { stop: ["koniec"], start: ["wznow"], help: ["pomoc"] },
};

/** A yes means something only to who was asked, or has left. */
const YES = ["yes", "oui", "sim", "si", "ja"];

export type Keyword = { kind: "stop" | "start" | "help"; language: string } | { kind: "yes" };

/** The word in the form of the tables; null unless it is one word alone. */
function fold(text: string): string | null {
  const word = text
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll("ł", "l")
    .replaceAll(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "")
    .replaceAll(/[-.]/g, "");
  return /^[\p{L}\p{N}]+$/u.test(word) ? word : null;
}

/** What a text message of one word asks for; null for all else. `STOP PLEASE` is two words and means nothing. */
export function keywordIn(text: string): Keyword | null {
  const word = fold(text);
  if (word === null) return null;
  if (YES.includes(word)) return { kind: "yes" };
  for (const [language, words] of Object.entries(WORDS)) {
    for (const kind of ["stop", "start", "help"] as const) {
      if (words[kind].includes(word)) return { kind, language };
    }
  }
  return null;
}

/** Every word that stops. */
export const STOP_WORDS: readonly string[] = Object.values(WORDS).flatMap(({ stop }) => stop);
