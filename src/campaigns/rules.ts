import { sql } from "../db/client";
import type { SendRules } from "../messages";
import { Definition } from "./definition";

interface Asked {
  key: number;
  campaign: number;
  contact: number | null;
  channel: "email" | "sms" | "whatsapp";
  template: number | null;
}

/**
 * How a campaign's message is sent, and whether at all: what was paused, waits for the winner of a test, was cancelled
 * or, after a merge of contacts, is their second one is held. Asked just before each message goes out.
 */
export async function campaignRules(
  db: D1Database,
  { key, campaign, contact, channel, template }: Asked,
): Promise<{ rules: SendRules; hold: "paused" | "stopped" | null }> {
  const row = await sql(
    db,
    `select name, state, definition, paused_at as pausedAt, exists (select 1 from deliveries d indexed by deliveries_contact
       where d.contact = ?2 and d.campaign = ?1 and d.state <> 'skipped' and d.key < ?3) as hasOne
     from campaigns where key = ?1`,
    campaign,
    contact,
    key,
  ).first<{ name: string; state: string; definition: string; pausedAt: number | null; hasOne: number }>();
  if (!row || (row.state !== "preparing" && row.state !== "sending") || row.hasOne === 1) {
    return { rules: {}, hold: "stopped" };
  }
  const { quietHours, cap } = Definition.parse(JSON.parse(row.definition));
  return {
    rules: { quietHours, caps: cap === undefined ? undefined : { [channel]: cap }, campaign: row.name },
    hold: row.pausedAt !== null || template === null ? "paused" : null,
  };
}
