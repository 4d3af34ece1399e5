import type { z } from "zod";

import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { AppError } from "../errors";
import { normaliseEmail, normalisePhone } from "../identity/normalise";
import { newId } from "../lib/ids";
import { loadProvider } from "../messages/providers";
import type { SenderTestedSchema } from "./schemas";
import { asSender, openSender, type SenderRow } from "./sender";
import { providerOf } from "./write";

/**
 * Hands a message of our own words to the provider now and tells what came back: whether a sender works is known before
 * anybody waits for it. Throws 400 for an address that the channel cannot reach.
 */
export async function testSender(ctx: Ctx, row: SenderRow, to: string): Promise<z.infer<typeof SenderTestedSchema>> {
  const address = row.channel === "email" ? normaliseEmail(to) : normalisePhone(to);
  if (address === null) {
    const detail = row.channel === "email" ? "is not an e-mail address" : "is not a number in E.164";
    throw new AppError("validation_failed", undefined, { errors: [{ pointer: "/to", detail }] });
  }
  const id = newId("dlv", ctx.now);
  const sender = asSender(row);
  const provider = await loadProvider(providerOf(row));
  const { credentials, feedbackUrl } = await openSender(ctx.env, sender);
  const text = `This is a test of the sender ${row.name} of ${ctx.shop.name}. It works.`;
  const outcome = await provider.send(
    {
      deliveryId: id,
      channel: row.channel,
      class: "transactional",
      from: sender.from,
      replyTo: sender.replyTo,
      to: address,
      subject: row.channel === "email" ? `Test of ${row.name}` : null,
      html: null,
      text,
      headers: {},
      template: null,
      repliedAt: null,
    },
    credentials,
    { env: ctx.env, now: ctx.now, baseUrl: row.baseUrl, feedbackUrl },
  );
  await audit(ctx, "sender.tested", row.id).run();
  return {
    id,
    outcome: outcome.kind,
    providerId: outcome.kind === "accepted" ? outcome.providerId : null,
    code: outcome.kind === "accepted" ? null : outcome.code,
    permanent: outcome.kind === "refused" ? outcome.permanent : null,
  };
}
