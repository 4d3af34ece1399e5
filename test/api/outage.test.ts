import { env, exports } from "cloudflare:workers";
import { expect, it } from "vitest";

import { mintShop } from "../helpers/api";

/** A write that the database answers with these words. */
async function refuseContacts(words: string | null): Promise<void> {
  await env.DB.exec("drop trigger if exists refuses");
  if (words === null) return;
  await env.DB.prepare(
    `create trigger refuses before insert on contacts begin select raise(abort, '${words}'); end`,
  ).run();
}

it.each([
  ["D1 DB is overloaded. Requests queued for too long.", 503],
  ["D1 DB storage operation exceeded timeout which caused object to be reset.", 503],
  ["Network connection lost.", 503],
  ["no such column: nonsense", 500],
])("when the database says %j a caller gets %i, and after it what was asked for", async (words, status) => {
  const shop = await mintShop();
  await refuseContacts(words);
  const ask = () =>
    exports.default.fetch("https://footfall.test/v1/contacts", {
      method: "POST",
      headers: { authorization: `Bearer ${shop.fullKey}`, "content-type": "application/json" },
      body: JSON.stringify({ email: "ada@example.com" }),
    });
  const refused = await ask();
  expect(refused.status).toBe(status);
  expect(refused.headers.get("content-type")).toBe("application/problem+json");
  expect(refused.headers.get("retry-after")).toBe(status === 503 ? "5" : null);
  const problem = await refused.text();
  expect(JSON.parse(problem)).toMatchObject({ status, code: status === 503 ? "unavailable" : "internal" });
  expect(problem).not.toContain(words);
  await refuseContacts(null);
  expect((await ask()).status).toBe(201);
});
