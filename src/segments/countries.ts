import { fold } from "./fold";

/** ISO 3166-1 codes that are in use. */
const CODES =
  "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW".split(
    " ",
  );

/** Member states of the European Union. */
export const EU = [
  "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
  "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
]; // prettier-ignore

let known: Map<string, string> | undefined;

/** Codes by every way to write a country that we understand: its code and its English names, folded. */
function byName(): Map<string, string> {
  if (known) return known;
  known = new Map();
  for (const style of ["short", "long"] as const) {
    const names = new Intl.DisplayNames(["en"], { type: "region", style });
    for (const code of CODES) known.set(fold(names.of(code) ?? code), code);
  }
  for (const code of CODES) known.set(fold(code), code);
  return known;
}

/** ISO 3166-1 alpha-2 of a code or an English name; null for neither. */
export function countryCode(text: string): string | null {
  return byName().get(fold(text)) ?? null;
}

/** Every way in which this country may be stored, for a code or an English name; the text itself where it is neither. */
export function countryWords(text: string): string[] {
  const names = byName();
  const code = names.get(fold(text));
  if (code === undefined) return [text];
  return [text, ...[...names].flatMap(([name, of]) => (of === code ? [name] : []))];
}
