import type { Shop } from "../shops";
import type { Channel } from "./queue";

/** At most so many in so many hours. */
export interface Cap {
  most: number;
  hours: number;
}

/** How a message of an automation or a campaign is sent; the shop's settings hold where it says nothing. */
export interface SendRules {
  quietHours?: { from: string; to: string; mode: "defer" | "skip" } | null | undefined;
  /** ISO weekdays, 1 is Monday. */
  weekdays?: readonly number[] | undefined;
  /** By channel; null lifts the shop's own. */
  caps?: Partial<Record<Channel, Cap | null | undefined>> | undefined;
  /** People who never decided get marketing too: a decision of the merchant, under the law of their shop. */
  neverSubscribed?: boolean | undefined;
  /** Name in the links' `utm_campaign`. */
  campaign?: string | null | undefined;
}

/** The rules of one delivery with every gap filled. */
export interface AppliedRules {
  quiet: { from: string; to: string } | null;
  mode: "defer" | "skip";
  weekdays: readonly number[] | null;
  caps: { channel: Cap | null; all: Cap | null };
  neverSubscribed: boolean;
  campaign: string | null;
}

/** What holds for a channel. Transactional messages keep to nothing: they are awaited. */
export function applyRules(
  shop: Shop,
  { channel, class: messageClass }: { channel: Channel; class: "marketing" | "transactional" },
  rules: SendRules,
): AppliedRules {
  const { messageCaps, quietHours } = shop.settings;
  const campaign = rules.campaign ?? null;
  if (messageClass === "transactional") {
    const caps = { channel: null, all: null };
    return { quiet: null, mode: "defer", weekdays: null, caps, neverSubscribed: false, campaign };
  }
  const own = quietHours?.channels.includes(channel) ? quietHours : null;
  const quiet = rules.quietHours === undefined ? own : rules.quietHours;
  const cap = rules.caps?.[channel];
  return {
    quiet: quiet && { from: quiet.from, to: quiet.to },
    mode: quiet?.mode ?? "defer",
    weekdays: rules.weekdays ?? null,
    caps: { channel: cap === undefined ? messageCaps[channel] : cap, all: messageCaps.all },
    neverSubscribed: rules.neverSubscribed ?? false,
    campaign,
  };
}
