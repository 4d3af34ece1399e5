export type Channel = "email" | "sms" | "whatsapp";

export type MessageClass = "marketing" | "transactional";

/** What of a refusal or a report keeps an address from being written to again. */
export type SuppressReason = "HARD_BOUNCE" | "INVALID_EMAIL" | "SPAM_COMPLAINT" | "UNSUBSCRIBE" | "PROVIDER";

/** A message as it leaves us: rendered, checked, addressed to one person. */
export interface OutgoingMessage {
  /** `dlv_...`: idempotency key where the provider knows one, and told back to us in its feedback. */
  deliveryId: string;
  channel: Channel;
  class: MessageClass;
  /** E-mail: an address. SMS and WhatsApp: a number in E.164, or an alphanumeric sender or messaging service. */
  from: { address: string; name: string | null };
  /** E-mail alone. */
  replyTo: string | null;
  /** E-mail address, or a number in E.164. */
  to: string;
  /** Null for SMS and WhatsApp. */
  subject: string | null;
  html: string | null;
  text: string;
  /** Further headers of an e-mail, such as List-Unsubscribe. */
  headers: Record<string, string>;
  /** WhatsApp: the provider's id of an approved template and its variables; needed outside of the 24-hour window. */
  template: { id: string; variables: Record<string, string> } | null;
  /** WhatsApp: when the recipient last wrote to us, epoch ms; opens the 24-hour window. */
  repliedAt: number | null;
}

/** What a sender was given to reach its provider, opened. Each provider parses it with its own schema. */
export type Credentials = Readonly<Record<string, string>>;

/** What a provider needs around a message or a report. */
export interface ProviderContext {
  env: Env;
  now: number;
  /** Another address than the provider's own: https, or http to this machine. */
  baseUrl: string | null;
  /** The public address that the provider reports to: `https://.../feedback/{provider}/{senderId}`; null if unknown. */
  feedbackUrl: string | null;
}

/**
 * What came of handing a message over. `code` is for logs and the delivery's row: the provider's own where it gives
 * one, else snake_case words. Never a body or an address.
 */
export type SendOutcome =
  | { kind: "accepted"; providerId: string }
  /**
   * Not taken. `permanent`: nor will it ever be, for this recipient or this text. Otherwise the sender is at fault
   * (credentials, unverified domain, account closed): it passes once that is put right.
   */
  | { kind: "refused"; code: string; permanent: boolean; suppress?: SuppressReason }
  /** Nothing was taken: once more after so long, by the provider's word if it gave one. */
  | { kind: "retry"; code: string; afterMs: number }
  /** The request went out and no answer came: it may have been taken. */
  | { kind: "unknown"; code: string };

export type FeedbackType =
  | "delivered"
  | "bounced"
  | "soft_bounced"
  | "complained"
  | "unsubscribed"
  | "opened"
  | "clicked"
  | "failed"
  | "replied";

/** One report of a provider, its signature checked. At least one of `deliveryId`, `providerId`, `address` is there. */
export interface Feedback {
  type: FeedbackType;
  /** The provider's own id of this report, the same when it is told again; null where it has none. */
  eventId: string | null;
  deliveryId?: string;
  providerId?: string;
  /** Whom it is about: e-mail address, or number in E.164. */
  address?: string;
  /** When it happened, epoch ms. */
  at: number;
  /** True for an open or a click that the provider takes for a machine's. */
  machine?: boolean;
  /** The provider's reason, in its words or codes. */
  code?: string;
  /** With `bounced` and `failed`: what it means for the address. */
  suppress?: SuppressReason;
  /** With `replied`: what the person wrote. */
  text?: string;
  /** With `clicked`: where to. */
  url?: string;
}

/** One way to send. Providers hold no state; what differs by account is in the credentials. */
export interface Provider {
  name: string;
  channels: readonly Channel[];
  /** How long a repeated call with the same delivery id is surely not a second message; 0 for never. */
  idempotencyMs: number;
  /** False where the provider's terms allow transactional messages alone. */
  marketing: boolean;
  send: (message: OutgoingMessage, credentials: Credentials, ctx: ProviderContext) => Promise<SendOutcome>;
  /**
   * What the provider reports in this request, after its signature was checked; empty for what is not ours to know.
   * Throws `unauthorized` for a signature that does not hold, `bad_request` for what is no report at all.
   */
  readFeedback: (request: Request, credentials: Credentials, ctx: ProviderContext) => Promise<Feedback[]>;
}
