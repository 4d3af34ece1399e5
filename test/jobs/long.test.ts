import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";

import { pokeClocks } from "../../src/jobs/maintain";
import { mintShop } from "../helpers/api";
import { T0, useFakeClock } from "../helpers/clock";

useFakeClock();

/** Contacts with a tag and a field, written straight into the database. */
async function contacts(shop: number, count: number): Promise<void> {
  await env.DB.batch([
    env.DB.prepare(
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < ?2)
       insert into contacts (shop, id, source, verified, stage, fields, created_at, updated_at)
       select ?1, 'con_long_' || ?1 || '_' || i, 'Import', 1, 'lead', '{"size":"M"}', 1, 1 from n`,
    ).bind(shop, count),
    env.DB.prepare(
      `insert into contact_tags (shop, tag, contact, label, origin, at)
       select shop, 'big', key, 'Big', 'crm', 1763800000000 from contacts where shop = ?`,
    ).bind(shop),
  ]);
}

test("work on many contacts goes on by the shop's clock, without a request, until it is done", async () => {
  const shop = await mintShop();
  await contacts(shop.key, 10_200);
  const field = await shop.full.post("/v1/fields", { label: "Size", type: "text" });
  const [tag] = (await shop.full.get("/v1/tags")).body.items;
  const jobs = [
    (await shop.full.delete(`/v1/fields/${field.body.id}`)).body.jobId,
    (await shop.full.patch(`/v1/tags/${tag.id}`, { label: "Bigger" })).body.jobId,
    (await shop.full.delete("/v1/lifecycle-stages/subscriber")).body,
  ];
  expect(jobs).toEqual([expect.stringMatching(/^job_/), expect.stringMatching(/^job_/), null]);
  const clock = env.CLOCK.getByName(String(shop.key));
  const alarm = () => runInDurableObject(clock, (_, state) => state.storage.getAlarm());
  expect(await alarm()).toBeLessThanOrEqual(T0 + 30_000);
  for (let sweep = 1; sweep <= 3; sweep++) {
    vi.setSystemTime(T0 + sweep * 31_000);
    await runDurableObjectAlarm(clock);
    const states = await env.DB.prepare("select state from jobs where shop = ? order by key").bind(shop.key).all();
    expect(states.results).toEqual([{ state: "done" }, { state: sweep === 1 ? "running" : "done" }]);
  }
  const left = await env.DB.prepare(
    `select (select count(*) from contacts where shop = ?1 and fields <> '{}') as sized,
       (select count(*) from contact_tags where shop = ?1 and tag = 'big') as old,
       (select contacts from tags where shop = ?1 and tag = 'bigger') as new`,
  )
    .bind(shop.key)
    .first();
  expect(left).toEqual({ sized: 0, old: 0, new: 10_200 });
}, 60_000);

test("a clock whose alarm was lost is woken while a job has to go on", async () => {
  const shop = await mintShop();
  await env.DB.prepare(
    `insert into jobs (id, shop, kind, state, input, created_at, updated_at)
     values (?1, ?2, 'tags.change', 'running', '{"from":"a","to":null,"label":null}', ?3, ?3)`,
  )
    .bind(`job_lost_${shop.key}`, shop.key, T0)
    .run();
  await pokeClocks(env, T0);
  vi.setSystemTime(T0 + 31_000);
  await runDurableObjectAlarm(env.CLOCK.getByName(String(shop.key)));
  expect((await shop.full.get(`/v1/jobs/job_lost_${shop.key}`)).body.state).toBe("done");
});
