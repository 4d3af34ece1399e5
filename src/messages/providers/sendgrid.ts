import { z } from "zod";

import { fromBase64 } from "../../lib/crypto";
import { PROVIDERS } from "./catalogue";
import { callProvider, isAnswer, outcomeOf } from "./http";
import type { Feedback, Provider, SendOutcome } from "./provider";
import { notSigned, parseReport, reportText } from "./report";

const Failed = z.object({
  errors: z.array(z.object({ message: z.string().default(""), field: z.string().nullish() })).min(1),
});

/**
 * SendGrid. Sending: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send, reports:
 * https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event, their signature (ECDSA over time stamp
 * and body): .../getting-started-event-webhook-security-features.
 */
export const sendgrid: Pick<Provider, "send" | "readFeedback"> = {
  async send(message, credentials, ctx) {
    const { apiKey } = PROVIDERS.sendgrid.credentials.parse(credentials);
    const answer = await callProvider(ctx.baseUrl ?? PROVIDERS.sendgrid.baseUrl, "/v3/mail/send", {
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
      body: JSON.stringify({
        personalizations: [{ to: [{ email: message.to }], custom_args: { delivery_id: message.deliveryId } }],
        from: { email: message.from.address, ...(message.from.name === null ? {} : { name: message.from.name }) },
        ...(message.replyTo === null ? {} : { reply_to: { email: message.replyTo } }),
        subject: message.subject ?? "",
        content: [
          { type: "text/plain", value: message.text },
          ...(message.html === null ? [] : [{ type: "text/html", value: message.html }]),
        ],
        headers: message.headers,
        // Links and the pixel are ours already.
        tracking_settings: {
          click_tracking: { enable: false, enable_text: false },
          open_tracking: { enable: false },
          subscription_tracking: { enable: false },
        },
      }),
    });
    if (!isAnswer(answer)) return answer;
    if (answer.status === 202) {
      return { kind: "accepted", providerId: answer.headers.get("x-message-id") ?? message.deliveryId };
    }
    const failed = Failed.safeParse(answer.body).data?.errors[0];
    return byField(answer.status, failed?.field) ?? outcomeOf(answer, codeOf(answer.status, failed), ctx.now);
  },

  async readFeedback(request, credentials) {
    const { webhookPublicKey } = PROVIDERS.sendgrid.credentials.parse(credentials);
    if (webhookPublicKey === undefined) throw notSigned("This sender has no webhookPublicKey");
    const text = await reportText(request);
    const header = (name: string) => request.headers.get(`x-twilio-email-event-webhook-${name}`) ?? "";
    if (!(await isSigned(webhookPublicKey, header("timestamp") + text, header("signature")))) throw notSigned();
    return parseReport(z.array(Event).max(5_000), text).flatMap(feedbackOf);
  },
};

function byField(status: number, field: string | null | undefined): SendOutcome | null {
  if (status !== 400) return null;
  if (field?.startsWith("from")) return { kind: "refused", code: "invalid_from", permanent: false };
  if (!field?.startsWith("personalizations.0.to")) return null;
  return { kind: "refused", code: "invalid_to", permanent: true, suppress: "INVALID_EMAIL" };
}

/** There are no codes: the field that is wrong says most, and its absence that this is no answer of SendGrid's. */
function codeOf(status: number, failed: { field?: string | null | undefined } | undefined): string | null {
  return failed ? (failed.field ?? `http_${status}`) : null;
}

/** Verifies over P-256 and SHA-256; the key is base64 of a SubjectPublicKeyInfo, the signature base64 of its DER form. */
async function isSigned(publicKey: string, text: string, signature: string): Promise<boolean> {
  const spki = fromBase64(publicKey.replaceAll(/-----[^-]+-----|\s/g, ""));
  const raw = rawSignature(fromBase64(signature) ?? new Uint8Array());
  if (!spki || !raw) return false;
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const key = await crypto.subtle.importKey("spki", spki, algorithm, false, ["verify"]).catch(() => null);
  if (!key) return false;
  return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, raw, new TextEncoder().encode(text));
}

const SIZE = 32;

/** The two numbers of a DER signature, 32 bytes each, as WebCrypto wants them; null for anything else. */
function rawSignature(der: Uint8Array): Uint8Array<ArrayBuffer> | null {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return null;
  const raw = new Uint8Array(2 * SIZE);
  let at = 2;
  for (const end of [SIZE, 2 * SIZE]) {
    const length = der[at + 1];
    if (der[at] !== 0x02 || length === undefined) return null;
    let number = der.subarray(at + 2, at + 2 + length);
    if (number.length !== length) return null;
    while (number[0] === 0) number = number.subarray(1);
    if (number.length > SIZE) return null;
    raw.set(number, end - number.length);
    at += 2 + length;
  }
  return at === der.length ? raw : null;
}

const Event = z.object({
  event: z.string(),
  email: z.string().optional(),
  timestamp: z.number(),
  sg_event_id: z.string().optional(),
  sg_message_id: z.string().optional(),
  delivery_id: z.string().optional(),
  type: z.string().optional(),
  reason: z.string().optional(),
  status: z.string().optional(),
  url: z.string().optional(),
  sg_machine_open: z.boolean().optional(),
});

type Event = z.infer<typeof Event>;

function feedbackOf(event: Event): Feedback[] {
  const base: Omit<Feedback, "type"> = { eventId: event.sg_event_id ?? null, at: event.timestamp * 1_000 };
  if (event.delivery_id) base.deliveryId = event.delivery_id;
  // Ours is what stands before the first dot; behind it is the server that handled it.
  const providerId = event.sg_message_id?.split(".")[0];
  if (providerId) base.providerId = providerId;
  if (event.email) base.address = event.email;
  switch (event.event) {
    case "delivered":
      return [{ ...base, type: "delivered" }];
    case "deferred":
      return [{ ...base, type: "soft_bounced", code: "deferred" }];
    case "bounce":
      // `blocked`: the server did not want this message now; the address is good.
      return event.type === "blocked"
        ? [{ ...base, type: "soft_bounced", code: "blocked" }]
        : [{ ...base, type: "bounced", suppress: "HARD_BOUNCE", code: event.status ?? "bounce" }];
    case "dropped":
      return [dropped(base, event.reason ?? "")];
    case "spamreport":
      return [{ ...base, type: "complained" }];
    case "unsubscribe":
    case "group_unsubscribe":
      return [{ ...base, type: "unsubscribed" }];
    case "open":
      return [{ ...base, type: "opened", machine: event.sg_machine_open ?? false }];
    case "click":
      return [{ ...base, type: "clicked", ...(event.url ? { url: event.url } : {}) }];
    default:
      return [];
  }
}

/** What SendGrid did not even try, by its published reasons. */
function dropped(base: Omit<Feedback, "type">, reason: string): Feedback {
  if (/^bounced address/i.test(reason)) return { ...base, type: "bounced", suppress: "HARD_BOUNCE", code: "dropped" };
  if (/^invalid/i.test(reason)) return { ...base, type: "bounced", suppress: "INVALID_EMAIL", code: "dropped" };
  if (/^spam reporting address/i.test(reason)) return { ...base, type: "complained", code: "dropped" };
  if (/^unsubscribed address/i.test(reason)) return { ...base, type: "unsubscribed", code: "dropped" };
  return { ...base, type: "failed", code: "dropped" };
}
