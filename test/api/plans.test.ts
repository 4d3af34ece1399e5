import { expect, it } from "vitest";

import { exports } from "cloudflare:workers";

import { api, mintShop } from "../helpers/api";

interface Operation {
  description?: string;
  requestBody?: unknown;
}

it("E1: there are no plans: a shop that was just made may use everything that the API has", async () => {
  const shop = await mintShop();
  const answer = await exports.default.fetch("https://footfall.test/v1/openapi.json");
  const document = await answer.json<{ paths: Record<string, Record<string, Operation>> }>();
  const tried: string[] = [];
  for (const [path, methods] of Object.entries(document.paths)) {
    // What runs the installation, and the shop's own secret, is the operator's whatever the shop.
    if (!methods["get"] || /operator only/i.test(methods["get"].description ?? "")) continue;
    const address = path.replace("/v1/shops/{id}", `/v1/shops/${shop.id}`).replaceAll(/\{\w+\}/g, "none");
    const { status } = await api(shop.fullKey).get(address);
    expect([address, [200, 400, 404].includes(status)]).toEqual([address, true]);
    if (!address.includes("none") && status !== 400) expect([address, status]).toEqual([address, 200]);
    tried.push(path);
  }
  expect(tried.length).toBeGreaterThan(25);
  expect(JSON.stringify(document)).not.toMatch(/"(?:plan|tier|billing)\w*":/i);
});
