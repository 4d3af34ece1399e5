import type { SuppressionReason } from "../suppressions";
import { PERSON_REASONS } from "../suppressions";
import type { MessageClass } from "./queue";
import type { SkipReason } from "./reasons";

export interface Consent {
  state: "subscribed" | "not_subscribed" | "pending" | "unsubscribed" | "redacted" | "invalid";
}

export interface Suppressed {
  reason: SuppressionReason;
  class: "all" | "marketing";
  /** False where it is another address of the same person. */
  isThisAddress: boolean;
}

/** What decides whether somebody may get a message. */
export interface Standing {
  kind: "message" | "opt_in" | "reply" | "test";
  class: MessageClass;
  /** Null for a contact that is gone or in the trash. */
  contact: {
    address: string | null;
    /** On whose word the address is theirs. */
    evidence: "verified" | "claimed";
    /** Null where nobody has said anything about this channel. */
    consent: Consent | null;
  } | null;
  suppressions: readonly Suppressed[];
  /** The automation's own switch: people who never decided get marketing too. */
  neverSubscribed: boolean;
}

/**
 * Whether a message may go to somebody; null where it may.
 *
 * - An address that only a browser has told gets a request to confirm it and nothing else, whatever the class.
 * - Marketing needs a subscription of its channel, or the automation's switch for those who never decided; what a person
 *   said about any of their addresses holds for all.
 * - Transactional messages go out unless this address does not work, or is suppressed for everything.
 */
export function whyNot({ kind, class: wanted, contact, suppressions, neverSubscribed }: Standing): SkipReason | null {
  if (contact === null) return "no_contact";
  if (contact.address === null) return "no_address";
  if (suppressions.some((s) => s.class === "all" && s.isThisAddress)) return "suppressed";
  if (kind === "test" || kind === "reply") return null;
  const hasLeft = suppressions.some(({ reason }) => PERSON_REASONS.includes(reason));
  const state = contact.consent?.state ?? null;
  if (kind === "opt_in") {
    return hasLeft || state === "unsubscribed" ? "unsubscribed" : null;
  }
  if (contact.evidence === "claimed") return "claimed_address";
  if (wanted === "transactional") return null;
  if (state === "unsubscribed" || state === "redacted" || state === "invalid") return "unsubscribed";
  if (suppressions.some((s) => s.isThisAddress || PERSON_REASONS.includes(s.reason))) return "suppressed";
  if (state === "subscribed" || neverSubscribed) return null;
  return "not_subscribed";
}
