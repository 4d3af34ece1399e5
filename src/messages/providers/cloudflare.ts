import { z } from "zod";

import { AppError } from "../../errors";
import { PROVIDERS } from "./catalogue";
import { callProvider, isAnswer, outcomeOf } from "./http";
import type { Provider } from "./provider";

const Answered = z.object({
  success: z.boolean(),
  errors: z.array(z.object({ code: z.union([z.int(), z.string()]) })).default([]),
  result: z
    .object({
      delivered: z.array(z.string()).default([]),
      queued: z.array(z.string()).default([]),
      permanent_bounces: z.array(z.string()).default([]),
      suppressed_recipients: z.array(z.string()).default([]),
      message_id: z.string().optional(),
    })
    .nullish(),
});

/**
 * Cloudflare Email Service, over its REST API, so that each shop has an account of its own instead of the
 * installation's binding: https://developers.cloudflare.com/email-service/api/send-emails/rest-api/. It is for
 * transactional mail alone, and tells of bounces only to queues of its account.
 */
export const cloudflare: Pick<Provider, "send" | "readFeedback"> = {
  async send(message, credentials, ctx) {
    if (message.class === "marketing") return { kind: "refused", code: "transactional_only", permanent: true };
    const { accountId, apiToken } = PROVIDERS.cloudflare.credentials.parse(credentials);
    const { address, name } = message.from;
    const path = `/client/v4/accounts/${accountId}/email/sending/send`;
    const answer = await callProvider(ctx.baseUrl ?? PROVIDERS.cloudflare.baseUrl, path, {
      headers: { authorization: `Bearer ${apiToken}`, "content-type": "application/json" },
      body: JSON.stringify({
        from: name === null ? address : { address, name },
        to: message.to,
        subject: message.subject ?? "",
        ...(message.html === null ? {} : { html: message.html }),
        text: message.text,
        ...(message.replyTo === null ? {} : { reply_to: message.replyTo }),
        headers: { ...message.headers, "X-Footfall-Delivery": message.deliveryId },
      }),
    });
    if (!isAnswer(answer)) return answer;
    const said = Answered.safeParse(answer.body).data;
    if (answer.status >= 300 || !said?.success) {
      const code = said?.errors[0]?.code;
      return outcomeOf(answer, code === undefined ? null : String(code), ctx.now);
    }
    const { delivered, queued, permanent_bounces, suppressed_recipients, message_id } = said.result ?? {};
    if (suppressed_recipients?.length) {
      return { kind: "refused", code: "suppressed", permanent: true, suppress: "PROVIDER" };
    }
    if (permanent_bounces?.length) {
      return { kind: "refused", code: "permanent_bounce", permanent: true, suppress: "HARD_BOUNCE" };
    }
    if (!delivered?.length && !queued?.length) return { kind: "unknown", code: "no_recipient" };
    return { kind: "accepted", providerId: message_id ?? message.deliveryId };
  },

  readFeedback() {
    return Promise.reject(new AppError("not_found", "Cloudflare reports to queues of its account, not here"));
  },
};
