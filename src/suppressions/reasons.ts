export const SUPPRESSION_REASONS = [
  "HARD_BOUNCE",
  "INVALID_EMAIL",
  "SPAM_COMPLAINT",
  "UNSUBSCRIBE",
  "USER_SUPPRESSED",
  "PROVIDER",
  "ERASED",
] as const;

export type SuppressionReason = (typeof SUPPRESSION_REASONS)[number];

/** What a person or the merchant decided, and a person's later explicit wish overrules. */
export const PERSON_REASONS: readonly SuppressionReason[] = [
  "SPAM_COMPLAINT",
  "UNSUBSCRIBE",
  "USER_SUPPRESSED",
  "ERASED",
];
