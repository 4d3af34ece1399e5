/**
 * The product's Worker with everything around it counted, and time simulated: nothing in src/ knows. Rows are those
 * that the runtime reports for each statement (`rowsWritten` of a Durable Object's cursor, `meta.rows_written` of a
 * D1 result); a key that is put or deleted, `setAlarm` and `deleteAlarm` are a row each, as Cloudflare bills them.
 */
import { Clock as RealClock } from "../../../src/jobs/clock";
import product from "../../../src/index";
import { Visitor as RealVisitor } from "../../../src/visitor/visitor";
import { count, newCounts, statementName } from "./counts";
import { countingDatabase } from "./counting-database";
import { type Mix, type SentBeacon, VISITS_PER_DAY, VisitMaker } from "./visit-mix";

export { Connection } from "../../../src/shopify/connect/connection";
export { Sync } from "../../../src/shopify/sync/sync";

let counts = newCounts();
/** Simulated once a simulation has begun. */
const clock: { now: number | null } = { now: null };
const realNow = Date.now;
Date.now = () => clock.now ?? realNow();

type Kind = "VISITOR" | "CLOCK";

/** Alarms go off in simulated time, so they are kept here. By kind and name. */
const alarms = new Map<string, { kind: Kind; name: string; at: number }>();

/** Objects called since they were last waited for. */
const touched = new Map<string, { kind: Kind; name: string }>();

const messages: { queue: string; body: unknown }[] = [];

/** Storage whose statements and alarm calls count. */
function countStorage(ctx: DurableObjectState, kind: Kind, pending: Promise<unknown>[]): void {
  const { storage } = ctx;
  const name = ctx.id.name ?? "";
  const key = `${kind} ${name}`;
  const sql = new Proxy(storage.sql, {
    get(target, property) {
      if (property !== "exec") return Reflect.get(target, property, target);
      return (text: string, ...values: SqlStorageValue[]) => {
        const cursor = target.exec(text, ...values);
        // A cursor tells its rows once it is read to the end.
        const rows = cursor.toArray();
        count(counts.objectRows, statementName(text), cursor.rowsWritten);
        counts.objectRowsRead += cursor.rowsRead;
        return { toArray: () => rows };
      };
    },
  });
  const kv = new Proxy(storage.kv, {
    get(target, property) {
      if (property === "get") {
        return (key: string) => {
          counts.objectRowsRead++;
          return target.get(key);
        };
      }
      if (property === "put" || property === "delete") {
        return (key: string, value: unknown) => {
          count(counts.objectRows, `${property} ${key}`);
          return property === "put" ? target.put(key, value) : target.delete(key);
        };
      }
      return Reflect.get(target, property, target);
    },
  });
  const counted = new Proxy(storage, {
    get(target, property) {
      if (property === "sql") return sql;
      if (property === "kv") return kv;
      if (property === "getAlarm") return () => Promise.resolve(alarms.get(key)?.at ?? null);
      if (property === "setAlarm") {
        return (at: number) => {
          count(counts.objectRows, `set alarm (${kind.toLowerCase()})`);
          alarms.set(key, { kind, name, at });
          return Promise.resolve();
        };
      }
      if (property === "deleteAlarm") {
        return () => {
          count(counts.objectRows, `delete alarm (${kind.toLowerCase()})`);
          alarms.delete(key);
          return Promise.resolve();
        };
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  Object.defineProperty(ctx, "storage", { value: counted });
  Object.defineProperty(ctx, "waitUntil", { value: (work: Promise<unknown>) => void pending.push(work) });
}

async function settled(pending: Promise<unknown>[]): Promise<void> {
  while (pending.length > 0) await pending.shift();
}

export class Visitor extends RealVisitor {
  readonly #pending: Promise<unknown>[];

  constructor(ctx: DurableObjectState, env: Env) {
    const pending: Promise<unknown>[] = [];
    countStorage(ctx, "VISITOR", pending);
    super(ctx, countingEnv(env, true));
    this.#pending = pending;
  }

  /** Waits for what was left to `waitUntil`. */
  settle(): Promise<void> {
    return settled(this.#pending);
  }

  wake(): Promise<void> {
    return this.alarm();
  }
}

export class Clock extends RealClock {
  readonly #pending: Promise<unknown>[];

  constructor(ctx: DurableObjectState, env: Env) {
    const pending: Promise<unknown>[] = [];
    countStorage(ctx, "CLOCK", pending);
    super(ctx, countingEnv(env, true));
    this.#pending = pending;
  }

  settle(): Promise<void> {
    return settled(this.#pending);
  }

  wake(): Promise<void> {
    return this.alarm();
  }
}

interface CountingObject {
  settle(): Promise<void>;
  wake(): Promise<void>;
}

/** Kept, as the product remembers what it has read from an environment. */
const wrapped = new WeakMap<Env, Env>();

function countingEnv(env: Env, inObject: boolean): Env {
  const known = wrapped.get(env);
  if (known) return known;
  const counting: Env = {
    ...env,
    DB: countingDatabase(env.DB, () => counts, inObject),
    VISITOR: countingNamespace(env.VISITOR, "VISITOR"),
    CLOCK: countingNamespace(env.CLOCK, "CLOCK"),
    WEBHOOKS: countingQueue(env.WEBHOOKS, "footfall-webhooks"),
    REACTIONS: countingQueue(env.REACTIONS, "footfall-reactions"),
  };
  wrapped.set(env, counting);
  return counting;
}

function countingNamespace<T extends Rpc.DurableObjectBranded>(namespace: DurableObjectNamespace<T>, kind: Kind) {
  return new Proxy(namespace, {
    get(target, property) {
      if (property !== "getByName") return Reflect.get(target, property, target);
      return (name: string) =>
        new Proxy(target.getByName(name), {
          get(stub, method) {
            touched.set(`${kind} ${name}`, { kind, name });
            count(counts.objectRequests, `${kind.toLowerCase()}.${String(method)}`);
            const call: unknown = Reflect.get(stub, method, stub);
            return typeof call === "function" ? (...values: unknown[]) => Reflect.apply(call, stub, values) : call;
          },
        });
    },
  });
}

function countingQueue(queue: Queue, name: string): Queue {
  const take = (bodies: unknown[]) => {
    counts.queueMessages += bodies.length;
    messages.push(...bodies.map((body) => ({ queue: name, body: structuredClone(body) })));
    return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
  };
  return new Proxy(queue, {
    get(target, property) {
      if (property === "send") return (body: unknown) => Promise.resolve(take([body]));
      if (property === "sendBatch") {
        return (sent: Iterable<{ body: unknown }>) => Promise.resolve(take([...sent].map(({ body }) => body)));
      }
      return Reflect.get(target, property, target);
    },
  });
}

interface Order {
  shop: string;
  seed: number;
  visits: number;
  /** Visits before the count begins, which fill what a running shop has already. */
  warmUp: number;
  mix: Mix;
}

/** Lives through the ordered visits and everything that follows from them, in simulated time. */
class Simulation {
  readonly #env: Env;
  readonly #pending: Promise<unknown>[] = [];
  readonly #context: ExecutionContext;

  constructor(env: Env, ctx: ExecutionContext) {
    this.#env = env;
    this.#context = new Proxy(ctx, {
      get: (target, property) =>
        property === "waitUntil"
          ? (work: Promise<unknown>) => void this.#pending.push(work)
          : Reflect.get(target, property, target),
    });
  }

  async run({ shop, seed, visits, warmUp, mix }: Order) {
    const maker = new VisitMaker(seed, mix);
    const gap = Math.round(86_400_000 / VISITS_PER_DAY);
    // Far ahead, so that no alarm of the real clock could ever be due.
    const start = Date.UTC(2040, 0, 1);
    let arrival = start;
    let made = 0;
    let minute = start;
    let open: SentBeacon[] = [];
    counts = newCounts();
    clock.now = start;
    for (;;) {
      const alarm = [...alarms.values()].reduce<{ kind: Kind; name: string; at: number } | null>(
        (first, one) => (first === null || one.at < first.at ? one : first),
        null,
      );
      const beacon = open[0];
      const next = Math.min(arrival, alarm?.at ?? arrival, beacon?.at ?? arrival);
      // What the warm-up left to be done stands for what the last visits leave: the count is of a time, not of visits.
      if (made === visits + warmUp && next === arrival) break;
      while (minute + 60_000 <= next) await this.#cron((minute += 60_000));
      clock.now = Math.max(clock.now ?? 0, next);
      if (next === arrival) {
        if (made === warmUp) counts = newCounts();
        made++;
        counts.visits++;
        open.push(...maker.visit(arrival));
        open.sort((a, b) => a.at - b.at);
        arrival += gap;
      } else if (beacon && next === beacon.at) {
        open = open.slice(1);
        await this.#send(shop, beacon);
      } else if (alarm) {
        alarms.delete(`${alarm.kind} ${alarm.name}`);
        count(counts.objectRequests, `${alarm.kind.toLowerCase()}.alarm`);
        touched.set(`${alarm.kind} ${alarm.name}`, alarm);
        await this.#object(alarm).wake();
      }
      await this.#settle();
    }
    return { counts, simulatedHours: (clock.now - start) / 3_600_000 };
  }

  async #send(shop: string, beacon: SentBeacon): Promise<void> {
    const response = await product.fetch(
      new Request("https://footfall.bench/ff", {
        method: "POST",
        headers: {
          "content-type": "text/plain",
          "user-agent":
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
          "cf-connecting-ip": "203.0.113.7",
        },
        body: JSON.stringify({
          shop,
          visitor: beacon.visitor,
          events: beacon.events,
          consent: { analytics: true, marketing: true },
          sent: beacon.at,
        }),
      }),
      countingEnv(this.#env, false),
      this.#context,
    );
    if (response.status !== 204) throw new Error(`a beacon got ${response.status}: ${await response.text()}`);
    counts.beacons++;
    counts.pageViews += beacon.events.filter(({ type }) => type === "page_viewed").length;
    count(counts.requests, "beacon");
  }

  async #cron(at: number): Promise<void> {
    clock.now = at;
    count(counts.requests, "cron");
    await product.scheduled({ scheduledTime: at, cron: "* * * * *", noRetry: () => {} }, countingEnv(this.#env, false));
    await this.#settle();
  }

  /** Everything that was left for later, until nothing is. */
  async #settle(): Promise<void> {
    while (touched.size + messages.length + this.#pending.length > 0) {
      await settled(this.#pending);
      const objects = [...touched.values()];
      touched.clear();
      for (const one of objects) await this.#object(one).settle();
      await this.#deliver();
    }
  }

  /** One batch per queue, as a consumer would get them. */
  async #deliver(): Promise<void> {
    for (const [queue, group] of Map.groupBy(messages.splice(0), (message) => message.queue)) {
      count(counts.requests, "queue batch");
      const batch = {
        queue,
        messages: group.map(({ body }, i) => ({
          id: String(i),
          timestamp: new Date(Date.now()),
          attempts: 1,
          body,
          ack: () => {},
          retry: () => {},
        })),
        metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } },
        ackAll: () => {},
        retryAll: () => {},
      };
      await product.queue(batch, countingEnv(this.#env, false));
    }
  }

  #object({ kind, name }: { kind: Kind; name: string }): CountingObject {
    // oxlint-disable-next-line typescript/no-explicit-any -- the namespaces are typed by the product's own classes
    const namespace: any = this.#env[kind];
    return namespace.getByName(name);
  }
}

/** The counts since the last answer, and a run of cron, for the bench that reads; everything else is the product. */
export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/simulate") {
      const order: Order = await request.json();
      return Response.json(await new Simulation(env, ctx).run(order));
    }
    if (pathname === "/v1/bench-counts") {
      const taken = counts;
      counts = newCounts();
      return Response.json(taken);
    }
    if (pathname === "/v1/bench-cron") {
      await product.scheduled(
        { scheduledTime: realNow(), cron: "* * * * *", noRetry: () => {} },
        countingEnv(env, false),
      );
      return Response.json({});
    }
    return product.fetch(request, countingEnv(env, false), ctx);
  },
} satisfies ExportedHandler<Env>;
