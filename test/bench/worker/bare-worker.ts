/**
 * What the product is measured against: the same configuration and runtime, and nothing but the one durable write.
 * `POST /ff?o=` writes the body as a row of the Durable Object that `o` names; `POST /webhooks/shopify` inserts it as a
 * row of D1.
 */
import { DurableObject } from "cloudflare:workers";

export class Visitor extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec("create table if not exists document (id integer primary key, state text not null)");
  }

  record(body: string): void {
    this.ctx.storage.sql.exec("insert or replace into document (id, state) values (1, ?)", body);
  }
}

export class Clock extends DurableObject<Env> {}
export class Connection extends DurableObject<Env> {}
export class Sync extends DurableObject<Env> {}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const body = await request.text();
    if (pathname === "/ff") {
      const stub: unknown = env.VISITOR.getByName(searchParams.get("o") ?? "");
      await asVisitor(stub).record(body);
      return new Response(null, { status: 204 });
    }
    await env.DB.prepare("insert into bare (body) values (?)").bind(body).run();
    return new Response(null, { status: 200 });
  },
} satisfies ExportedHandler<Env>;

/** The generated types name the product's class, this Worker has its own. */
function asVisitor(stub: unknown): { record: (body: string) => Promise<void> } {
  return stub as { record: (body: string) => Promise<void> };
}
