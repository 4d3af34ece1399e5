import type { Feedback } from "./providers";
import { applyInbound } from "./inbound";
import { toldStatements } from "./consent";
import { happened, nudgeReactions, type Subject } from "./happened";
import { sql } from "../db/client";
import { armClock } from "../jobs";
import type { Shop } from "../shops";
import { suppressHash, suppressStatements } from "../suppressions";

interface Found extends Subject {
  providerId: string | null;
  state: string;
  hash: string | null;
}

/**
 * What a provider reports, its signature checked before: openings, bounces, complaints and the like for the deliveries
 * that they are about, with what they mean for consent and suppression. A report about a delivery whose outcome was
 * unknown settles that. Repeatable: every report is written down once.
 *
 * @param channel of the sender that the provider reports for
 */
export async function applyFeedback(
  env: Env,
  shop: Shop,
  feedback: readonly Feedback[],
  now: number,
  channel: "email" | "sms" | "whatsapp" = "email",
): Promise<void> {
  if (feedback.length === 0) return;
  await armClock(env, shop.key, now);
  const found = await findDeliveries(env.DB, shop.key, feedback);
  const statements: D1PreparedStatement[] = [];
  const told: string[] = [];
  for (const report of feedback) {
    if (report.type === "replied") {
      await applyInbound(
        env,
        shop,
        {
          channel: channel === "email" ? "sms" : channel,
          from: report.address ?? "",
          text: report.text ?? "",
          at: report.at,
          id: report.eventId ?? report.providerId ?? `${report.address ?? ""}:${report.at}`,
        },
        now,
      );
      continue;
    }
    const d = found(report);
    if (d) told.push(d.id);
    statements.push(...(await reportStatements(env, shop.key, report, d, channel, now)));
  }
  if (statements.length === 0) return;
  await env.DB.batch(statements);
  await nudgeReactions(env, shop.key, told);
}

async function findDeliveries(
  db: D1Database,
  shop: number,
  feedback: readonly Feedback[],
): Promise<(report: Feedback) => Found | null> {
  const columns = "d.key, d.id, d.contact, d.channel, d.provider_id as providerId, d.state, d.address_hash as hash";
  const named = (name: "deliveryId" | "providerId") =>
    JSON.stringify([...new Set(feedback.flatMap((report) => report[name] ?? []))]);
  const [byId, byProvider] = await db.batch<Found>([
    sql(
      db,
      `select ${columns} from json_each(?2) j cross join deliveries d on d.id = j.value where d.shop = ?1`,
      shop,
      named("deliveryId"),
    ),
    sql(
      db,
      `select ${columns} from json_each(?2) j cross join deliveries d indexed by deliveries_provider
         on d.shop = ?1 and d.provider_id = j.value`,
      shop,
      named("providerId"),
    ),
  ]);
  const ids = new Map((byId?.results ?? []).map((row) => [row.id, row]));
  const providers = new Map((byProvider?.results ?? []).map((row) => [row.providerId, row]));
  return ({ deliveryId, providerId }) => ids.get(deliveryId ?? "") ?? providers.get(providerId ?? "") ?? null;
}

async function reportStatements(
  env: Env,
  shop: number,
  report: Feedback,
  d: Found | null,
  senderChannel: "email" | "sms" | "whatsapp",
  now: number,
): Promise<D1PreparedStatement[]> {
  const { DB } = env;
  const channel = d?.channel ?? senderChannel;
  const at = Math.min(report.at, now);
  const statements: D1PreparedStatement[] = [];
  if (d) {
    const machine = report.machine ?? false;
    const naturalKey = report.eventId ?? `${report.type}:${report.at}`;
    const link = report.url === undefined ? undefined : { index: null, url: report.url };
    statements.push(
      ...happened(DB, shop, d, { type: report.type, naturalKey, at, machine, ...(link ? { link } : {}) }, now),
      ...settle(DB, shop, d, report, at),
    );
  }
  // Who it is about: by the delivery, else by the address that the report names.
  const suppress = report.suppress ?? (report.type === "complained" ? "SPAM_COMPLAINT" : undefined);
  if (report.type === "unsubscribed") {
    const told = { channel, state: "unsubscribed" as const, level: null, source: "feedback", at };
    statements.push(...toldStatements(DB, shop, { contact: d?.contact ?? null, hash: d?.hash ?? null }, told, now));
    if (!d?.hash && report.address) {
      statements.push(
        ...(await suppressStatements(env, shop, [
          { channel, address: report.address.toLowerCase(), reason: "UNSUBSCRIBE", source: "feedback", at },
        ])),
      );
    }
  } else if (suppress) {
    if (report.address) {
      const address = report.address.toLowerCase();
      statements.push(
        ...(await suppressStatements(env, shop, [{ channel, address, reason: suppress, source: "feedback", at }])),
      );
    } else if (d?.hash) {
      statements.push(suppressHash(DB, shop, { channel, hash: d.hash, reason: suppress, source: "feedback", at }));
    }
    // A complaint is a person's word against marketing, and a provider's opt-out is theirs too.
    if (d && d.contact !== null && (suppress === "SPAM_COMPLAINT" || suppress === "UNSUBSCRIBE")) {
      const told = { channel, state: "unsubscribed" as const, level: null, source: "feedback", at };
      statements.push(...toldStatements(DB, shop, { contact: d.contact, hash: null }, told, now));
    }
  }
  return statements;
}

/** What nobody knew is known now: it was sent, or it was not. */
function settle(db: D1Database, shop: number, d: Found, report: Feedback, at: number): D1PreparedStatement[] {
  const failed = report.type === "failed";
  return [
    sql(
      db,
      `update deliveries set state = ?3, reason = ?4, lease_until = null, recipient = null,
         sent_at = iif(?3 = 'sent', coalesce(sent_at, ?5), sent_at), provider_id = coalesce(provider_id, ?6)
       where key = ?1 and shop = ?2 and (state = 'unknown' or (state in ('queued', 'sending') and called_at is not null)
         or (?3 = 'failed' and state = 'sent'))`,
      d.key,
      shop,
      failed ? "failed" : "sent",
      failed ? `provider:${report.code ?? "failed"}` : null,
      at,
      report.providerId ?? null,
    ),
  ];
}
