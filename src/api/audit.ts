import { actorName, type Ctx } from "../context";
import { sql } from "../db/client";
import { newId } from "../lib/ids";

/**
 * The row of the audit log for a change; it goes into the batch of that change. Only field names are kept, so that
 * the log holds nothing personal.
 *
 * @param action `contact.updated`, `api_key.revoked`, ...
 * @param subject public id of what was changed
 */
export function audit(ctx: Ctx, action: string, subject: string, fields: string[] = []): D1PreparedStatement {
  return sql(
    ctx.db,
    `insert into audit_log (id, shop, actor, action, subject, fields, request_id, at) values (?, ?, ?, ?, ?, ?, ?, ?)`,
    newId("aud", ctx.now),
    ctx.shop.key,
    actorName(ctx.actor),
    action,
    subject,
    JSON.stringify(fields),
    ctx.requestId,
    ctx.now,
  );
}
