import { expect, test } from "vitest";

import { mintShop, operator } from "../helpers/api";
import { seedOrder } from "../helpers/seed";

test("a shop is created, shown by id and by domain, and changed", async () => {
  const domain = `New-${crypto.randomUUID()}.Example.COM`;
  const made = await operator.post("/v1/shops", { domain, currency: "JPY", timezone: "Asia/Tokyo" });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    domain: domain.toLowerCase(),
    name: domain.toLowerCase(),
    currency: "JPY",
    status: "active",
    uninstalledAt: null,
    settings: { abandonAfterSeconds: 3600, flushSeconds: 300, phoneImpliesSubscribed: true, consentMode: "region" },
  });

  const again = await operator.post("/v1/shops", { domain: ` ${domain.toUpperCase()} ` });
  expect(again.body).toMatchObject({ status: 409, code: "conflict", shopId: made.body.id });

  const patched = await operator.patch(`/v1/shops/${made.body.id}`, {
    name: "Tokyo",
    origins: ["https://tokyo.example"],
    settings: { abandonAfterSeconds: 60 },
  });
  expect(patched.body).toMatchObject({
    name: "Tokyo",
    currency: "JPY",
    origins: ["https://tokyo.example"],
    settings: { abandonAfterSeconds: 60, flushSeconds: 300 },
  });
  const settings = await operator.patch(`/v1/shops/${made.body.id}`, { settings: { flushSeconds: 0 } });
  expect(settings.body.settings).toMatchObject({ abandonAfterSeconds: 60, flushSeconds: 0 });
  expect((await operator.get(`/v1/shops/${domain.toLowerCase()}`)).body).toEqual(settings.body);
  expect((await operator.get("/v1/shops?limit=1")).body.items).toEqual([settings.body]);
});

test("of simultaneous creations of one domain exactly one succeeds", async () => {
  const domain = `race-${crypto.randomUUID()}.example`;
  const answers = await Promise.all(Array.from({ length: 6 }, () => operator.post("/v1/shops", { domain })));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(5);
  expect(new Set(answers.map(({ body }) => body.id ?? body.shopId)).size).toBe(1);
});

test("what is no host name, currency, zone, origin or setting is refused", async () => {
  const shop = await mintShop();
  for (const domain of ["", "a b", "https://x.example", "x.example/path", "-x.example", "x..example", "x_y.example"]) {
    expect([domain, (await operator.post("/v1/shops", { domain })).status]).toEqual([domain, 400]);
  }
  const wrong: [unknown, string][] = [
    [{ currency: "eur" }, "/currency"],
    [{ timezone: "Mars/Olympus" }, "/timezone"],
    [{ timezone: "+05:00" }, "/timezone"],
    [{ origins: ["shop.example"] }, "/origins/0"],
    [{ origins: ["https://shop.example/"] }, "/origins/0"],
    [{ settings: { abandonAfterSeconds: 0 } }, "/settings/abandonAfterSeconds"],
    [{ settings: { abandonafterseconds: 5 } }, "/settings"],
    [{ domain: "other.example" }, ""],
  ];
  for (const [patch, pointer] of wrong) {
    const { body } = await shop.full.patch(`/v1/shops/${shop.id}`, patch);
    expect([patch, body.code, body.errors?.[0]?.pointer]).toEqual([patch, "validation_failed", pointer]);
  }
});

test("the currency changes freely until there are orders, then not at all", async () => {
  const shop = await mintShop();
  const change = (currency: string) => shop.full.patch(`/v1/shops/${shop.id}`, { currency, name: currency });
  expect((await change("EUR")).body.currency).toBe("EUR");
  await seedOrder(shop.key);
  expect((await change("JPY")).body).toMatchObject({ status: 409, code: "conflict" });
  expect((await change("EUR")).status).toBe(200);
  expect((await shop.full.get(`/v1/shops/${shop.id}`)).body).toMatchObject({ currency: "EUR", name: "EUR" });
});
