import { AppError } from "../errors";
import { findShop } from "../shops";
import { isProvider, loadProvider } from "../messages/providers";
import { asSender, findSender, openSender } from "./sender";

/** Twilio takes an answer for orders of what to send back; this one holds none. */
const TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>';

/**
 * `POST /feedback/{provider}/{senderId}`: what a provider reports, checked by its own kind of signature and then applied.
 * Answered once that is committed, so that a failure has the provider tell it again.
 */
export async function receiveFeedback(
  request: Request,
  env: Env,
  { provider: name, sender: id, now }: { provider: string; sender: string; now: number },
): Promise<Response> {
  const row = isProvider(name) ? await findSender(env.DB, id) : undefined;
  if (!row || !isProvider(name) || row.provider !== name) throw new AppError("not_found");
  const [provider, { credentials, feedbackUrl }] = await Promise.all([
    loadProvider(name),
    openSender(env, asSender(row)),
  ]);
  const told = await provider.readFeedback(request, credentials, { env, now, baseUrl: row.baseUrl, feedbackUrl });
  const shop = told.length > 0 ? await findShop(env.DB, row.shop) : null;
  if (shop) {
    const { applyFeedback } = await import("../messages");
    await applyFeedback(env, shop, told, now, row.channel);
  }
  if (name !== "twilio") return new Response(null, { status: 200 });
  return new Response(TWIML, { headers: { "content-type": "text/xml" } });
}
