import { createRoute } from "@hono/zod-openapi";

import { body, ctxFrom, json, router, writeProblems } from "../api/route";
import { ingestEvents } from "./ingest";
import { NewEvents, TakenEventsSchema } from "./schemas";

export const eventRoutes = router().openapi(
  createRoute({
    method: "post",
    path: "/v1/events",
    tags: ["Events"],
    summary: "Tell events from a server",
    description:
      "The same types and checks as the tracker's, for any platform. Each event names a browser (`visitorId`) or a " +
      "person (`contactId`, `email` or `phone`; made with source `API` when new). Either all are taken or, when one " +
      "is wrong, none: `errors[].pointer` names it.",
    request: { body: body(NewEvents) },
    responses: { 202: json(TakenEventsSchema, "Durably taken"), ...writeProblems },
  }),
  async (c) => {
    const { shop, events } = c.req.valid("json");
    return c.json(await ingestEvents(await ctxFrom(c, shop), events), 202);
  },
);
