import { sql } from "../db/client";
import type { Shop } from "../shops";
import { spread } from "./assign";
import { Definition, Pins } from "./definition";
import type { CampaignRow } from "./read";
import type { Cursor, Piece } from "./work";

/** Waiting messages changed by one piece. */
const PAGE = 2_000;

const OVER: Piece = { statements: [], done: 0, cursor: null };

/** The next messages that nobody has begun to send, by key. */
async function waiting(db: D1Database, campaign: number, after: number, which: string): Promise<number[]> {
  const { results } = await sql(
    db,
    `select key from deliveries indexed by deliveries_campaign
     where campaign = ? and state = 'queued' and key > ? and called_at is null and ${which} order by key limit ${PAGE}`,
    campaign,
    after,
  ).all<{ key: number }>();
  return results.map(({ key }) => key);
}

function piece(keys: number[], cursor: Cursor, statement: D1PreparedStatement): Piece {
  const last = keys.at(-1);
  if (last === undefined) return OVER;
  const moved = keys.length < PAGE ? null : { ...cursor, after: last };
  return { statements: [statement], done: keys.length, cursor: moved };
}

/** When each of the keys goes out, at the campaign's rate from the moment the job began; and where the count then is. */
function times(keys: number[], campaign: CampaignRow, cursor: Cursor, now: number) {
  const { perMinute } = Definition.parse(JSON.parse(campaign.definition));
  const moment = cursor.counts["moment"] ?? now;
  const nth = cursor.counts["sent"] ?? 0;
  return {
    rows: JSON.stringify(keys.map((key, i) => [key, spread(moment, nth + i, perMinute)])),
    cursor: { ...cursor, counts: { moment, sent: nth + keys.length } },
  };
}

/** Those who waited for the winner of the test get it. */
export async function winnerPiece(
  env: Env,
  _shop: Shop,
  campaign: CampaignRow,
  cursor: Cursor,
  now: number,
): Promise<Piece> {
  const { winner, pins } = campaign;
  const [template, version] = Pins.parse(JSON.parse(pins ?? "{}")).templates[winner ?? ""] ?? [];
  if (winner === null || template === undefined || version === undefined) return OVER;
  const keys = await waiting(env.DB, campaign.key, cursor.after, "template is null");
  const { rows, cursor: to } = times(keys, campaign, cursor, now);
  return piece(
    keys,
    to,
    sql(
      env.DB,
      `update deliveries set variant = ?1, template = ?2, template_version = ?3, due_at = j.value ->> 1, reason = null
       from json_each(?4) j where deliveries.key = j.value ->> 0 and deliveries.state = 'queued'`,
      winner,
      template,
      version,
      rows,
    ),
  );
}

/** After a pause what has become overdue goes out at the campaign's rate again, and not all at once. */
export async function resumePiece(
  env: Env,
  _shop: Shop,
  campaign: CampaignRow,
  cursor: Cursor,
  now: number,
): Promise<Piece> {
  const keys = await waiting(env.DB, campaign.key, cursor.after, "template is not null");
  const { rows, cursor: to } = times(keys, campaign, cursor, now);
  return piece(
    keys,
    to,
    sql(
      env.DB,
      `update deliveries set due_at = iif(reason = 'paused', j.value ->> 1, max(due_at, j.value ->> 1)),
         reason = nullif(reason, 'paused')
       from json_each(?1) j where deliveries.key = j.value ->> 0 and deliveries.state = 'queued'`,
      rows,
    ),
  );
}

/** Whoever still waits for a cancelled campaign does so no more. */
export async function cancelPiece(
  env: Env,
  _shop: Shop,
  campaign: CampaignRow,
  cursor: Cursor,
  _now: number,
): Promise<Piece> {
  const keys = await waiting(env.DB, campaign.key, cursor.after, "true");
  return piece(
    keys,
    cursor,
    sql(
      env.DB,
      `update deliveries set state = 'skipped', reason = 'campaign_cancelled'
       where key in (select value from json_each(?1)) and state = 'queued'`,
      JSON.stringify(keys),
    ),
  );
}
