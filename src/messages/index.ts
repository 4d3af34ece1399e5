import type { Shop } from "../shops";
import type { Inbound, InboundRead } from "./inbound";
import type { Feedback } from "./providers";

/** What other features use of messages; loads nothing that only sending needs. */
export { eraseMessages } from "./erase";
export { type PublicLinks, publicLinks } from "./links";
export {
  type CampaignDelivery,
  type Channel,
  CHANNELS,
  type MessageClass,
  MESSAGE_CLASSES,
  type NewDelivery,
  nudgeDeliveries,
  queueCampaign,
  queueDelivery,
} from "./queue";
export { messageReactions } from "./react";
export { dropOldMessages } from "./retention";
export { type MessageItem, messageItems } from "./timeline";
export type { Cap, SendRules } from "./rules";

/** See `send.ts`. */
export async function sendDeliveries(env: Env, shop: number, keys: number[], now: () => number): Promise<void> {
  await (await import("./send")).sendDeliveries(env, shop, keys, now);
}

/** See `feedback.ts`. */
export async function applyFeedback(
  env: Env,
  shop: Shop,
  feedback: readonly Feedback[],
  now: number,
  channel?: "email" | "sms" | "whatsapp",
): Promise<void> {
  await (await import("./feedback")).applyFeedback(env, shop, feedback, now, channel);
}

/** See `inbound.ts`. */
export async function applyInbound(env: Env, shop: Shop, inbound: Inbound, now: number): Promise<InboundRead> {
  return (await import("./inbound")).applyInbound(env, shop, inbound, now);
}
