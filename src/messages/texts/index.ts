import { en } from "./en";
import { fr } from "./fr";
import { pt } from "./pt";
import type { Texts } from "./texts";

export type { Texts } from "./texts";

/** Every language that there are texts in; English stands in for all others. */
const LANGUAGES: Record<string, Texts> = { en, fr, pt };

/** The texts of the first of these languages (BCP 47, `fr-CA` is `fr`) that there are texts in. */
export function textsFor(...languages: (string | null | undefined)[]): Texts {
  for (const language of languages) {
    const texts = LANGUAGES[language?.toLowerCase().split(/[-_]/)[0] ?? ""];
    if (texts) return texts;
  }
  return en;
}
