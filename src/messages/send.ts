import { isProvider, loadProvider, type Provider, type SendOutcome } from "./providers";
import { pack, unpack } from "./body";
import { compose, type Composed } from "./compose";
import { nudgeReactions } from "./happened";
import { whyNot } from "./eligibility";
import { accepted, beginCall, end, lease, type Leased, putOff, takeTurn } from "./lease";
import { optInStatement } from "./opt-in";
import { afterCall, mayRepeat } from "./outcome";
import { nextMoment } from "./quiet";
import { readRecipients, type Recipient } from "./recipient";
import { type AppliedRules, applyRules } from "./rules";
import { rulesOf } from "./rules-of";
import { config } from "../config";
import { sql } from "../db/client";
import { open } from "../lib/crypto";
import { logFailure } from "../lib/log";
import { type OpenedSender, openSender, type Sender, senderFor } from "../senders";
import { findShop, type Shop } from "../shops";
import { addressHash, suppressStatements } from "../suppressions";

/** Messages at once: a Worker has six connections. */
const AT_ONCE = 6;

/**
 * Sends those of the deliveries that are due and that nobody else is sending. Everything that decides is read again
 * here. Repeatable: a kill between two steps leaves a lease that ends, and what was already given to a provider is
 * given again only under the same key and while the provider knows it.
 */
export async function sendDeliveries(env: Env, shopKey: number, keys: number[], now: () => number): Promise<void> {
  const shop = await findShop(env.DB, shopKey);
  if (!shop) return;
  for (let from = 0; from < keys.length; from += AT_ONCE) {
    // Leased just before they are sent, so that no lease ends while its delivery waits for others.
    const leased = await lease(env.DB, shopKey, keys.slice(from, from + AT_ONCE), now());
    if (leased.length === 0) continue;
    const recipients = await recipientsOf(env, shop, leased);
    await Promise.all(
      leased.map(async (d) => {
        try {
          await sendOne(env, shop, d, recipients(d), now);
        } catch (error) {
          // The lease ends, and then it is tried again.
          logFailure("messages", error, { delivery: d.id });
        }
      }),
    );
    const ids = leased.map(({ id }) => id);
    await nudgeReactions(env, shopKey, ids).catch((error: unknown) => logFailure("messages", error));
  }
}

async function recipientsOf(env: Env, shop: Shop, leased: Leased[]): Promise<(d: Leased) => Recipient | null> {
  const found = new Map<string, Map<number, Recipient>>();
  for (const [channel, of] of Map.groupBy(leased, (d) => d.channel)) {
    const contacts = of.flatMap(({ contact }) => (contact === null ? [] : [contact]));
    found.set(channel, await readRecipients(env, shop, channel, contacts));
  }
  return (d) => (d.contact === null ? null : (found.get(d.channel)?.get(d.contact) ?? null));
}

interface Ready {
  d: Leased;
  recipient: Recipient | null;
  address: string;
  rules: AppliedRules;
  sender: Sender;
}

async function sendOne(env: Env, shop: Shop, d: Leased, recipient: Recipient | null, now: () => number): Promise<void> {
  const ready = await prepare(env, shop, d, recipient, now());
  if (!("sender" in ready)) {
    await env.DB.batch(ready.statements);
    return;
  }
  const { sender } = ready;
  if (!isProvider(sender.provider)) {
    await end(env.DB, d, "failed", "no_sender").run();
    return;
  }
  const provider = await loadProvider(sender.provider);
  if (d.class === "marketing" && d.kind === "message" && !provider.marketing) {
    await end(env.DB, d, "failed", "provider:transactional_only").run();
    return;
  }
  if (d.calledAt !== null && !mayRepeat(provider.idempotencyMs, d.calledAt, now())) {
    await end(env.DB, d, "unknown", "unknown_outcome").run();
    return;
  }
  const message = await messageOf(env, shop, ready, now());
  if (message === null) return;
  const opened = await openSender(env, sender);
  const outcome = await call(env, provider, ready, opened, message, now());
  await record(env, shop, ready, provider, outcome, now());
}

/** Whether it may go out now, by whom: or the statements that say why not, or when. */
async function prepare(
  env: Env,
  shop: Shop,
  d: Leased,
  recipient: Recipient | null,
  now: number,
): Promise<Ready | { statements: D1PreparedStatement[] }> {
  const { DB } = env;
  const stop = (state: "skipped" | "failed", reason: string, ...more: D1PreparedStatement[]) =>
    // What a provider may have is not called skipped.
    ({ statements: [d.calledAt === null ? end(DB, d, state, reason) : end(DB, d, "unknown", reason), ...more] });
  if (shop.status === "uninstalled") return stop("skipped", "shop_uninstalled");
  const address =
    d.recipient === null ? (recipient?.address ?? null) : await open(config(env).sealingKeys, d.recipient);
  const { rules: given, hold } = await rulesOf(env, shop, d);
  if (hold === "stopped") return stop("skipped", "exited:stopped");
  if (hold === "paused") return { statements: [putOff(DB, d, now + HOLD_MS, "paused", { attempted: false })] };
  const rules = applyRules(shop, d, given);
  if (d.recipient === null) {
    const why = whyNot({
      kind: d.kind,
      class: d.class,
      contact: recipient && { address, evidence: recipient.evidence, consent: recipient.consent },
      suppressions: recipient?.suppressions ?? [],
      neverSubscribed: rules.neverSubscribed,
    });
    if (why !== null) {
      const asks = why === "claimed_address" && d.class === "marketing" && recipient?.consent?.state === "pending";
      return stop("skipped", why, ...(asks ? [optInStatement(DB, shop.key, recipient.key, d.channel, now)] : []));
    }
  }
  if (address === null) return stop("skipped", "no_address");
  if (d.run !== null && d.kind === "message") {
    const { exitReached } = await import("../automations");
    const exit = await exitReached(env, shop, d.run, now);
    if (exit !== null) return stop("skipped", `exited:${exit}`);
  }
  if (d.kind === "message" && d.calledAt === null && (rules.quiet || rules.weekdays)) {
    const at = nextMoment(now, recipient?.zone ?? shop.timezone, { quiet: rules.quiet, weekdays: rules.weekdays });
    if (at === null || (at > now && rules.mode === "skip")) return stop("skipped", "quiet_hours");
    if (at > now) return { statements: [putOff(DB, d, at, "quiet_hours", { attempted: false })] };
  }
  const sender = await senderFor(env, shop.key, d.channel, d.kind === "opt_in" ? "transactional" : d.class, d.sender);
  if (!sender) return stop("failed", "no_sender");
  return { d, recipient, address, rules, sender };
}

/** How long a delivery of a paused automation or campaign waits before it is looked at again. */
const HOLD_MS = 10 * 60_000;

interface Outgoing extends Pick<Composed, "subject" | "html" | "text" | "headers" | "template"> {
  repliedAt: number | null;
}

/** The message as it goes to the provider: what was written down before, or rendered now and written down. Null where it ends here. */
async function messageOf(env: Env, shop: Shop, ready: Ready, now: number): Promise<Outgoing | null> {
  const { DB } = env;
  const { d, recipient, rules, sender, address } = ready;
  const repliedAt = recipient?.repliedAt ?? null;
  const kept = await sql(
    DB,
    "select subject, html, text, headers, template from delivery_bodies where delivery = ?",
    d.key,
  ).first<{
    subject: string | null;
    html: string | null;
    text: string;
    headers: string;
    template: string | null;
  }>();
  const composing = kept ? null : await compose(env, shop, d, { recipient, sender, rules }, now);
  if (composing && !composing.ok) {
    await end(DB, d, "failed", composing.reason).run();
    return null;
  }
  if (d.calledAt === null && !(await takeTurn(DB, shop.key, sender, now))) {
    const nextMinute = (Math.floor(now / 60_000) + 1) * 60_000;
    await putOff(DB, d, nextMinute, "throttled", { attempted: false }).run();
    return null;
  }
  const message = composing?.message;
  const begun = await beginCall(
    DB,
    shop.key,
    d,
    {
      sender: sender.key,
      provider: sender.provider,
      addressHash: await addressHash(env, shop.key, address),
      segments: message?.segments ?? null,
      subject: message?.subject ?? null,
      html: message?.html == null ? null : await pack(message.html),
      text: message ? await pack(message.text) : "",
      links: JSON.stringify(message?.links ?? []),
      headers: JSON.stringify(message?.headers ?? {}),
      template: message?.template ? JSON.stringify(message.template) : null,
      caps: rules.caps,
    },
    now,
  );
  if (!begun) {
    await end(DB, d, "skipped", d.kind === "opt_in" ? "opt_in_limit" : "frequency_cap").run();
    return null;
  }
  if (message) return { ...message, repliedAt };
  if (!kept) throw new Error("a message without a text");
  return {
    subject: kept.subject,
    html: kept.html === null ? null : await unpack(kept.html),
    text: await unpack(kept.text),
    headers: JSON.parse(kept.headers),
    template: kept.template === null ? null : JSON.parse(kept.template),
    repliedAt,
  };
}

async function call(
  env: Env,
  provider: Provider,
  { d, address, sender }: Ready,
  opened: OpenedSender,
  message: Outgoing,
  now: number,
): Promise<SendOutcome> {
  try {
    return await provider.send(
      {
        deliveryId: d.id,
        channel: d.channel,
        class: d.kind === "opt_in" ? "transactional" : d.class,
        from: sender.from,
        replyTo: sender.replyTo,
        to: address,
        ...message,
      },
      opened.credentials,
      { env, now, baseUrl: sender.baseUrl, feedbackUrl: opened.feedbackUrl },
    );
  } catch (error) {
    // A provider's code answers with an outcome; what it throws says nothing about whether the message left.
    logFailure("messages", error, { delivery: d.id, provider: provider.name });
    return { kind: "unknown", code: "threw" };
  }
}

async function record(
  env: Env,
  shop: Shop,
  { d, address }: Ready,
  provider: Provider,
  outcome: SendOutcome,
  now: number,
): Promise<void> {
  const { DB } = env;
  const calledAt = d.calledAt ?? now;
  const told = {
    idempotencyMs: provider.idempotencyMs,
    calledAt,
    mayHaveIt: d.calledAt !== null,
    attempts: d.attempts,
  };
  const next = afterCall(outcome, told, now, Math.random());
  const suppress = outcome.kind === "refused" ? outcome.suppress : undefined;
  const statements = suppress
    ? await suppressStatements(env, shop.key, [
        { channel: d.channel, address, reason: suppress, source: "provider", at: now },
      ])
    : [];
  if (next.kind === "sent") statements.push(...accepted(DB, shop.key, d, next.providerId, now));
  else if (next.kind === "again") {
    statements.push(putOff(DB, d, next.dueAt, next.reason, { attempted: true, called: next.called }));
  } else statements.push(end(DB, d, next.kind, next.reason));
  await DB.batch(statements);
}
