import { z } from "zod";

import { sameSecret } from "../../lib/crypto";
import { PROVIDERS } from "./catalogue";
import { basic, callProvider, isAnswer, mailbox, outcomeOf } from "./http";
import type { Feedback, Provider, SendOutcome, SuppressReason } from "./provider";
import { notSigned, parseReport, reportText, timeOf } from "./report";

const Accepted = z.object({ ErrorCode: z.literal(0), MessageID: z.string().min(1) });

const Failed = z.object({ ErrorCode: z.int(), Message: z.string().default("") });

/** Codes that tell of the account, the server or the sender, not of the message. */
const SENDERS_FAULT = [10, 400, 401, 405, 412, 413];

const INVALID_REQUEST = 300;
const INACTIVE_RECIPIENT = 406;
const RATE_LIMITED = 429;
const MAINTENANCE = 100;
const WAIT_MS = 60_000;

/**
 * Postmark. Sending: https://postmarkapp.com/developer/api/email-api, codes:
 * https://postmarkapp.com/developer/api/overview#error-codes, reports, which it does not sign but sends with the
 * user and password of the address: https://postmarkapp.com/developer/webhooks/webhooks-overview.
 */
export const postmark: Pick<Provider, "send" | "readFeedback"> = {
  async send(message, credentials, ctx) {
    const { serverToken, transactionalStream, broadcastStream } = PROVIDERS.postmark.credentials.parse(credentials);
    const stream =
      message.class === "marketing" ? (broadcastStream ?? "broadcast") : (transactionalStream ?? "outbound");
    const answer = await callProvider(ctx.baseUrl ?? PROVIDERS.postmark.baseUrl, "/email", {
      headers: {
        accept: "application/json",
        "content-type": "application/json",
        "x-postmark-server-token": serverToken,
      },
      body: JSON.stringify({
        From: mailbox(message.from),
        To: message.to,
        ...(message.replyTo === null ? {} : { ReplyTo: message.replyTo }),
        Subject: message.subject ?? "",
        ...(message.html === null ? {} : { HtmlBody: message.html }),
        TextBody: message.text,
        Headers: Object.entries(message.headers).map(([Name, Value]) => ({ Name, Value })),
        Metadata: { delivery_id: message.deliveryId },
        MessageStream: stream,
        TrackOpens: false,
        TrackLinks: "None",
      }),
    });
    if (!isAnswer(answer)) return answer;
    const accepted = Accepted.safeParse(answer.body);
    if (accepted.success) return { kind: "accepted", providerId: accepted.data.MessageID };
    if (answer.status < 300) return { kind: "unknown", code: "no_id" };
    const failed = Failed.safeParse(answer.body).data;
    return (failed && byCode(failed)) ?? outcomeOf(answer, failed ? String(failed.ErrorCode) : null, ctx.now);
  },

  async readFeedback(request, credentials, ctx) {
    const { feedbackUser, feedbackPassword } = PROVIDERS.postmark.credentials.parse(credentials);
    if (feedbackUser === undefined || feedbackPassword === undefined) {
      throw notSigned("This sender has no feedbackUser and feedbackPassword");
    }
    const given = request.headers.get("authorization") ?? "";
    if (!(await sameSecret(given, basic(feedbackUser, feedbackPassword)))) throw notSigned();
    return feedbackOf(parseReport(Report, await reportText(request)), ctx.now);
  },
};

function byCode({ ErrorCode, Message }: z.infer<typeof Failed>): SendOutcome | null {
  const code = String(ErrorCode);
  if (ErrorCode === INACTIVE_RECIPIENT) return { kind: "refused", code, permanent: true, suppress: "PROVIDER" };
  if (ErrorCode === RATE_LIMITED || ErrorCode === MAINTENANCE) return { kind: "retry", code, afterMs: WAIT_MS };
  if (ErrorCode === INVALID_REQUEST && /'From'/.test(Message)) return { kind: "refused", code, permanent: false };
  if (ErrorCode === INVALID_REQUEST && /'To'|Illegal email address/.test(Message)) {
    return { kind: "refused", code, permanent: true, suppress: "INVALID_EMAIL" };
  }
  if (SENDERS_FAULT.includes(ErrorCode)) return { kind: "refused", code, permanent: false };
  return null;
}

const Report = z.object({
  RecordType: z.string(),
  ID: z.number().optional(),
  Type: z.string().optional(),
  Inactive: z.boolean().optional(),
  MessageID: z.string().optional(),
  Metadata: z.record(z.string(), z.unknown()).optional(),
  Recipient: z.string().optional(),
  Email: z.string().optional(),
  BouncedAt: z.string().optional(),
  DeliveredAt: z.string().optional(),
  ReceivedAt: z.string().optional(),
  ChangedAt: z.string().optional(),
  OriginalLink: z.string().optional(),
  SuppressSending: z.boolean().optional(),
  SuppressionReason: z.string().nullish(),
});

type Report = z.infer<typeof Report>;

/** Kinds of bounces that are final (https://postmarkapp.com/developer/api/bounce-api#bounce-types). */
const HARD: Record<string, SuppressReason> = {
  HardBounce: "HARD_BOUNCE",
  BadEmailAddress: "INVALID_EMAIL",
  ManuallyDeactivated: "PROVIDER",
  Blocked: "PROVIDER",
};

function feedbackOf(report: Report, now: number): Feedback[] {
  const about = aboutOf(report);
  const told = report.BouncedAt ?? report.DeliveredAt ?? report.ReceivedAt ?? report.ChangedAt;
  const at = timeOf(told, now);
  // Only bounces and complaints have an id of their own; the others are known by message, kind and time.
  const eventId = `${report.RecordType}:${report.ID ?? `${report.MessageID ?? ""}:${told ?? ""}`}`;
  const base = { eventId, at, ...about };
  switch (report.RecordType) {
    case "Delivery":
      return [{ ...base, type: "delivered" }];
    case "Bounce":
      return [bounce(base, report)];
    case "SpamComplaint":
      return [{ ...base, type: "complained" }];
    case "Open":
      return [{ ...base, type: "opened" }];
    case "Click":
      return [{ ...base, type: "clicked", ...(report.OriginalLink ? { url: report.OriginalLink } : {}) }];
    case "SubscriptionChange":
      // Bounces and complaints are told by records of their own, and a reactivation is no consent.
      return report.SuppressSending && report.SuppressionReason === "ManualSuppression"
        ? [{ ...base, type: "unsubscribed" }]
        : [];
    default:
      return [];
  }
}

function bounce(base: Omit<Feedback, "type">, { Type = "", Inactive }: Report): Feedback {
  const code = { code: Type };
  if (Type === "SpamComplaint" || Type === "SpamNotification") return { ...base, type: "complained", ...code };
  const reason = HARD[Type] ?? (Inactive ? "HARD_BOUNCE" : undefined);
  if (reason === undefined) return { ...base, type: "soft_bounced", ...code };
  return { ...base, type: "bounced", suppress: reason, ...code };
}

function aboutOf({ MessageID, Metadata, Recipient, Email }: Report) {
  const deliveryId = Metadata?.["delivery_id"];
  const address = Recipient ?? Email;
  return {
    ...(typeof deliveryId === "string" ? { deliveryId } : {}),
    ...(MessageID === undefined ? {} : { providerId: MessageID }),
    ...(address === undefined ? {} : { address }),
  };
}
