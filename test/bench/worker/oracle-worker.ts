/** Deals the whole pile of questions once and compares what the product's queries and the oracle answer. */
import { check } from "../../segments/oracle/check";

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { seed, shop }: { seed: number; shop: number } = await request.json();
    return Response.json(await check(env, seed, null, shop));
  },
} satisfies ExportedHandler<Env>;
