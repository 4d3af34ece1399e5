import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";

import { compile, parseDefinition } from "../../src/segments";
import { updateMembership } from "../../src/segments/rest";
import { type MintedShop, mintShop } from "../helpers/api";
import { newVisitor, objectOf, send } from "../helpers/beacon";
import { DAY, HOUR, MINUTE, T0, travel, useFakeClock } from "../helpers/clock";
import { Random } from "../helpers/random";
import { seedCart, seedContact, seedOrder } from "../helpers/seed";
import { addSegment, catchUp, historyOf, membersOf, rows, type SegmentOf, told, wakeClock } from "./membership";

useFakeClock();

const tagged = (tag: string) => ({ all: [{ field: "tags", op: "has_any", value: [tag] }] });
const tag = (shop: MintedShop, contact: number, name: string) =>
  env.DB.prepare(
    "insert into contact_tags (shop, tag, contact, label, origin, at) values (?, ?, ?, ?, 'crm', ?) on conflict do nothing",
  ).bind(shop.key, name, contact, name, Date.now());
const untag = (contact: number, name: string) =>
  env.DB.prepare("delete from contact_tags where contact = ? and tag = ?").bind(contact, name);

interface Meter {
  read: number;
  written: number;
  calls: number;
  ms: number;
}

/**
 * The real database with a meter, and with a cut: the call of that number is the last one, before or after it ran.
 *
 * @param between what happens before each call, by its number
 */
function watched(
  cut: { at: number; when: "before" | "after" } | null = null,
  between: (call: number) => Promise<void> = async () => undefined,
): { env: Env; meter: Meter } {
  const meter: Meter = { read: 0, written: 0, calls: 0, ms: 0 };
  const call = async <T>(run: () => Promise<T>): Promise<T> => {
    meter.calls += 1;
    await between(meter.calls);
    if (cut && meter.calls >= cut.at && (cut.when === "before" || meter.calls > cut.at)) throw new Error("cut off");
    const result = await run();
    for (const one of Array.isArray(result) ? result : [result]) {
      if (one?.meta) {
        meter.read += one.meta.rows_read;
        meter.written += one.meta.rows_written;
        meter.ms += one.meta.duration;
      }
    }
    if (cut?.when === "after" && meter.calls === cut.at) throw new Error("cut off");
    return result;
  };
  const METERED = new Set(["all", "run", "first", "raw"]);
  const originals = new WeakMap<object, D1PreparedStatement>();
  const statement = (real: D1PreparedStatement): D1PreparedStatement => {
    const proxy = new Proxy(real, {
      get: (target, name) => {
        if (name === "bind") return (...values: unknown[]) => statement(target.bind(...values));
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        const bound = (...args: unknown[]) => Reflect.apply(value, target, args);
        return METERED.has(String(name)) ? (...args: unknown[]) => call(() => bound(...args)) : bound;
      },
    });
    originals.set(proxy, real);
    return proxy;
  };
  const DB = new Proxy(env.DB, {
    get: (target, name) => {
      if (name === "prepare") return (text: string) => statement(target.prepare(text));
      if (name === "batch") {
        return (statements: D1PreparedStatement[]) =>
          call(() => target.batch(statements.map((one) => originals.get(one) ?? one)));
      }
      return Reflect.get(target, name);
    },
  });
  return { env: { ...env, DB }, meter };
}

interface Asked {
  segment: SegmentOf;
  audience: "contacts" | "both";
  definition: unknown;
}

/** Stored members of each segment are those that its definition has now. */
async function expectRight(shop: MintedShop, asked: Asked[], where: string) {
  const facts = { key: shop.key, currency: "EUR", timezone: "UTC" };
  const statements = asked.flatMap(({ segment, audience, definition }) => {
    const parsed = parseDefinition(definition, { audience, stores: [], customFields: [] });
    const { sql, values } = compile(parsed, facts, Date.now(), { ask: "members" });
    return [
      env.DB.prepare(sql).bind(...values),
      env.DB.prepare("select kind, subject as key from segment_members where segment = ?").bind(segment.key),
      env.DB.prepare("select size as key, state as kind from segments where key = ?").bind(segment.key),
    ];
  });
  const answers = await env.DB.batch<{ kind: string; key: number }>(statements);
  const names = (i: number) => (answers[i]?.results ?? []).map(({ kind, key }) => `${kind}:${key}`).sort();
  asked.forEach(({ definition }, i) => {
    expect(names(3 * i + 1), `${where}: ${JSON.stringify(definition)}`).toEqual(names(3 * i));
    expect(names(3 * i + 2), where).toEqual([`live:${names(3 * i).length}`]);
  });
}

describe("exactly once", () => {
  test("cut off at any call, before or after it, it goes on: nobody is missed, nothing is told twice", async () => {
    const shop = await mintShop();
    const contacts = [];
    for (let i = 0; i < 3; i++) contacts.push(await seedContact(shop.key, { email: `k${i}@x.example` }));
    const base = await addSegment(shop, tagged("a"));
    const over = await addSegment(shop, {
      all: [
        { in: { segment: base.id } },
        { did: "order_placed", count: { eq: 0 }, window: { inLast: { n: 2, unit: "hour" } } },
      ],
    });
    const first = contacts[0]?.key ?? 0;
    let inside = false;
    let cuts = 0;
    for (const when of ["before", "after"] as const) {
      for (let at = 1; at <= 40; at++) {
        inside = !inside;
        await env.DB.batch(contacts.map(({ key }) => (inside ? tag(shop, key, "a") : untag(key, "a"))));
        const { env: cutting, meter } = watched({ at, when });
        const end = await updateMembership(cutting, shop.key, Date.now()).catch((error: Error) => error);
        if (end instanceof Error) cuts += 1;
        await catchUp(shop);
        const expected = inside ? contacts.map(({ id }) => id).sort() : [];
        expect(await membersOf(shop, base), `${when} ${at}`).toEqual(expected);
        expect(await membersOf(shop, over), `${when} ${at}`).toEqual(expected);
        if (!(end instanceof Error) && meter.calls < at) break;
      }
    }
    expect(cuts).toBeGreaterThan(10);
    for (const segment of [base, over]) {
      const steps = (await told(shop, segment)).filter((one) => one.endsWith(`contact:${first}`));
      steps.forEach((step, i) => expect(step).toBe(`${i % 2 === 0 ? "entered" : "left"} contact:${first}`));
      expect(steps.length).toBeGreaterThan(10);
      expect((await rows("select * from segment_history where segment = ?", segment.key)).length).toBe(
        (await told(shop, segment)).length,
      );
    }
  });

  test("four at once do what one does", async () => {
    const shop = await mintShop();
    const contacts = [];
    for (let i = 0; i < 8; i++) contacts.push(await seedContact(shop.key, { email: `r${i}@x.example` }));
    const segment = await addSegment(shop, tagged("a"));
    for (const round of [1, 2, 3]) {
      await env.DB.batch(contacts.map(({ key }) => (round % 2 ? tag(shop, key, "a") : untag(key, "a"))));
      await Promise.allSettled([1, 2, 3, 4].map(() => updateMembership(env, shop.key, Date.now())));
      await catchUp(shop);
      const { body } = await shop.full.get(`/v1/segments/${segment.id}`);
      expect(body.size).toBe(round % 2 ? 8 : 0);
      expect((await told(shop, segment)).length).toBe(8 * round);
    }
  });

  test("a change that moves nobody, settled between any two calls of a fill, is not undone by what the fill saw before", async () => {
    const shop = await mintShop();
    const clocked = {
      all: [...tagged("a").all, { field: "created_at", op: "in_last", value: { n: 1, unit: "hour" } }],
    };
    const segment = await addSegment(shop, clocked);
    // Whoever only settles: the fill is carried on by the other.
    const settling = new Proxy(env.DB, {
      get: (target, name) => {
        if (name !== "prepare") return Reflect.get(target, name).bind(target);
        return (text: string) => {
          if (text.includes("'segments.fill' and shop")) throw new Error("settled");
          return target.prepare(text);
        };
      },
    });
    let calls = 0;
    for (let at = 2; calls === 0 || at <= calls; at++) {
      const contact = await seedContact(shop.key, { email: `between${at}@x.example` });
      await tag(shop, contact.key, "a").run();
      await env.DB.batch([
        env.DB.prepare("delete from segment_dirty where shop = ?").bind(shop.key),
        env.DB.prepare("update segments set state = 'filling' where key = ?").bind(segment.key),
        env.DB.prepare(
          "insert into jobs (id, shop, kind, state, input, created_at, updated_at) values (?, ?, 'segments.fill', 'running', ?, ?, ?)",
        ).bind(`job_b${shop.key}_${at}`, shop.key, JSON.stringify({ segment: segment.key, version: 1 }), T0, T0),
      ]);
      const { env: filling, meter } = watched(null, async (call) => {
        if (call !== at) return;
        await untag(contact.key, "a").run();
        const settled = updateMembership({ ...env, DB: settling }, shop.key, Date.now());
        await expect(settled).rejects.toThrow("settled");
      });
      await updateMembership(filling, shop.key, Date.now());
      calls = meter.calls;
      await catchUp(shop);
      expect(await membersOf(shop, segment), `before call ${at} of ${calls}`).toEqual([]);
    }
    expect(calls).toBeGreaterThan(6);
  });

  test("the first fill tells of nobody unless asked; a large one goes in pieces that a kill does not lose", async () => {
    const shop = await mintShop();
    await env.DB.prepare(
      `with recursive n(value) as (select 1 union all select value + 1 from n where value < 2500)
       insert into contacts (shop, id, source, verified, stage, score, created_at, updated_at)
       select ?1, 'con_f' || ?1 || '_' || value, 'API', 1, 'lead', value % 2, ?2, ?2 from n`,
    )
      .bind(shop.key, T0)
      .run();
    const clocked = {
      all: [
        { field: "score", op: "eq", value: 1 },
        { field: "created_at", op: "in_last", value: { n: 1, unit: "hour" } },
      ],
    };
    const quiet = await addSegment(shop, clocked);
    expect((await shop.full.get(`/v1/segments/${quiet.id}`)).body).toMatchObject({ state: "live", size: 1250 });
    expect(await told(shop, quiet)).toEqual([]);
    await env.DB.prepare("update segments set state = 'filling', filled_kind = null where key = ?")
      .bind(quiet.key)
      .run();
    await env.DB.prepare("delete from segment_members where segment = ?").bind(quiet.key).run();
    await env.DB.prepare("update segments set size = 0 where key = ?").bind(quiet.key).run();
    await env.DB.prepare(
      "insert into jobs (id, shop, kind, state, input, created_at, updated_at) values (?, ?, 'segments.fill', 'running', ?, ?, ?)",
    )
      .bind(`job_f${shop.key}`, shop.key, JSON.stringify({ segment: quiet.key, version: 1 }), T0, T0)
      .run();
    for (let at = 3; at < 60; at += 4) {
      const { env: cutting } = watched({ at, when: at % 8 === 3 ? "after" : "before" });
      await updateMembership(cutting, shop.key, Date.now()).catch(() => undefined);
    }
    await catchUp(shop);
    expect((await shop.full.get(`/v1/segments/${quiet.id}`)).body).toMatchObject({ state: "live", size: 1250 });
    expect(await rows("select count(*) as n from segment_members where segment = ?", quiet.key)).toEqual([{ n: 1250 }]);
    const loud = await addSegment(shop, clocked, { announceFirst: true });
    expect((await told(shop, loud)).length).toBe(1250);
    travel(HOUR + 1);
    for (let i = 0; i < 4; i++) await wakeClock(shop);
    expect((await shop.full.get(`/v1/segments/${quiet.id}`)).body.size).toBe(0);
    expect((await told(shop, quiet)).length).toBe(1250);
  });
});

describe("one that costs too much", () => {
  test("is taken out and says so, the others go on; it is filled again when it is set live", async () => {
    const shop = await mintShop();
    const contact = await seedContact(shop.key, { email: "s@x.example" });
    for (let i = 0; i < 60; i++) await seedOrder(shop.key, { contact: contact.key });
    const heavy = await addSegment(shop, { all: [{ did: "order_placed", count: { gte: 100 } }, tagged("a")] });
    const light = await addSegment(shop, tagged("a"));
    await tag(shop, contact.key, "a").run();
    await updateMembership(env, shop.key, Date.now(), { rows: 50, ms: 60_000 });
    const { body } = await shop.full.get(`/v1/segments/${heavy.id}`);
    expect(body.state).toBe("slow");
    expect(body.problem).toMatch(/rows/);
    expect(await membersOf(shop, light)).toEqual([contact.id]);
    expect(await rows("select * from segment_watches where segment = ?", heavy.key)).toEqual([]);
    expect((await shop.full.patch(`/v1/segments/${heavy.id}`, { state: "live" })).body).toMatchObject({
      state: "live",
      problem: null,
    });
    expect((await shop.full.patch(`/v1/segments/${light.id}`, { state: "paused" })).body.state).toBe("paused");
    await untag(contact.key, "a").run();
    await catchUp(shop);
    expect(await membersOf(shop, light)).toEqual([contact.id]);
    expect((await shop.full.patch(`/v1/segments/${light.id}`, { state: "live" })).body).toMatchObject({ size: 0 });
    expect(await historyOf(shop, light)).toEqual([`entered contact ${contact.id}`]);
  });
});

describe("what it costs", () => {
  const fifty = async (shop: MintedShop) => {
    for (let i = 0; i < 50; i++) {
      const kinds = [
        tagged(`t${i}`),
        { all: [{ did: "order_placed", count: { gte: i }, window: { inLast: { n: i + 1, unit: "day" } } }] },
        { all: [{ field: "total_revenue", op: "gte", value: i * 100 }] },
        { all: [{ did: "product_viewed", where: [{ field: "product_id", op: "eq", value: String(i) }] }] },
        {
          all: [
            { field: "last_order_tag", op: "has_any", value: [`x${i}`] },
            { field: "country", op: "eq", value: "DE" },
          ],
        },
      ];
      await addSegment(shop, kinds[i % kinds.length], { audience: i % 5 === 3 ? "both" : "contacts" });
    }
  };

  test("one subject against 50 live segments; page views that nobody asks about write nothing more", async () => {
    const shop = await mintShop({ consentMode: "opt_out", flushSeconds: 0 });
    const contact = await seedContact(shop.key, { email: "cost@x.example" });
    for (let i = 0; i < 5; i++) await seedOrder(shop.key, { contact: contact.key, placed_at: T0 - i * DAY });
    await fifty(shop);
    await catchUp(shop);
    await tag(shop, contact.key, "t0").run();
    const { env: metered, meter } = watched();
    await updateMembership(metered, shop.key, Date.now());
    expect(meter.read).toBeLessThan(1_500);
    expect(meter.written).toBeLessThan(15);
    await tag(shop, contact.key, "nobody").run();
    const idle = watched();
    await updateMembership(idle.env, shop.key, Date.now());
    expect(idle.meter.written).toBeLessThanOrEqual(2);

    const tracker = newVisitor();
    await send(shop.domain, tracker, [{ type: "page_viewed", url: "https://s.example/a" }]);
    await objectOf(shop, tracker).flush();
    await catchUp(shop);
    travel(MINUTE);
    await send(shop.domain, tracker, [{ type: "page_viewed", url: "https://s.example/b" }]);
    await objectOf(shop, tracker).flush();
    expect(await rows("select * from segment_dirty where shop = ?", shop.key)).toEqual([]);
  });
});

describe("right at every moment", () => {
  test.each([1, 2])(
    "random changes and clocks: what is stored is what the definitions say (seed %i)",
    async (seed) => {
      const random = new Random(seed);
      const shop = await mintShop({ consentMode: "opt_out", flushSeconds: 0 }, { currency: "EUR" });
      const contacts = [];
      for (let i = 0; i < 4; i++) contacts.push(await seedContact(shop.key, { email: `m${i}@x.example` }));
      const trackers = Array.from({ length: 3 }, newVisitor);
      const asked: Asked[] = [];
      const ask = async (definition: unknown, audience: Asked["audience"] = "contacts") =>
        asked.push({ segment: await addSegment(shop, definition, { audience }), audience, definition });
      await ask(tagged("a"));
      await ask({ all: [{ did: "order_placed", count: { gte: 2 }, window: { inLast: { n: 2, unit: "day" } } }] });
      await ask({ all: [{ did: "order_placed", count: { lte: 1 }, window: { inLast: { n: 90, unit: "minute" } } }] });
      await ask({ all: [{ field: "last_order_date", op: "not_in_last", value: { n: 1, unit: "day" } }] });
      await ask(
        { any: [{ did: "product_viewed", count: { gte: 2 }, window: { inLast: { n: 3, unit: "hour" } } }] },
        "both",
      );
      await ask(
        {
          all: [
            {
              first: { did: "product_viewed" },
              notFollowedBy: { did: "product_added_to_cart" },
              within: { n: 2, unit: "hour" },
              window: { inLast: { n: 1, unit: "day" } },
            },
          ],
        },
        "both",
      );
      await ask({ all: [{ field: "last_seen", op: "in_last", value: { n: 5, unit: "hour" } }] }, "both");
      await ask({ all: [{ field: "days_since_last_order", op: "between", value: [1, 2] }] });
      await ask({
        all: [{ field: "open_cart_value", op: "gte", value: 1 }, { notIn: { segment: asked[0]?.segment.id } }],
      });
      await ask({ all: [{ in: { segment: asked[0]?.segment.id }, window: { inLast: { n: 1, unit: "day" } } }] });
      for (let step = 0; step < 30; step++) {
        const contact = contacts[random.int(0, 3)] ?? { key: 0 };
        const tracker = trackers[random.int(0, 2)] ?? "";
        const what = random.pick([
          "tag",
          "untag",
          "order",
          "cancel",
          "cart",
          "view",
          "view",
          "add",
          "link",
          "wait",
          "days",
        ]);
        if (what === "tag") await tag(shop, contact.key, "a").run();
        if (what === "untag") await untag(contact.key, "a").run();
        if (what === "order") await seedOrder(shop.key, { contact: contact.key });
        if (what === "cancel") {
          await env.DB.prepare("update orders set cancelled_at = ? where contact = ?")
            .bind(Date.now(), contact.key)
            .run();
        }
        if (what === "cart") await seedCart(shop.key, { contact: contact.key });
        if (what === "view" || what === "add") {
          const type = what === "view" ? "product_viewed" : "product_added_to_cart";
          await send(shop.domain, tracker, [{ type, data: { productId: "P" } }]);
          await objectOf(shop, tracker).flush();
        }
        if (what === "link" && random.chance(0.3)) {
          await send(shop.domain, tracker, [{ type: "identified", data: { email: `m${random.int(0, 3)}@x.example` } }]);
          await objectOf(shop, tracker).flush();
        }
        travel(what === "days" ? random.int(1, 30) * HOUR : random.int(1, 70) * MINUTE);
        await wakeClock(shop);
        await expectRight(shop, asked, `seed ${seed}, step ${step}, ${what}`);
      }
    },
    60_000,
  );
});
