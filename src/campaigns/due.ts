import { sql } from "../db/client";
import { newId } from "../lib/ids";
import { type CampaignRow, SELECT } from "./read";
import { beginStatements } from "./send";
import { chooseWinner } from "./winner";
import { continueCampaign } from "./work";

/** Campaigns of one sweep; the next takes the others. */
const AT_ONCE = 5;

/** Begins the shop's campaigns whose time has come, and chooses the winners of tests that are over. Repeatable. */
export async function carryOutDue(env: Env, shop: number, now: number): Promise<void> {
  const { DB } = env;
  const { results } = await sql(
    DB,
    `${SELECT} where c.shop = ?1 and c.due_at <= ?2 and c.paused_at is null order by c.due_at limit ${AT_ONCE}`,
    shop,
    now,
  ).all<CampaignRow>();
  for (const row of results) {
    const job = newId("job", now);
    if (row.state === "scheduled") await DB.batch(beginStatements(DB, row, job, now));
    else if (row.state === "sending") await DB.batch(await chooseWinner(DB, row, job, now));
    else await sql(DB, "update campaigns set due_at = null where key = ?", row.key).run();
    await continueCampaign(env, { id: job, shop }, now);
  }
}
