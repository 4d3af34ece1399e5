import { sql } from "../db/client";
import { mustHold } from "../db/guard";
import { type CampaignDelivery, queueCampaign } from "../messages";
import { readRecipients, type Recipient, whyNot } from "../messages/rest";
import { audienceMembers, findAudience } from "../segments/rest";
import type { Shop } from "../shops";
import { assign, dueFor, HOLDOUT, spread } from "./assign";
import { Definition, Pins } from "./definition";
import type { CampaignRow } from "./read";
import type { Cursor, Piece } from "./work";

/** People of one piece. */
export const PAGE = 500;

const HOUR_MS = 3_600_000;

/** Those who wait for the winner are due a little after it is chosen, so that none of them is looked at before. */
const MARGIN_MS = 60_000;

/**
 * The next people of the audience, by ascending key: each becomes a delivery, to be sent or skipped with the reason, and
 * so has his place once, whatever is repeated.
 */
export async function audiencePiece(
  env: Env,
  shop: Shop,
  campaign: CampaignRow,
  cursor: Cursor,
  now: number,
): Promise<Piece | "waiting"> {
  const { DB } = env;
  if (campaign.state !== "preparing") return { statements: [], done: 0, cursor: null };
  const definition = Definition.parse(JSON.parse(campaign.definition));
  const { templates, sender } = Pins.parse(JSON.parse(campaign.pins ?? "{}"));
  const sets = await findAudience(DB, shop.key, definition);
  if (sets.notLive.some(({ state }) => state === "filling")) return "waiting";
  const contacts = await audienceMembers(DB, sets, "contact", { after: cursor.after, limit: PAGE });
  const recipients = await readRecipients(env, shop, campaign.channel, contacts);
  const startedAt = campaign.startedAt ?? now;
  const decidedAt = definition.test ? startedAt + definition.test.afterHours * HOUR_MS : null;
  const counts = { ...cursor.counts };
  const deliveries = contacts.map((contact): CampaignDelivery => {
    const recipient = recipients.get(contact) ?? null;
    const why = refusal(recipient);
    const variant = why === null ? assign(campaign.id, contact, definition) : null;
    const moment = dueFor(definition.schedule, recipient?.zone ?? shop.timezone, startedAt);
    const isSkipped = why !== null || variant === HOLDOUT;
    const place = { contact, variant, template: null, skipped: null, dueAt: moment };
    if (isSkipped) return { ...place, skipped: why ?? HOLDOUT };
    if (variant === null) return { ...place, dueAt: (decidedAt ?? moment) + MARGIN_MS };
    const nth = counts[moment] ?? 0;
    counts[moment] = nth + 1;
    return { ...place, template: templates[variant] ?? null, dueAt: spread(moment, nth, definition.perMinute) };
  });
  const last = contacts.at(-1);
  const isLast = last === undefined || contacts.length < PAGE;
  return {
    statements: [
      mustHold(DB, "exists (select 1 from campaigns where key = ?1 and state = 'preparing')", campaign.key),
      queueCampaign(DB, shop.key, { key: campaign.key, channel: campaign.channel, sender }, deliveries, now),
      ...(isLast
        ? [
            sql(
              DB,
              "update campaigns set state = 'sending', due_at = ?2, updated_at = ?3 where key = ?1",
              campaign.key,
              decidedAt,
              now,
            ),
          ]
        : []),
    ],
    done: contacts.length,
    cursor: isLast ? null : { after: last, counts },
  };
}

/** Why somebody gets no marketing on this channel now; null where they may. */
export function refusal(recipient: Recipient | null) {
  return whyNot({
    kind: "message",
    class: "marketing",
    contact: recipient,
    suppressions: recipient?.suppressions ?? [],
    neverSubscribed: false,
  });
}
