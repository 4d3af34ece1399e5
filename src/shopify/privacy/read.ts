import { and, desc, eq, lt } from "drizzle-orm";
import { z } from "zod";

import { keyFrom, type Page, pageOf } from "../../api/page";
import { orm } from "../../db/client";
import { iso } from "../../lib/time";
import { privacyRequests } from "../tables";
import { DATA_LIFE_MS } from "./expire";
import type { PrivacyRequestEntry } from "./schemas";

const Receipt = z.record(z.string(), z.union([z.string(), z.int()]));

type Row = typeof privacyRequests.$inferSelect;

/**
 * Requests of the privacy law, newest first.
 *
 * @param shop key of the shop; null for all shops (the operator's receipts of shops that are gone)
 */
export async function listRequests(
  db: D1Database,
  shop: number | null,
  filter: { kind?: Row["kind"] | undefined; state?: Row["state"] | undefined },
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  now: number,
): Promise<Page<PrivacyRequestEntry>> {
  const before = keyFrom("privacy-requests", cursor);
  const rows = await orm(db)
    .select()
    .from(privacyRequests)
    .where(
      and(
        shop === null ? undefined : eq(privacyRequests.shop, shop),
        filter.kind && eq(privacyRequests.kind, filter.kind),
        filter.state && eq(privacyRequests.state, filter.state),
        before === null ? undefined : lt(privacyRequests.key, before),
      ),
    )
    .orderBy(desc(privacyRequests.key))
    .limit(limit + 1);
  return pageOf(
    "privacy-requests",
    rows,
    limit,
    (row) => [row.key],
    (row) => show(row, now),
  );
}

/** The request of this id and whose it is, or null. The caller checks the shop. */
export async function findRequest(
  db: D1Database,
  id: string,
  now: number,
): Promise<{ shop: number; entry: PrivacyRequestEntry } | null> {
  const row = await orm(db).select().from(privacyRequests).where(eq(privacyRequests.id, id)).get();
  return row ? { shop: row.shop, entry: show(row, now) } : null;
}

function show(row: Row, now: number): PrivacyRequestEntry {
  const { shopId, ...counts } = Receipt.parse(JSON.parse(row.receipt));
  const dataUntil = row.kind === "data_request" && row.doneAt !== null ? row.doneAt + DATA_LIFE_MS : null;
  return {
    id: row.id,
    shopId: String(shopId),
    kind: row.kind,
    state: row.state,
    heldUntil: iso(row.heldUntil),
    webhookId: row.webhookId,
    receivedAt: iso(row.receivedAt),
    dueAt: iso(row.dueAt),
    doneAt: iso(row.doneAt),
    overdue: row.state !== "done" && row.state !== "dismissed" && now > row.dueAt,
    receipt: Object.entries(counts).flatMap(([what, count]) => (typeof count === "number" ? [{ what, count }] : [])),
    dataUntil: iso(dataUntil !== null && dataUntil > now ? dataUntil : null),
  };
}
