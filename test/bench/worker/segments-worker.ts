/** Compiles segments for the bench, and evaluates one subject against many, where the product does: in the Worker. */
import { compile, parseDefinition } from "../../../src/segments";
import type { AskedSegment, SegmentOrder } from "./segment-order";

export * from "../../../src/index";

const SHOP = { key: 1, currency: "EUR", timezone: "Europe/Berlin" };

const parse = ({ audience, definition }: AskedSegment) =>
  parseDefinition(definition, {
    audience,
    stores: [],
    customFields: [
      { name: "plan", label: "Plan", type: "text", options: [] },
      { name: "birthday", label: "Birthday", type: "date", options: [] },
    ],
  });

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const order: SegmentOrder = await request.json();
    if (order.do === "compile") {
      return Response.json(compile(parse(order.asked), SHOP, order.now, { ask: "count" }));
    }
    const definitions = order.asked.map(parse);
    let members = 0;
    for (const key of order.contacts) {
      const statements = definitions.map((definition) => {
        const question = { ask: "subject", subject: { kind: "contact", key } } as const;
        const { sql, values } = compile(definition, SHOP, order.now, question);
        return env.DB.prepare(sql).bind(...values);
      });
      for (const { results } of await env.DB.batch<{ member: number }>(statements)) members += results[0]?.member ?? 0;
    }
    return Response.json({ members });
  },
} satisfies ExportedHandler<Env>;
