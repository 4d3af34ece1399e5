import { sql } from "../db/client";
import type { Shop } from "../shops";
import type { Leased } from "./lease";
import type { SendRules } from "./rules";

export interface RulesNow {
  rules: SendRules;
  /** `paused`: not now; `stopped`: not any more. */
  hold: "paused" | "stopped" | null;
}

const HOURS = { minute: 1 / 60, hour: 1, day: 24, week: 168, month: 720, year: 8_760 };

/** How a delivery is to be sent, by the automation or the campaign that it belongs to. */
export async function rulesOf(env: Env, _shop: Shop, d: Leased): Promise<RulesNow> {
  if (d.campaign !== null) return (await import("../campaigns")).campaignRules(env.DB, { ...d, campaign: d.campaign });
  if (d.run === null) return { rules: {}, hold: null };
  const { sendRules } = await import("../automations");
  const sending = await sendRules(env.DB, d.run);
  if (sending === null) return { rules: {}, hold: "stopped" };
  const automation = await sql(env.DB, "select state from automations where key = ?", d.automation).first<{
    state: string;
  }>();
  const { quietHours, weekdays, caps, neverSubscribed } = sending;
  const capOf = (cap: { messages: number; in: { n: number; unit: keyof typeof HOURS } } | null | undefined) =>
    cap && { most: cap.messages, hours: cap.in.n * HOURS[cap.in.unit] };
  return {
    rules: {
      quietHours: quietHours && { from: quietHours.from, to: quietHours.to, mode: quietHours.mode },
      weekdays,
      caps: caps && {
        ...(caps.email === undefined ? {} : { email: capOf(caps.email) }),
        ...(caps.sms === undefined ? {} : { sms: capOf(caps.sms) }),
        ...(caps.whatsapp === undefined ? {} : { whatsapp: capOf(caps.whatsapp) }),
      },
      neverSubscribed,
    },
    hold: automation?.state === "paused" ? "paused" : null,
  };
}
