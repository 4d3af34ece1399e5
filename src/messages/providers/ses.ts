import { AwsV4Signer } from "aws4fetch";
import { z } from "zod";

import { PROVIDERS } from "./catalogue";
import { addressOf, callProvider, isAnswer, mailbox, outcomeOf } from "./http";
import type { Feedback, Provider, SendOutcome } from "./provider";
import { notSigned, parseReport, reportText, timeOf } from "./report";
import { confirmSubscription, isFromSns, SnsMessage } from "./sns";

const Accepted = z.object({ MessageId: z.string().min(1) });

const PATH = "/v2/email/outbound-emails";

/** Errors that tell of the account or the sender, not of the message. */
const SENDERS_FAULT = [
  "AccountSuspendedException",
  "MailFromDomainNotVerifiedException",
  "SendingPausedException",
  "NotFoundException",
];

const QUOTA_MS = 15 * 60_000;

/**
 * Amazon SES, API version 2, signed with Signature Version 4. Sending:
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html. Reports come over an SNS topic from the
 * event publishing of a configuration set, which alone tells our tags back:
 * https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html.
 */
export const ses: Pick<Provider, "send" | "readFeedback"> = {
  async send(message, credentials, ctx) {
    const { accessKeyId, secretAccessKey, region, configurationSet } = PROVIDERS.ses.credentials.parse(credentials);
    const base = ctx.baseUrl ?? `https://email.${region}.amazonaws.com`;
    const text = (Data: string) => ({ Data, Charset: "UTF-8" });
    const body = JSON.stringify({
      FromEmailAddress: mailbox(message.from),
      Destination: { ToAddresses: [message.to] },
      ...(message.replyTo === null ? {} : { ReplyToAddresses: [message.replyTo] }),
      Content: {
        Simple: {
          Subject: text(message.subject ?? ""),
          Body: { Text: text(message.text), ...(message.html === null ? {} : { Html: text(message.html) }) },
          Headers: Object.entries(message.headers).map(([Name, Value]) => ({ Name, Value })),
        },
      },
      EmailTags: [{ Name: "delivery_id", Value: message.deliveryId }],
      ...(configurationSet === undefined ? {} : { ConfigurationSetName: configurationSet }),
    });
    const signed = await new AwsV4Signer({
      method: "POST",
      url: addressOf(base, PATH),
      headers: { "content-type": "application/json" },
      body,
      accessKeyId,
      secretAccessKey,
      region,
      service: "ses",
      datetime: new Date(ctx.now).toISOString().replaceAll(/[:-]|\.\d{3}/g, ""),
    }).sign();
    const answer = await callProvider(base, PATH, { headers: Object.fromEntries(signed.headers), body });
    if (!isAnswer(answer)) return answer;
    const accepted = Accepted.safeParse(answer.body);
    if (answer.status < 300 && accepted.success) return { kind: "accepted", providerId: accepted.data.MessageId };
    if (answer.status < 300) return { kind: "unknown", code: "no_id" };
    const code = answer.headers.get("x-amzn-errortype")?.split(":")[0] ?? null;
    const message400 = z.object({ message: z.string() }).safeParse(answer.body).data?.message ?? "";
    return byCode(code, message400) ?? outcomeOf(answer, code, ctx.now);
  },

  async readFeedback(request, credentials, ctx) {
    const { topicArn } = PROVIDERS.ses.credentials.parse(credentials);
    // Anybody may make a topic and have it signed by Amazon, so the topic has to be the sender's own.
    if (topicArn === undefined) throw notSigned("This sender has no topicArn");
    const message = parseReport(SnsMessage, await reportText(request));
    if (message.TopicArn !== topicArn || !(await isFromSns(message, ctx.now))) throw notSigned();
    if (message.Type === "SubscriptionConfirmation") await confirmSubscription(message);
    return message.Type === "Notification" ? feedbackOf(message, ctx.now) : [];
  },
};

function byCode(code: string | null, message: string): SendOutcome | null {
  if (code === null) return null;
  if (code === "LimitExceededException" || /daily message quota|maximum sending rate/i.test(message)) {
    return { kind: "retry", code, afterMs: QUOTA_MS };
  }
  if (code === "MessageRejected" && /not verified/i.test(message)) return { kind: "refused", code, permanent: false };
  return SENDERS_FAULT.includes(code) ? { kind: "refused", code, permanent: false } : null;
}

const Recipients = z.array(z.object({ emailAddress: z.string() })).optional();

const Event = z.object({
  eventType: z.string().optional(),
  /** Its name where no event publishing is set up. */
  notificationType: z.string().optional(),
  mail: z.object({
    messageId: z.string(),
    destination: z.array(z.string()).optional(),
    tags: z.record(z.string(), z.array(z.string())).optional(),
  }),
  bounce: z
    .object({
      bounceType: z.string(),
      bounceSubType: z.string().optional(),
      bouncedRecipients: Recipients,
      timestamp: z.string().optional(),
    })
    .optional(),
  complaint: z
    .object({
      complainedRecipients: Recipients,
      complaintSubType: z.string().nullish(),
      timestamp: z.string().optional(),
    })
    .optional(),
  delivery: z.object({ timestamp: z.string().optional() }).optional(),
  deliveryDelay: z.object({ timestamp: z.string().optional(), delayType: z.string().optional() }).optional(),
  open: z.object({ timestamp: z.string().optional() }).optional(),
  click: z.object({ timestamp: z.string().optional(), link: z.string().optional() }).optional(),
  reject: z.object({ reason: z.string().optional() }).optional(),
  subscription: z.object({ timestamp: z.string().optional() }).optional(),
});

type Event = z.infer<typeof Event>;

function feedbackOf(message: SnsMessage, now: number): Feedback[] {
  const event = parseReport(Event, message.Message);
  const { bounce, complaint, mail } = event;
  const deliveryId = mail.tags?.["delivery_id"]?.[0];
  const base = (timestamp: string | undefined, address = mail.destination?.[0]): Omit<Feedback, "type"> => ({
    eventId: message.MessageId,
    at: timeOf(timestamp ?? message.Timestamp, now),
    providerId: mail.messageId,
    ...(deliveryId ? { deliveryId } : {}),
    ...(address ? { address } : {}),
  });
  switch (event.eventType ?? event.notificationType) {
    case "Delivery":
      return [{ ...base(event.delivery?.timestamp), type: "delivered" }];
    case "Bounce":
      return bounce ? [bounced(base(bounce.timestamp, bounce.bouncedRecipients?.[0]?.emailAddress), bounce)] : [];
    case "Complaint": {
      const about = base(complaint?.timestamp, complaint?.complainedRecipients?.[0]?.emailAddress);
      // The account's suppression list stopped it; the complaint was an earlier one.
      if (complaint?.complaintSubType === "OnAccountSuppressionList") {
        return [{ ...about, type: "failed", suppress: "SPAM_COMPLAINT", code: complaint.complaintSubType }];
      }
      return [{ ...about, type: "complained" }];
    }
    case "DeliveryDelay":
      return [
        {
          ...base(event.deliveryDelay?.timestamp),
          type: "soft_bounced",
          code: event.deliveryDelay?.delayType ?? "DeliveryDelay",
        },
      ];
    case "Reject":
    case "Rendering Failure":
      return [{ ...base(undefined), type: "failed", code: event.eventType ?? "Reject" }];
    case "Open":
      return [{ ...base(event.open?.timestamp), type: "opened" }];
    case "Click":
      return [
        {
          ...base(event.click?.timestamp),
          type: "clicked",
          ...(event.click?.link ? { url: event.click.link } : {}),
        },
      ];
    case "Subscription":
      return [{ ...base(event.subscription?.timestamp), type: "unsubscribed" }];
    default:
      return [];
  }
}

function bounced(about: Omit<Feedback, "type">, { bounceType, bounceSubType }: NonNullable<Event["bounce"]>): Feedback {
  const code = [bounceType, bounceSubType].filter(Boolean).join("/");
  if (bounceType !== "Permanent") return { ...about, type: "soft_bounced", code };
  return { ...about, type: "bounced", suppress: "HARD_BOUNCE", code };
}
