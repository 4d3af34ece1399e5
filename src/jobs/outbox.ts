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
  "order_cancelled",
  "order_refunded",
  "cart_updated",
  "checkout_started",
  "cart_abandoned",
  "cart_recovered",
  "alert_opened",
  "alert_closed",
  "segment_entered",
  "segment_left",
  "visitor_joined",
] as const;

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
