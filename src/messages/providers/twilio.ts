import { z } from "zod";

import { AppError } from "../../errors";
import { fromBase64 } from "../../lib/crypto";
import { PROVIDERS } from "./catalogue";
import { basic, callProvider, isAnswer, outcomeOf } from "./http";
import type { Feedback, OutgoingMessage, Provider, ProviderContext, SendOutcome, SuppressReason } from "./provider";
import { notSigned, reportText } from "./report";

const Accepted = z.object({ sid: z.string().min(1) });

const Failed = z.object({ code: z.int() });

/** Meta lets a business write freely for so long after the person's last message. */
const WINDOW_MS = 24 * 3_600_000;

const WAIT_MS = 60_000;

/** Codes that say what a number is worth (https://www.twilio.com/docs/api/errors). */
const ABOUT_NUMBER: Record<number, SuppressReason> = {
  21211: "HARD_BOUNCE", // not a number
  21217: "HARD_BOUNCE", // not a number
  21614: "HARD_BOUNCE", // no mobile number
  21610: "UNSUBSCRIBE", // answered STOP
  30005: "HARD_BOUNCE", // not in service
  30006: "HARD_BOUNCE", // a landline
  63024: "HARD_BOUNCE", // not on WhatsApp
};

/** Codes that tell of the account or the sender: no rights for a country, a sender that is not its own. */
const SENDERS_FAULT = [20003, 20404, 21408, 21603, 21606, 21612, 21659, 21660, 21703, 63007];

/** A full queue, or too many at once. */
const AGAIN = [14107, 20429, 21611, 30001, 63018];

/**
 * Twilio, for SMS and WhatsApp. Sending and status reports: https://www.twilio.com/docs/messaging/api/message-resource,
 * signatures: https://www.twilio.com/docs/usage/security, WhatsApp's window and templates:
 * https://www.twilio.com/docs/api/errors/63016.
 */
export const twilio: Pick<Provider, "send" | "readFeedback"> = {
  async send(message, credentials, ctx) {
    const { accountSid, authToken } = PROVIDERS.twilio.credentials.parse(credentials);
    const form = formOf(message, ctx);
    if (form === null) return { kind: "refused", code: "template_needed", permanent: true };
    const path = `/2010-04-01/Accounts/${accountSid}/Messages.json`;
    const answer = await callProvider(ctx.baseUrl ?? PROVIDERS.twilio.baseUrl, path, {
      headers: { authorization: basic(accountSid, authToken) },
      body: form,
    });
    if (!isAnswer(answer)) return answer;
    const accepted = Accepted.safeParse(answer.body);
    if (answer.status < 300 && accepted.success) return { kind: "accepted", providerId: accepted.data.sid };
    if (answer.status < 300) return { kind: "unknown", code: "no_id" };
    const code = Failed.safeParse(answer.body).data?.code ?? null;
    return (code === null ? null : byCode(code)) ?? outcomeOf(answer, code === null ? null : String(code), ctx.now);
  },

  async readFeedback(request, credentials, ctx) {
    const { authToken } = PROVIDERS.twilio.credentials.parse(credentials);
    const fields = new URLSearchParams(await reportText(request));
    const signature = request.headers.get("x-twilio-signature") ?? "";
    const addresses = [request.url, ...(ctx.feedbackUrl ? [ctx.feedbackUrl + new URL(request.url).search] : [])];
    const signed = await Promise.all(addresses.map((address) => isSigned(authToken, address, fields, signature)));
    if (!signed.includes(true)) throw notSigned();
    const sid = fields.get("MessageSid") ?? fields.get("SmsSid");
    if (!sid) throw new AppError("bad_request", "The report names no message");
    const status = fields.get("MessageStatus") ?? fields.get("SmsStatus") ?? "";
    if (status === "received") return [inbound(sid, fields, ctx.now)];
    return reported({ sid, status, fields, deliveryId: new URL(request.url).searchParams.get("delivery") }, ctx.now);
  },
};

/** The fields of a message; null for a WhatsApp message that may not be sent without a template. */
function formOf(message: OutgoingMessage, { now, feedbackUrl }: ProviderContext): URLSearchParams | null {
  const prefix = message.channel === "whatsapp" ? "whatsapp:" : "";
  const { address } = message.from;
  const form = new URLSearchParams({ To: prefix + message.to });
  if (/^MG[0-9a-f]{32}$/i.test(address)) form.set("MessagingServiceSid", address);
  else form.set("From", prefix + address);
  if (feedbackUrl !== null) form.set("StatusCallback", `${feedbackUrl}?delivery=${message.deliveryId}`);
  if (message.channel === "whatsapp" && message.template !== null) {
    form.set("ContentSid", message.template.id);
    form.set("ContentVariables", JSON.stringify(message.template.variables));
    return form;
  }
  const open = message.repliedAt !== null && now - message.repliedAt < WINDOW_MS;
  if (message.channel === "whatsapp" && !open) return null;
  form.set("Body", message.text);
  return form;
}

function byCode(code: number): SendOutcome | null {
  const named = String(code);
  const suppress = ABOUT_NUMBER[code];
  if (suppress) return { kind: "refused", code: named, permanent: true, suppress };
  if (AGAIN.includes(code)) return { kind: "retry", code: named, afterMs: WAIT_MS };
  return SENDERS_FAULT.includes(code) ? { kind: "refused", code: named, permanent: false } : null;
}

/** HMAC-SHA1 over the address and the fields by name, name and value without anything between. */
async function isSigned(token: string, address: string, fields: URLSearchParams, signature: string): Promise<boolean> {
  const bytes = fromBase64(signature);
  if (!bytes) return false;
  const text = [...fields]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .reduce((sum, [name, value]) => sum + name + value, address);
  const utf8 = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-1" };
  const key = await crypto.subtle.importKey("raw", utf8.encode(token), algorithm, false, ["verify"]);
  return crypto.subtle.verify("HMAC", key, bytes, utf8.encode(text));
}

const numberOf = (address: string | null) => (address ?? "").replace(/^whatsapp:/, "");

/** Somebody wrote to us. What the words mean is not decided here. */
function inbound(sid: string, fields: URLSearchParams, now: number): Feedback {
  return {
    type: "replied",
    eventId: sid,
    address: numberOf(fields.get("From")),
    text: fields.get("Body") ?? "",
    at: now,
  };
}

interface Status {
  sid: string;
  status: string;
  fields: URLSearchParams;
  deliveryId: string | null;
}

/** A change of a message's status; Twilio tells no time of it. */
function reported({ sid, status, fields, deliveryId }: Status, now: number): Feedback[] {
  const code = fields.get("ErrorCode");
  const to = numberOf(fields.get("To"));
  const base: Omit<Feedback, "type"> = { eventId: `${sid}:${status}`, providerId: sid, at: now };
  if (deliveryId) base.deliveryId = deliveryId;
  if (to) base.address = to;
  if (code) base.code = code;
  switch (status) {
    case "delivered":
      return [{ ...base, type: "delivered" }];
    case "read":
      return [{ ...base, type: "opened", machine: false }];
    case "failed":
    case "undelivered": {
      const suppress = ABOUT_NUMBER[Number(code)];
      if (suppress === "UNSUBSCRIBE") return [{ ...base, type: "unsubscribed" }];
      return [suppress ? { ...base, type: "bounced", suppress } : { ...base, type: "failed" }];
    }
    default:
      return [];
  }
}
