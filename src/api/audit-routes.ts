import { createRoute, z } from "@hono/zod-openapi";
import { and, desc, eq, lt } from "drizzle-orm";

import { orm } from "../db/client";
import { iso } from "../lib/time";
import { keyFrom, pageOf } from "./page";
import { ctxFrom, json, listOf, readProblems, router } from "./route";
import { PageQuery, TimeSchema } from "./schemas";
import { auditLog } from "./tables";

const AuditEntry = z
  .strictObject({
    id: z.string(),
    actor: z.string().openapi({ description: "`operator`, or the id of an API key" }),
    action: z.string().openapi({ example: "contact.updated" }),
    subjectId: z.string(),
    fields: z.array(z.string()).openapi({ description: "Names of the changed fields, never their values" }),
    requestId: z.string(),
    at: TimeSchema,
  })
  .openapi("AuditEntry");

const Fields = z.array(z.string());

export const auditRoutes = router().openapi(
  createRoute({
    method: "get",
    path: "/v1/audit-log",
    tags: ["Audit log"],
    summary: "Who changed what, newest first",
    request: { query: PageQuery.extend({ subjectId: z.string().max(300).optional() }) },
    responses: { 200: json(listOf(AuditEntry), "A page of entries"), ...readProblems },
  }),
  async (c) => {
    const { limit, cursor, subjectId } = c.req.valid("query");
    const { shop } = await ctxFrom(c);
    const before = keyFrom("audit-log", cursor);
    const rows = await orm(c.env.DB)
      .select()
      .from(auditLog)
      .where(
        and(
          eq(auditLog.shop, shop.key),
          subjectId === undefined ? undefined : eq(auditLog.subject, subjectId),
          before === null ? undefined : lt(auditLog.key, before),
        ),
      )
      .orderBy(desc(auditLog.key))
      .limit(limit + 1);
    return c.json(
      pageOf(
        "audit-log",
        rows,
        limit,
        (row) => [row.key],
        (row) => ({
          id: row.id,
          actor: row.actor,
          action: row.action,
          subjectId: row.subject,
          fields: Fields.parse(JSON.parse(row.fields)),
          requestId: row.requestId,
          at: iso(row.at),
        }),
      ),
      200,
    );
  },
);
