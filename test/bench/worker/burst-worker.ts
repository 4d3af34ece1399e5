/** The product's Worker whose D1 statements count; `GET /v1/bench-counts` takes the counts so far. */
import product from "../../../src/index";
import { newCounts } from "./counts";
import { countingDatabase } from "./counting-database";

export * from "../../../src/index";

let counts = newCounts();
const wrapped = new WeakMap<Env, Env>();

function counting(env: Env): Env {
  const known = wrapped.get(env);
  if (known) return known;
  const made: Env = { ...env, DB: countingDatabase(env.DB, () => counts, false) };
  wrapped.set(env, made);
  return made;
}

export default {
  fetch(request, env, ctx) {
    if (new URL(request.url).pathname !== "/v1/bench-counts") return product.fetch(request, counting(env), ctx);
    const taken = counts;
    counts = newCounts();
    return Response.json(taken);
  },
  queue: (batch, env) => product.queue(batch, counting(env)),
  scheduled: (controller, env) => product.scheduled(controller, counting(env)),
} satisfies ExportedHandler<Env>;
