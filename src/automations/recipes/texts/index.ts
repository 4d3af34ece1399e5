import { en } from "./en";
import { fr } from "./fr";
import { pt } from "./pt";
import type { Texts } from "./texts";

export type { MailText, RecipeName, Texts } from "./texts";

/** A further language is a file and a line here. */
const LANGUAGES: Record<string, Texts> = { en, fr, pt };

/** The texts for a language tag (`pt-BR`) and the language that they are in; English where there are none. */
export function textsIn(tag: string): { language: string; texts: Texts } {
  const language = tag.toLowerCase().split("-")[0] ?? "en";
  const texts = LANGUAGES[language];
  return texts ? { language, texts } : { language: "en", texts: en };
}
