import { foldText, type Texts, TEXTS, type Value } from "./operators";

const regions = new Intl.DisplayNames(["en"], { type: "region" });
const short = new Intl.DisplayNames(["en"], { type: "region", style: "short" });
const CODES = ["DE", "FR", "CH", "GB", "US", "JP", "CI", "NO", "RU", "CA"];
const EU = ["DE", "FR"];

/** Codes of the countries that our worlds have, by their codes and their names. */
const CODE_OF = new Map(
  CODES.flatMap((code) =>
    [code, regions.of(code) ?? "", short.of(code) ?? ""].map((name): [string, string] => [foldText(name), code]),
  ),
);

export const countryCode = (text: string): string | undefined => CODE_OF.get(foldText(text));

const COUNTRIES: Texts = {
  ...TEXTS,
  same: (stored, asked) => {
    const code = countryCode(asked);
    return foldText(stored) === foldText(asked) || (code !== undefined && countryCode(stored) === code);
  },
};

const CALLING: Record<string, string> = {
  DE: "+49",
  FR: "+33",
  CH: "+41",
  GB: "+44",
  JP: "+81",
  CI: "+225",
  NO: "+47",
};

/** A number of a country begins with its calling code. */
const PHONE_COUNTRIES: Texts = {
  ...TEXTS,
  same: (stored, asked) => stored.startsWith(CALLING[countryCode(asked) ?? ""] ?? asked),
};

export const tagFold = (text: string) => text.normalize("NFC").trim().toLowerCase();

/** How the texts of a field are compared. */
export function textsOf(field: string): Texts {
  if (/(^|_)country$/.test(field)) return field === "phone_country" ? PHONE_COUNTRIES : COUNTRIES;
  return field === "tags" ? { fold: tagFold, stored: tagFold } : TEXTS;
}

/** The values that a subject has of a field; none for a missing one. */

export function inEu(country: string | null | undefined): Value[] {
  return country ? [EU.includes(countryCode(country) ?? "")] : [];
}
