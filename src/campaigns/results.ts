import type { Ctx } from "../context";
import { HOLDOUT } from "./assign";
import { Definition } from "./definition";
import type { CampaignRow } from "./read";
import { added, figuresOf, noTally, purchasesOf, tally } from "./tally";

const HOUR_MS = 3_600_000;

/** What came of a campaign, together and by variant, with those who got nothing to compare. */
export async function campaignResults(ctx: Ctx, row: CampaignRow) {
  const { db, shop } = ctx;
  const { variants, holdout } = Definition.parse(JSON.parse(row.definition));
  const hours = purchaseHours(row.channel, shop.settings.attributionHours);
  const counted = await tally(db, row.key, hours * HOUR_MS);
  const tallies = variants.map(({ name }) => counted.get(name) ?? noTally(name));
  return {
    ...figuresOf(added(tallies), shop.currency),
    variants: tallies.map((one) => ({
      name: one.variant ?? "",
      isWinner: one.variant === row.winner,
      ...figuresOf(one, shop.currency),
      purchases: purchasesOf(one, shop.currency),
    })),
    holdout: holdout === 0 ? null : purchasesOf(counted.get(HOLDOUT) ?? noTally(HOLDOUT), shop.currency),
    hours,
  };
}

/** As long as a touch of the channel counts for an order at most. */
function purchaseHours(channel: CampaignRow["channel"], hours: Ctx["shop"]["settings"]["attributionHours"]): number {
  if (channel === "email") return Math.max(hours.emailOpened, hours.emailClicked);
  if (channel === "sms") return Math.max(hours.smsDelivered, hours.smsClicked);
  return Math.max(hours.whatsappOpened, hours.whatsappClicked);
}
