import { sql } from "../db/client";
import { Definition } from "./definition";
import type { CampaignRow } from "./read";
import { noTally, rate, type Tally, tally } from "./tally";

/**
 * The statements that end a test: the variant with the best rate has won, of equals the first, and a job gives it to
 * everybody who waited. Nothing for a campaign whose test was decided or cancelled meanwhile.
 */
export async function chooseWinner(
  db: D1Database,
  row: CampaignRow,
  job: string,
  now: number,
): Promise<D1PreparedStatement[]> {
  const { test, variants } = Definition.parse(JSON.parse(row.definition));
  const counted = await tally(db, row.key, 0);
  const tried = variants.map(({ name }) => counted.get(name) ?? noTally(name));
  const winner = test === null ? null : bestOf(tried, test.by);
  return [
    sql(
      db,
      `insert into jobs (id, shop, kind, state, input, created_at, updated_at)
       select ?2, ?3, 'campaigns.work', 'running', ?4, ?5, ?5 from campaigns
       where key = ?1 and state = 'sending' and winner is null and due_at is not null`,
      row.key,
      job,
      row.shop,
      JSON.stringify({ campaign: row.key, work: "winner" }),
      now,
    ),
    sql(
      db,
      `update campaigns set winner = ?3, winner_at = ?4, due_at = null, job = ?2, updated_at = ?4
       where key = ?1 and state = 'sending' and winner is null and due_at is not null`,
      row.key,
      job,
      winner,
      now,
    ),
  ];
}

/** The name of the variant with the best rate; of equals the first. */
export function bestOf(tallies: readonly Tally[], by: "open_rate" | "click_rate" | "conversion_rate"): string | null {
  const part = { open_rate: "opened", click_rate: "clicked", conversion_rate: "converted" } as const;
  const score = (one: Tally) => rate(one[part[by]], one.delivered) ?? 0;
  return (
    tallies.reduce<Tally | null>((best, one) => (best && score(best) >= score(one) ? best : one), null)?.variant ?? null
  );
}
