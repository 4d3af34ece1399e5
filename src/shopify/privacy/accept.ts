import { config } from "../../config";
import { sql } from "../../db/client";
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
 * body goes at once, since it names the person. The same delivery is taken on once.
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
  const id = newId("prv", now);
  return {
    outcome: "handled",
    statements: [
      sql(
        db,
        `insert into privacy_requests (id, shop, kind, webhook_id, state, receipt, received_at, due_at)
         values (?, ?, ?, ?, 'running', json_object('shopId', ?), ?, ?) on conflict do nothing`,
        id,
        shop.key,
        request.kind,
        delivery.webhookId,
        shop.id,
        delivery.receivedAt,
        delivery.receivedAt + DUE_MS,
      ),
      sql(
        db,
        `insert into jobs (id, shop, kind, state, input, created_at, updated_at)
         select ?1, ?2, ?3, 'running', ?4, ?5, ?5 where exists (select 1 from privacy_requests where id = ?6)`,
        jobOf(id),
        shop.key,
        JOB_KINDS[request.kind],
        JSON.stringify({ asked: await seal(config(env).sealingKeys, JSON.stringify(request)) }),
        now,
        id,
      ),
      // So short a body could be guessed from its hash.
      sql(
        db,
        "update webhook_inbox set body = null, body_hash = 'cleared:' || webhook_id where key = ? and shop = ?",
        delivery.key,
        shop.key,
      ),
    ],
  };
}

/** The job of a request, by its id. */
export function jobOf(request: string): string {
  return request.replace(/^prv_/, "job_");
}
