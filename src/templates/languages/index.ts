import { en, type Texts } from "./en";
import { fr } from "./fr";
import { pt } from "./pt";

/** A further language is a file and a line here. */
const LANGUAGES: Record<string, Texts> = { en, fr, pt };

export const LANGUAGE_NAMES = Object.keys(LANGUAGES);

/** The texts for a language tag (`pt-BR`), English where there are none. */
export function textsIn(language: string): Texts {
  return LANGUAGES[language.toLowerCase().split("-")[0] ?? "en"] ?? en;
}
