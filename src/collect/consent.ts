import type { Settings } from "../shops";

/** Countries whose law asks for consent before a visitor is followed: the EEA, the United Kingdom and Switzerland. */
export const OPT_IN_COUNTRIES = new Set(
  "AT BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split(" "),
);

/** Whether a visitor must agree first; an unknown country counts as one that asks for it. */
export function needsOptIn(mode: Settings["consentMode"], country: string | null): boolean {
  if (mode === "region") return country === null || OPT_IN_COUNTRIES.has(country);
  return mode === "opt_in";
}

/**
 * Why a beacon may not be kept, or null.
 *
 * @param analytics the visitor's answer; undefined while there is none
 * @param gpc the browser sends `Sec-GPC: 1`
 */
export function consentDrop(
  optIn: boolean,
  analytics: boolean | undefined,
  gpc: boolean,
): "consent" | "opted_out" | null {
  if (analytics === false) return "opted_out";
  if (optIn) return analytics === true ? null : "consent";
  return gpc ? "opted_out" : null;
}
