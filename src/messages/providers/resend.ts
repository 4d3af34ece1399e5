import { Webhook } from "standardwebhooks";
import { z } from "zod";

import { PROVIDERS } from "./catalogue";
import { callProvider, isAnswer, mailbox, outcomeOf } from "./http";
import type { Feedback, FeedbackType, Provider, SendOutcome } from "./provider";
import { notSigned, parseReport, reportText, timeOf } from "./report";

const Accepted = z.object({ id: z.string().min(1) });

const Failed = z.object({ name: z.string().max(100), message: z.string().default("") });

/** Refusals that a full account gives; the quota is counted anew later. */
const QUOTA = ["daily_quota_exceeded", "monthly_quota_exceeded"];

const HOUR = 3_600_000;

/** A request with this key is still being handled. */
const CONCURRENT_MS = 5_000;

/**
 * Resend. Sending: https://resend.com/docs/api-reference/emails/send-email, errors:
 * https://resend.com/docs/api-reference/errors, reports (Svix, the scheme of Standard Webhooks):
 * https://resend.com/docs/webhooks/introduction.
 */
export const resend: Pick<Provider, "send" | "readFeedback"> = {
  async send(message, credentials, ctx) {
    const { apiKey } = PROVIDERS.resend.credentials.parse(credentials);
    const answer = await callProvider(ctx.baseUrl ?? PROVIDERS.resend.baseUrl, "/emails", {
      headers: {
        authorization: `Bearer ${apiKey}`,
        "content-type": "application/json",
        "idempotency-key": message.deliveryId,
      },
      body: JSON.stringify({
        from: mailbox(message.from),
        to: [message.to],
        subject: message.subject ?? "",
        ...(message.html === null ? {} : { html: message.html }),
        text: message.text,
        ...(message.replyTo === null ? {} : { reply_to: message.replyTo }),
        headers: message.headers,
        tags: [{ name: "delivery_id", value: message.deliveryId }],
      }),
    });
    if (!isAnswer(answer)) return answer;
    const accepted = Accepted.safeParse(answer.body);
    if (answer.status < 300 && accepted.success) return { kind: "accepted", providerId: accepted.data.id };
    if (answer.status < 300) return { kind: "unknown", code: "no_id" };
    const failed = Failed.safeParse(answer.body).data;
    return (failed && byName(failed)) ?? outcomeOf(answer, failed?.name ?? null, ctx.now);
  },

  async readFeedback(request, credentials, ctx) {
    const { webhookSecret } = PROVIDERS.resend.credentials.parse(credentials);
    if (webhookSecret === undefined) throw notSigned("This sender has no webhookSecret");
    const text = await reportText(request);
    const header = (name: string) => request.headers.get(`svix-${name}`) ?? "";
    const id = header("id");
    try {
      new Webhook(webhookSecret).verify(text, {
        "webhook-id": id,
        "webhook-timestamp": header("timestamp"),
        "webhook-signature": header("signature"),
      });
    } catch {
      throw notSigned();
    }
    return feedbackOf(parseReport(Report, text), id, ctx.now);
  },
};

function byName({ name, message }: z.infer<typeof Failed>): SendOutcome | null {
  if (QUOTA.includes(name)) return { kind: "retry", code: name, afterMs: HOUR };
  if (name === "concurrent_idempotent_requests") return { kind: "retry", code: name, afterMs: CONCURRENT_MS };
  // The key was used with another body, so something of this delivery has been taken before.
  if (name === "invalid_idempotent_request") return { kind: "unknown", code: name };
  if (name === "invalid_from_address") return { kind: "refused", code: name, permanent: false };
  if (name === "validation_error" && /\binvalid `to`/i.test(message)) {
    return { kind: "refused", code: name, permanent: true, suppress: "INVALID_EMAIL" };
  }
  // Under this name an unverified domain is refused too, with status 403.
  return null;
}

/** Documented as a list, and told as an object. */
const Tags = z.union([
  z.record(z.string(), z.string()),
  z.array(z.object({ name: z.string(), value: z.string() })).transform((tags) => {
    return Object.fromEntries(tags.map(({ name, value }) => [name, value]));
  }),
]);

/** Kinds of bounces after which the address may well be good. */
const SOFT = ["transient", "undetermined", "soft"];

const Report = z.object({
  type: z.string(),
  created_at: z.string().optional(),
  data: z.object({
    email_id: z.string().optional(),
    created_at: z.string().optional(),
    to: z.array(z.string()).optional(),
    tags: Tags.optional(),
    bounce: z.object({ type: z.string().optional(), subType: z.string().optional() }).optional(),
    click: z.object({ link: z.string().optional(), timestamp: z.string().optional() }).optional(),
  }),
});

const TYPES: Record<string, FeedbackType> = {
  "email.delivered": "delivered",
  "email.bounced": "bounced",
  "email.complained": "complained",
  "email.opened": "opened",
  "email.clicked": "clicked",
  "email.failed": "failed",
  "email.suppressed": "failed",
};

function feedbackOf({ type, created_at, data }: z.infer<typeof Report>, id: string, now: number): Feedback[] {
  const known = TYPES[type];
  if (!known) return [];
  const soft = known === "bounced" && SOFT.includes(data.bounce?.type?.toLowerCase() ?? "");
  const feedback: Feedback = { type: soft ? "soft_bounced" : known, eventId: id, at: timeOf(created_at, now) };
  if (data.tags?.["delivery_id"]) feedback.deliveryId = data.tags["delivery_id"];
  if (data.email_id) feedback.providerId = data.email_id;
  if (data.to?.length === 1 && data.to[0]) feedback.address = data.to[0];
  if (feedback.type === "bounced") feedback.suppress = "HARD_BOUNCE";
  if (type === "email.suppressed") feedback.suppress = "PROVIDER";
  if (data.bounce) feedback.code = [data.bounce.type, data.bounce.subType].filter(Boolean).join("/");
  if (data.click?.link) feedback.url = data.click.link;
  return [feedback];
}
