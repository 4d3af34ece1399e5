/** Why a delivery is not sent. The closed list; `exited:`, `template:` and `provider:` are followed by the reason of theirs. */
export const SKIP_REASONS = {
  no_contact: "The contact is gone or in the trash",
  no_address: "There is no address of this channel",
  claimed_address: "Only a browser has said that the address is theirs: it gets a request to confirm, nothing else",
  not_subscribed: "They are not subscribed on this channel",
  unsubscribed: "They have unsubscribed from this channel",
  suppressed: "The address is suppressed",
  shop_uninstalled: "The shop has uninstalled the app",
  frequency_cap: "They have got enough messages for now",
  quiet_hours: "It is night where they are",
  holdout: "They get nothing, to compare the others with",
  campaign_cancelled: "The campaign was cancelled",
  opt_in_limit: "They were asked to confirm today, or three times",
} as const;

/** What the merchant has to put right; the delivery fails and can be retried. */
export const FAILURES = {
  no_sender: "No sender of this channel carries messages of this class",
  no_origin: "It is not known under which address this installation is reached",
  no_postal_address: "A marketing mail shows a postal address, and the sender has none",
  too_many_attempts: "The provider has not taken it in as many attempts as there are",
  unknown_outcome: "The provider may have taken it: it is not sent again unless the provider says that it was not",
} as const;

export type SkipReason = keyof typeof SKIP_REASONS;
