import type { Ctx } from "../context";
import { sql } from "../db/client";
import { applyRules, readRecipients } from "../messages/rest";
import { audienceMembers, audienceSize, findAudience } from "../segments/rest";
import { refusal } from "./audience";
import { assign, HOLDOUT } from "./assign";
import { Definition } from "./definition";
import type { CampaignRow } from "./read";

/** People looked at for an exact answer; of a larger audience a sample of as many. */
const MOST = 10_000;
const PAGE = 1_000;
/** Pieces of a sample, spread over the keys. */
const PIECES = 20;

/**
 * Who would get a campaign if it were sent now, and why the others would not. Counted person by person for up to 10,000;
 * a larger audience is counted whole, and its shares are those of a sample from everywhere in it.
 */
export async function estimate(ctx: Ctx, row: CampaignRow) {
  const { db, shop } = ctx;
  const definition = Definition.parse(JSON.parse(row.definition));
  const sets = await findAudience(db, shop.key, definition);
  const audience = await audienceSize(db, sets);
  const exact = audience <= MOST;
  const counts = new Map<string, number>();
  const seen = new Set<number>();
  const look = async (contacts: number[]) => {
    const fresh = contacts.filter((contact) => !seen.has(contact));
    for (const contact of fresh) seen.add(contact);
    for (const [outcome, count] of await outcomes(ctx, row, definition, fresh)) {
      counts.set(outcome, (counts.get(outcome) ?? 0) + count);
    }
  };
  if (exact) {
    for (let after: number | undefined = 0; after !== undefined;) {
      const contacts: number[] = await audienceMembers(db, sets, "contact", { after, limit: PAGE });
      await look(contacts);
      after = contacts.length === PAGE ? contacts.at(-1) : undefined;
    }
  } else {
    for (const after of await starts(db, shop.key)) {
      await look(await audienceMembers(db, sets, "contact", { after, limit: MOST / PIECES }));
    }
  }
  const scaled = (count: number) => (exact ? count : Math.round((count / Math.max(1, seen.size)) * audience));
  const of = (outcome: string) => scaled(counts.get(outcome) ?? 0);
  return {
    audience,
    recipients: of(SENT),
    holdout: of(HOLDOUT),
    skipped: [...counts]
      .filter(([outcome]) => outcome !== SENT && outcome !== HOLDOUT)
      .map(([reason, count]) => ({ reason, count: scaled(count) }))
      .sort((a, b) => b.count - a.count || a.reason.localeCompare(b.reason)),
    exact,
    examined: seen.size,
    notReady: sets.notLive,
  };
}

const SENT = "sent";

/** Keys at even distances, behind each of which a piece of the sample begins. */
async function starts(db: D1Database, shop: number): Promise<number[]> {
  const row = await sql(db, "select min(key) as first, max(key) as last from contacts where shop = ?", shop).first<{
    first: number | null;
    last: number | null;
  }>();
  const first = row?.first ?? 0;
  const step = ((row?.last ?? 0) - first) / PIECES;
  return Array.from({ length: PIECES }, (_, i) => Math.floor(first - 1 + i * step));
}

/** How many of these contacts would meet which end. */
async function outcomes(
  { env, shop, now }: Ctx,
  row: CampaignRow,
  definition: Definition,
  contacts: number[],
): Promise<Map<string, number>> {
  const recipients = await readRecipients(env, shop, row.channel, contacts);
  const capped = await cappedOf({ env, shop, now }, row, definition, contacts);
  const counts = new Map<string, number>();
  for (const contact of contacts) {
    const held = assign(row.id, contact, definition) === HOLDOUT ? HOLDOUT : null;
    const end = refusal(recipients.get(contact) ?? null) ?? held ?? (capped.has(contact) ? "frequency_cap" : SENT);
    counts.set(end, (counts.get(end) ?? 0) + 1);
  }
  return counts;
}

/** Those who have had as many messages as the caps allow, as the sender would count them now. */
async function cappedOf(
  { env, shop, now }: Pick<Ctx, "env" | "shop" | "now">,
  { channel }: CampaignRow,
  { cap }: Definition,
  contacts: number[],
): Promise<Set<number>> {
  const rules = cap === undefined ? {} : { caps: { [channel]: cap } };
  const { caps } = applyRules(shop, { channel, class: "marketing" }, rules);
  const asked = [
    { cap: caps.channel, channel },
    { cap: caps.all, channel: null },
  ].flatMap(({ cap: one, channel: of }) =>
    one ? [{ since: now - one.hours * 3_600_000, most: one.most, channel: of }] : [],
  );
  if (asked.length === 0 || contacts.length === 0) return new Set();
  const { results } = await sql(
    env.DB,
    `select c.value as contact from json_each(?1) c where exists (
       select 1 from json_each(?2) cap where (
         select count(*) from deliveries p indexed by deliveries_contact where p.contact = c.value and p.class = 'marketing'
           and p.kind = 'message' and p.called_at > cap.value ->> 'since'
           and (cap.value ->> 'channel' is null or p.channel = cap.value ->> 'channel')) >= cap.value ->> 'most')`,
    JSON.stringify(contacts),
    JSON.stringify(asked),
  ).all<{ contact: number }>();
  return new Set(results.map(({ contact }) => contact));
}
