import { and, desc, eq, isNotNull, isNull, lt } from "drizzle-orm";

import { keyFrom, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { orm } from "../db/client";
import { iso } from "../lib/time";
import { type Alert, type AlertKind, AlertSchema } from "./schemas";
import { alerts } from "./tables";

interface AlertQuery {
  state?: Alert["state"] | undefined;
  kind?: AlertKind | undefined;
  limit: number;
  cursor?: string | undefined;
}

/** The shop's alerts, newest first. */
export async function listAlerts(ctx: Ctx, { state, kind, limit, cursor }: AlertQuery): Promise<Page<Alert>> {
  const before = keyFrom("alerts", cursor);
  const rows = await orm(ctx.db)
    .select()
    .from(alerts)
    .where(
      and(
        eq(alerts.shop, ctx.shop.key),
        state === undefined ? undefined : state === "open" ? isNull(alerts.closedAt) : isNotNull(alerts.closedAt),
        kind === undefined ? undefined : eq(alerts.kind, kind),
        before === null ? undefined : lt(alerts.key, before),
      ),
    )
    .orderBy(desc(alerts.key))
    .limit(limit + 1);
  return pageOf(
    "alerts",
    rows,
    limit,
    (row) => [row.key],
    (row) => ({
      id: row.id,
      shopId: ctx.shop.id,
      kind: row.kind,
      subject: row.subject,
      state: row.closedAt === null ? "open" : "closed",
      data: AlertSchema.shape.data.parse(JSON.parse(row.data)),
      openedAt: iso(row.openedAt),
      closedAt: iso(row.closedAt),
    }),
  );
}
