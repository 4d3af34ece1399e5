import { createRoute } from "@hono/zod-openapi";

import { ctxForRecord, ctxFrom, json, listOf, readProblems, router, writeProblems } from "../api/route";
import { IdParam, PageQuery, ShopQuery } from "../api/schemas";
import { audit } from "../api/audit";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { armClock } from "./arm";
import { replayDeadLetter } from "./reactions";
import { findJob, listDeadLetters, listJobs } from "./read";
import { DeadLetterSchema, JobSchema } from "./schemas";

export const jobRoutes = router()
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/jobs",
      tags: ["Jobs"],
      summary: "Long work, newest first",
      request: { query: PageQuery },
      responses: { 200: json(listOf(JobSchema), "A page of jobs"), ...readProblems },
    }),
    async (c) => c.json(await listJobs(await ctxFrom(c), c.req.valid("query")), 200),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/jobs/{id}",
      tags: ["Jobs"],
      summary: "A job and how far it is",
      request: { params: IdParam, query: ShopQuery },
      responses: { 200: json(JobSchema, "The job"), ...readProblems },
    }),
    async (c) => {
      const found = await findJob(c.env.DB, c.req.valid("param").id);
      await ctxForRecord(c, found?.shop);
      if (!found) throw new AppError("not_found");
      return c.json(found.job, 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/v1/dead-letters",
      tags: ["Jobs"],
      summary: "Domain events whose reactions failed for good, newest first",
      request: { query: PageQuery },
      responses: { 200: json(listOf(DeadLetterSchema), "A page of dead letters"), ...readProblems },
    }),
    async (c) => c.json(await listDeadLetters(await ctxFrom(c), c.req.valid("query")), 200),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/v1/dead-letters/{id}/replay",
      tags: ["Jobs"],
      summary: "Try a dead letter again",
      request: { params: IdParam, query: ShopQuery },
      responses: { 202: { description: "It waits for its turn" }, ...writeProblems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const row = await sql(c.env.DB, "select shop from dead_letters where id = ?", id).first<{ shop: number }>();
      const ctx = await ctxForRecord(c, row?.shop);
      await armClock(ctx.env, ctx.shop.key, ctx.now);
      if (!(await replayDeadLetter(ctx.db, ctx.shop.key, id, ctx.now))) throw new AppError("not_found");
      await audit(ctx, "dead_letter.replayed", id).run();
      return c.body(null, 202);
    },
  );
