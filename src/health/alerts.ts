import { sql } from "../db/client";
import { newId } from "../lib/ids";
import type { AlertKind } from "./schemas";

/** What an alert is about: at most one of a kind and subject is open in a shop. */
export interface AlertKey {
  shop: number;
  kind: AlertKind;
  /** Which one, where a shop can have several of the kind: a public id, or a name that is nobody's. */
  subject?: string;
}

/** Statements that open an alert and tell of it, for the caller's batch; nothing changes while it is open. */
export function openAlert(
  db: D1Database,
  alert: AlertKey & { data?: Record<string, string | number | boolean | null> },
  now: number,
): D1PreparedStatement[] {
  const { shop, kind, subject = "", data = {} } = alert;
  const id = newId("alt", now);
  return [
    sql(
      db,
      `insert into alerts (id, shop, kind, subject, data, opened_at) values (?, ?, ?, ?, ?, ?) on conflict do nothing`,
      id,
      shop,
      kind,
      subject,
      JSON.stringify(data),
      now,
    ),
    sql(db, `${TELL} and id = ?4`, shop, "alert_opened", now, id),
  ];
}

/** Statements that close an alert, if it is open, and tell of it. */
export function closeAlert(db: D1Database, { shop, kind, subject = "" }: AlertKey, now: number): D1PreparedStatement[] {
  const open = "kind = ?4 and subject = ?5 and closed_at is null";
  return [
    sql(db, `${TELL} and ${open}`, shop, "alert_closed", now, kind, subject),
    sql(
      db,
      "update alerts set closed_at = ? where shop = ? and kind = ? and subject = ? and closed_at is null",
      now,
      shop,
      kind,
      subject,
    ),
  ];
}

/** The domain event of an alert that is already, or still, there. */
const TELL = `insert into outbox (shop, type, subject, natural_key, data, at, next_attempt_at)
  select ?1, ?2, 'alert:' || id, id, json_object('alertId', id, 'kind', kind, 'subject', subject), ?3, ?3
  from alerts where shop = ?1`;
