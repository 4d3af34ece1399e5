import { config } from "../../config";
import { sql } from "../../db/client";
import { openAlert } from "../../health";
import { newId } from "../../lib/ids";
import { seal } from "../../lib/crypto";
import type { Applied, ApplyContext } from "../apply";
import type { PrivacyRequest } from "../map/privacy";
import { isRefused } from "../uninstall";

/** The law gives a month. */
const DUE_MS = 30 * 86_400_000;

/** Kinds of jobs that carry requests out, by the request's kind. */
export const JOB_KINDS = {
  data_request: "privacy.data_request",
  customer_redact: "privacy.customer_redact",
  shop_redact: "privacy.shop_redact",
} as const;

/**
 * Takes a request on: its receipt, and the job that carries it out with whom it is about, sealed. The delivery's own
 * body goes at once, since it names the person. The same delivery is taken on once, and so is the same event.
 *
 * A redaction that was carried out before, word by word, and would now take somebody who came since, is held: the
 * signature covers the body alone, so an old one may be sent again.
 *
 * A `shop/redact` from before the present installation is stale, and so is one about a store whose token still works:
 * topic and time are not covered by the signature.
 */
export async function acceptRequest(context: ApplyContext, request: PrivacyRequest): Promise<Applied> {
  const { env, db, shop, triggeredAt, now, delivery } = context;
  const stale: Applied = { outcome: "stale", statements: [] };
  if (!delivery) return stale;
  if (request.kind === "shop_redact") {
    if (triggeredAt < shop.installedAt) return stale;
    if (shop.status === "active" && shop.connected && !(await isRefused(env, shop))) return stale;
  }
  // So short a body could be guessed from its hash.
  const clear = sql(
    db,
    "update webhook_inbox set body = null, body_hash = 'cleared:' || webhook_id where key = ? and shop = ?",
    delivery.key,
    shop.key,
  );
  // Looking people up brings along what no other webhook needs.
  const { cameSince, digestOf, heldUntil } = await import("./held");
  const digest = await digestOf(env, shop.key, request);
  const earlier = await askedBefore(db, shop.key, request.kind, digest);
  if (earlier.some(({ eventId }) => eventId !== null && eventId === delivery.eventId)) {
    return { outcome: "stale", statements: [clear] };
  }
  const [first] = earlier;
  const isHeld =
    request.kind === "customer_redact" &&
    first !== undefined &&
    (await cameSince(db, shop.key, request, first.receivedAt));
  const id = newId("prv", now);
  const dueAt = delivery.receivedAt + DUE_MS;
  return {
    outcome: "handled",
    statements: [
      sql(
        db,
        `insert into privacy_requests (id, shop, kind, webhook_id, event_id, digest, state, held_until, receipt,
           received_at, due_at)
         values (?, ?, ?, ?, ?, ?, ?, ?, json_object('shopId', ?), ?, ?) on conflict do nothing`,
        id,
        shop.key,
        request.kind,
        delivery.webhookId,
        delivery.eventId,
        digest,
        isHeld ? "held" : "running",
        isHeld ? heldUntil(dueAt) : null,
        shop.id,
        delivery.receivedAt,
        dueAt,
      ),
      sql(
        db,
        `insert into jobs (id, shop, kind, state, input, created_at, updated_at)
         select ?1, ?2, ?3, ?7, ?4, ?5, ?5 where exists (select 1 from privacy_requests where id = ?6)`,
        jobOf(id),
        shop.key,
        JOB_KINDS[request.kind],
        JSON.stringify({ asked: await seal(config(env).sealingKeys, JSON.stringify(request)) }),
        now,
        id,
        isHeld ? "queued" : "running",
      ),
      ...(isHeld ? openAlert(db, { shop: shop.key, kind: "privacy_request_held", subject: id }, now) : []),
      clear,
    ],
  };
}

/** Requests that asked for the same, the oldest first. */
async function askedBefore(db: D1Database, shop: number, kind: PrivacyRequest["kind"], digest: string) {
  const { results } = await sql(
    db,
    `select event_id as "eventId", received_at as "receivedAt" from privacy_requests
     where shop = ? and kind = ? and digest = ? order by key`,
    shop,
    kind,
    digest,
  ).all<{ eventId: string | null; receivedAt: number }>();
  return results;
}

/** The job of a request, by its id. */
export function jobOf(request: string): string {
  return request.replace(/^prv_/, "job_");
}
