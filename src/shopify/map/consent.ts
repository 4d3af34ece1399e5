import { z } from "zod";

import { CONSENT_LEVELS, CONSENT_STATES, type ConsentDecision } from "../../contacts";
import { Moment, text } from "./fields";

const shared = {
  state: z.string().nullable().optional(),
  opt_in_level: z.string().nullable().optional(),
  consent_collected_from: text(100).optional(),
};

export const EmailConsent = z.object({ ...shared, consent_updated_at: Moment.nullable().optional() });
export const SmsConsent = EmailConsent;
export const WhatsAppConsent = z.object({ ...shared, updated_at: Moment.nullable().optional() });

const State = z.enum(CONSENT_STATES);
const Level = z.enum(CONSENT_LEVELS);

/**
 * What a consent of Shopify decides. State and level go over as they are (`docs/fields.md` has the table); an unknown
 * or missing state decides nothing. The decision is dated by `consent_updated_at`; where that is missing, any state but
 * `not_subscribed`, which is also what nobody ever decided, counts from the body's own moment. WhatsApp follows SMS
 * until it has a decision of its own.
 */
export function consentsOf(
  channel: "email" | "sms" | "whatsapp",
  consent: {
    state?: string | null;
    opt_in_level?: string | null;
    consent_updated_at?: number | null;
    consent_collected_from?: string | null;
  } | null,
  otherwise: number,
): ConsentDecision[] {
  const state = State.safeParse(consent?.state?.toLowerCase());
  if (!state.success) return [];
  const level = Level.safeParse(consent?.opt_in_level?.toLowerCase());
  const decision = {
    state: state.data,
    level: level.success ? level.data : null,
    source: consent?.consent_collected_from?.toUpperCase() ?? null,
    decidedAt: consent?.consent_updated_at ?? (state.data === "not_subscribed" ? null : otherwise),
  };
  const decisions: ConsentDecision[] = [{ ...decision, channel, basis: "shopify" }];
  if (channel === "sms") decisions.push({ ...decision, channel: "whatsapp", basis: "sms_consent" });
  return decisions;
}

/** A ticked box at an order: weaker than any decision, and not ticking it decides nothing. */
export function consentOfOrder(accepts: boolean | null | undefined): ConsentDecision[] {
  return accepts === true
    ? [{ channel: "email", state: "subscribed", level: null, basis: "checkout", source: "checkout", decidedAt: null }]
    : [];
}
