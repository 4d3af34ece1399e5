import type { SuppressionReason } from "../suppressions";

export type State = "subscribed" | "not_subscribed" | "pending" | "unsubscribed" | "redacted" | "invalid";

const WORDS: Record<string, State | "bounced" | "nothing"> = {
  subscribed: "subscribed",
  subscribe: "subscribed",
  active: "subscribed",
  confirmed: "subscribed",
  optin: "subscribed",
  optedin: "subscribed",
  yes: "subscribed",
  true: "subscribed",
  unsubscribed: "unsubscribed",
  unsubscribe: "unsubscribed",
  optout: "unsubscribed",
  optedout: "unsubscribed",
  donotcontact: "unsubscribed",
  redacted: "redacted",
  invalid: "invalid",
  pending: "pending",
  unconfirmed: "pending",
  bounced: "bounced",
  notsubscribed: "not_subscribed",
  no: "not_subscribed",
  false: "not_subscribed",
  neversubscribed: "nothing",
};

/** ActiveCampaign's status numbers. */
const NUMBERS: Record<string, State | "bounced"> = {
  "0": "pending",
  "1": "subscribed",
  "2": "unsubscribed",
  "3": "bounced",
};

/** What a word in a consent column means; null for one that is not known, `nothing` where nobody decided. */
export function stateNamed(word: string, isNumbered: boolean): State | "bounced" | "nothing" | null {
  const name = word.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  if (isNumbered && Object.hasOwn(NUMBERS, name)) return NUMBERS[name] ?? null;
  if (name === "0") return "not_subscribed";
  if (name === "1") return "subscribed";
  return Object.hasOwn(WORDS, name) ? (WORDS[name] ?? null) : null;
}

/** Whether a cell says yes: empty, 0, no and false do not, everything else does, a date among it. */
export function saysYes(cell: string): boolean {
  return !["", "0", "no", "false", "n", "f", "off", "null", "none", "never", "[]"].includes(cell.trim().toLowerCase());
}

const REASONS: readonly (readonly [RegExp, SuppressionReason])[] = [
  [/bounce/i, "HARD_BOUNCE"],
  [/invalid/i, "INVALID_EMAIL"],
  [/spam|complain|abuse/i, "SPAM_COMPLAINT"],
  [/unsub|opt.?out/i, "UNSUBSCRIBE"],
  [/provider/i, "PROVIDER"],
];

/** Why somebody is suppressed, in another system's words; what is not known counts as the merchant's own decision. */
export function reasonsIn(cell: string): SuppressionReason[] {
  if (!saysYes(cell)) return [];
  const found = REASONS.filter(([pattern]) => pattern.test(cell)).map(([, reason]) => reason);
  return found.length > 0 ? found : ["USER_SUPPRESSED"];
}

const WITHOUT_ZONE = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?$/;

/** A time as files write it, ISO 8601 with or without a zone (then UTC), epoch ms; null for none that is certain. */
export function timeIn(cell: string, now: number): number | null {
  const bare = WITHOUT_ZONE.exec(cell.trim());
  const text = bare ? `${bare[1] ?? ""}T${bare[2] ?? "00:00"}Z` : cell.trim().replace(/ (?=[+-]\d|UTC|Z)/, "");
  if (!/^\d{4}-\d{2}-\d{2}T/.test(text.replace(" ", "T"))) return null;
  const at = Date.parse(text.replace(" ", "T").replace("UTC", "Z"));
  // What claims to be later than now would overrule every decision to come.
  return Number.isFinite(at) && at > 0 ? Math.min(at, now) : null;
}
