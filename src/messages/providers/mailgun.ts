import { z } from "zod";

import { hmacMatches } from "../../lib/crypto";
import { PROVIDERS } from "./catalogue";
import { basic, callProvider, isAnswer, mailbox, outcomeOf } from "./http";
import type { Feedback, Provider, SuppressReason } from "./provider";
import { notSigned, parseReport, reportText } from "./report";

const Accepted = z.object({ id: z.string().min(1) });

const Failed = z.object({ message: z.string() });

/** A report is told again for eight hours; what is older than a day was kept by somebody. */
const MOST_AGE_MS = 24 * 3_600_000;

/**
 * Mailgun; accounts in the EU set the base URL https://api.eu.mailgun.net. Sending:
 * https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages, reports and their HMAC:
 * https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks.
 */
export const mailgun: Pick<Provider, "send" | "readFeedback"> = {
  async send(message, credentials, ctx) {
    const { apiKey, domain } = PROVIDERS.mailgun.credentials.parse(credentials);
    const form = new FormData();
    form.append("from", mailbox(message.from));
    form.append("to", message.to);
    form.append("subject", message.subject ?? "");
    form.append("text", message.text);
    if (message.html !== null) form.append("html", message.html);
    if (message.replyTo !== null) form.append("h:Reply-To", message.replyTo);
    for (const [name, value] of Object.entries(message.headers)) form.append(`h:${name}`, value);
    form.append("v:delivery_id", message.deliveryId);
    form.append("o:tracking", "no");
    const answer = await callProvider(ctx.baseUrl ?? PROVIDERS.mailgun.baseUrl, `/v3/${domain}/messages`, {
      headers: { authorization: basic("api", apiKey) },
      body: form,
    });
    if (!isAnswer(answer)) return answer;
    const accepted = Accepted.safeParse(answer.body);
    if (answer.status < 300 && accepted.success) return { kind: "accepted", providerId: bare(accepted.data.id) };
    if (answer.status < 300) return { kind: "unknown", code: "no_id" };
    const failed = Failed.safeParse(answer.body).data;
    if (answer.status === 400 && failed) {
      const field = /^(from|to) parameter is not a valid address/i.exec(failed.message)?.[1]?.toLowerCase();
      if (field === "from") return { kind: "refused", code: "invalid_from", permanent: false };
      if (field === "to") return { kind: "refused", code: "invalid_to", permanent: true, suppress: "INVALID_EMAIL" };
    }
    return outcomeOf(answer, failed ? `http_${answer.status}` : null, ctx.now);
  },

  async readFeedback(request, credentials, ctx) {
    const { webhookSigningKey } = PROVIDERS.mailgun.credentials.parse(credentials);
    if (webhookSigningKey === undefined) throw notSigned("This sender has no webhookSigningKey");
    const report = parseReport(Report, await reportText(request));
    const { timestamp, token, signature } = report.signature;
    const bytes = Uint8Array.from(signature.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    if (!(await hmacMatches(webhookSigningKey, timestamp + token, bytes))) throw notSigned();
    if (Math.abs(ctx.now - Number(timestamp) * 1_000) > MOST_AGE_MS) throw notSigned("The report is too old");
    return feedbackOf(report["event-data"]);
  },
};

/** Message ids come with angle brackets in answers, without in reports. */
function bare(id: string): string {
  return id.replaceAll(/^<|>$/g, "");
}

const Event = z.object({
  event: z.string(),
  id: z.string(),
  timestamp: z.number(),
  recipient: z.string().optional(),
  severity: z.string().optional(),
  reason: z.string().optional(),
  url: z.string().optional(),
  message: z.object({ headers: z.object({ "message-id": z.string().optional() }).optional() }).optional(),
  "user-variables": z.record(z.string(), z.unknown()).optional(),
  "client-info": z.object({ bot: z.string().nullish() }).optional(),
});

const Report = z.object({
  signature: z.object({
    timestamp: z.string().regex(/^\d{1,12}$/),
    token: z.string().max(200),
    signature: z.string().regex(/^[0-9a-f]{64}$/),
  }),
  "event-data": Event,
});

/** Why Mailgun did not try: its own lists. */
const SUPPRESSED: Record<string, SuppressReason> = {
  "suppress-bounce": "HARD_BOUNCE",
  "suppress-complaint": "SPAM_COMPLAINT",
  "suppress-unsubscribe": "UNSUBSCRIBE",
};

function feedbackOf(event: z.infer<typeof Event>): Feedback[] {
  const deliveryId = event["user-variables"]?.["delivery_id"];
  const providerId = event.message?.headers?.["message-id"];
  const base: Omit<Feedback, "type"> = { eventId: event.id, at: Math.round(event.timestamp * 1_000) };
  if (typeof deliveryId === "string") base.deliveryId = deliveryId;
  if (providerId) base.providerId = bare(providerId);
  if (event.recipient) base.address = event.recipient;
  // A bot is named where a mail service fetches pictures or links before the person does.
  const machine = Boolean(event["client-info"]?.bot);
  switch (event.event) {
    case "delivered":
      return [{ ...base, type: "delivered" }];
    case "failed":
      return [failed(base, event.severity, event.reason)];
    case "rejected":
      return [{ ...base, type: "failed", code: "rejected" }];
    case "complained":
      return [{ ...base, type: "complained" }];
    case "unsubscribed":
      return [{ ...base, type: "unsubscribed" }];
    case "opened":
      return [{ ...base, type: "opened", machine }];
    case "clicked":
      return [{ ...base, type: "clicked", machine, ...(event.url ? { url: event.url } : {}) }];
    default:
      return [];
  }
}

function failed(base: Omit<Feedback, "type">, severity = "", reason = "failed"): Feedback {
  if (severity !== "permanent") return { ...base, type: "soft_bounced", code: reason };
  const suppressed = SUPPRESSED[reason];
  if (suppressed) return { ...base, type: "failed", suppress: suppressed, code: reason };
  if (reason === "bounce") return { ...base, type: "bounced", suppress: "HARD_BOUNCE", code: reason };
  // Too old, blocked by the service, or unnamed: the address itself may be good.
  return { ...base, type: "failed", code: reason };
}
