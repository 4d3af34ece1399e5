import { sql } from "../db/client";

/**
 * Domain events: one set of snake_case names for the timeline, segments, triggers and outgoing webhooks.
 * `visitor_joined` asks the visitor's object to link what a webhook has proved.
 */
export const DOMAIN_EVENTS = [
  "contact_created",
  "contact_identified",
  "contact_merged",
  "order_placed",
  "order_paid",
  "order_fulfilled",
  "order_delivered",
  "order_cancelled",
  "order_refunded",
  "cart_updated",
  "checkout_started",
  "cart_abandoned",
  "cart_recovered",
  "alert_opened",
  "alert_closed",
  "contact_confirmed",
  "message_sent",
  "message_opened",
  "message_clicked",
  "message_replied",
  "message_bounced",
  "message_complained",
  "message_unsubscribed",
  "segment_entered",
  "segment_left",
  "automation_step",
  "visitor_joined",
] as const;

/**
 * Events that only this installation acts on. Those after the first are told while an automation watches for them: by
 * triggers of the migration, and by a visitor's flush.
 */
export const INTERNAL_EVENTS: ReadonlySet<string> = new Set([
  "visitor_joined",
  "browser_event",
  "contact_changed",
  "lifecycle_changed",
  "consent_changed",
  "tag_added",
  "tag_removed",
  "list_added",
  "list_removed",
  "order_updated",
  "product_changed",
]);

export type DomainEventType = (typeof DOMAIN_EVENTS)[number];

export interface DomainEvent {
  shop: number;
  type: DomainEventType;
  /** `contact:<key>`, `visitor:<key>`, `cart:<key>`, `order:<key>` or `alert:<id>`. */
  subject: string;
  /** The same for everybody who sees this one event. */
  naturalKey: string;
  /** Without personal data. */
  data?: Record<string, unknown>;
  at: number;
}

/** The statement that goes into the batch of the change. */
export function emit(db: D1Database, event: DomainEvent, now: number): D1PreparedStatement {
  return sql(
    db,
    `insert into outbox (shop, type, subject, natural_key, data, at, next_attempt_at)
     values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
    event.shop,
    event.type,
    event.subject,
    event.naturalKey,
    JSON.stringify(event.data ?? {}),
    event.at,
    now,
  );
}
