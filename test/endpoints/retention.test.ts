import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

import { dropOldDeliveries } from "../../src/endpoints";
import { mintShop, type MintedShop } from "../helpers/api";
import { DAY, T0, useFakeClock } from "../helpers/clock";
import { newReceiver } from "../helpers/receiver";

useFakeClock();

const PATH = "/v1/webhook-endpoints";

async function newEndpoint(shop: MintedShop): Promise<{ id: string; key: number }> {
  const { id } = (await shop.full.post(PATH, { url: newReceiver().url, types: ["order_paid"] })).body;
  const row = await env.DB.prepare("select key from webhook_endpoints where id = ?").bind(id).first<{ key: number }>();
  return { id, key: row?.key ?? 0 };
}

/** Deliveries as they stand in the log, oldest first. */
async function log(shop: MintedShop, endpoint: number, rows: { id: string; state: string; at: number }[]) {
  await env.DB.batch(
    rows.map(({ id, state, at }) =>
      env.DB.prepare(
        `insert into endpoint_deliveries (id, shop, endpoint, type, natural_key, body, state, attempts, next_attempt_at,
           created_at) values (?, (select key from shops where id = ?), ?, 'order_paid', ?, '{}', ?, 1, ?, ?)`,
      ).bind(id, shop.id, endpoint, id, state, at, at),
    ),
  );
}

it("what was sent more than 30 days ago is forgotten; what waits and what is younger stays", async () => {
  const shop = await mintShop();
  const endpoint = await newEndpoint(shop);
  const [old, young] = [T0 - 31 * DAY, T0 - 29 * DAY];
  await log(shop, endpoint.key, [
    { id: "whd_a", state: "delivered", at: old },
    { id: "whd_b", state: "failed", at: old },
    { id: "whd_c", state: "pending", at: old },
    { id: "whd_d", state: "delivered", at: young },
    { id: "whd_e", state: "failed", at: young },
  ]);
  await dropOldDeliveries(env.DB, T0).run();
  const { body } = await shop.readOnly.get(`${PATH}/${endpoint.id}/deliveries`);
  expect(body.items.map(({ id }: { id: string }) => id)).toEqual(["whd_e", "whd_d", "whd_c"]);
  await dropOldDeliveries(env.DB, T0 + 2 * DAY).run();
  const later = await shop.readOnly.get(`${PATH}/${endpoint.id}/deliveries`);
  expect(later.body.items.map(({ id }: { id: string }) => id)).toEqual(["whd_c"]);
});

it("the log of an endpoint goes by pages, newest first, and by state, and holds no other endpoint's", async () => {
  const shop = await mintShop();
  const [endpoint, other] = [await newEndpoint(shop), await newEndpoint(shop)];
  const rows = Array.from({ length: 7 }, (_, i) => ({
    id: `whd_p${i}`,
    state: i % 2 === 0 ? "delivered" : "failed",
    at: T0 - DAY + i,
  }));
  for (const row of rows) {
    await log(shop, endpoint.key, [row]);
    await log(shop, other.key, [{ ...row, id: `${row.id}_other` }]);
  }
  const pages = async (query: string) => {
    const sizes: number[] = [];
    const ids: string[] = [];
    for (let cursor: string | null = null; ;) {
      const { status, body } = await shop.readOnly.get(
        `${PATH}/${endpoint.id}/deliveries?limit=2${query}${cursor === null ? "" : `&cursor=${cursor}`}`,
      );
      expect(status).toBe(200);
      sizes.push(body.items.length);
      ids.push(...body.items.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor;
      if (cursor === null) return { sizes, ids };
    }
  };
  const newestFirst = rows.map(({ id }) => id).toReversed();
  expect(await pages("")).toEqual({ sizes: [2, 2, 2, 1], ids: newestFirst });
  expect(await pages("&state=failed")).toEqual({ sizes: [2, 1], ids: ["whd_p5", "whd_p3", "whd_p1"] });
});
