import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";

import { LINK_TOKEN_LIFE_MS, linkTokenSecret, makeLinkToken, readLinkToken } from "../../src/identity/link-token";
import { mintShop } from "../helpers/api";
import { newVisitor, send } from "../helpers/beacon";

const secret = await linkTokenSecret(env.ENCRYPTION_KEY);
const now = 1_800_000_000_000;
const said = { shop: "shp_1", contact: "con_1", delivery: "dlv_1", expiresAt: now + LINK_TOKEN_LIFE_MS };

test("B9: a token says to whom and by which delivery it was sent, for 30 days", async () => {
  const token = await makeLinkToken(secret, said);
  expect(token).toMatch(/^[\w-]+\.[\w-]{22}$/);
  expect(await readLinkToken(secret, "shp_1", token, now)).toEqual({
    contact: "con_1",
    delivery: "dlv_1",
    expiresAt: said.expiresAt,
  });
  expect(await readLinkToken(secret, "shp_1", token, said.expiresAt - 1)).not.toBeNull();
  expect(await readLinkToken(secret, "shp_1", token, said.expiresAt)).toBeNull();
});

test("B9: a token that was changed, forged, cut or made for another shop links nobody", async () => {
  const token = await makeLinkToken(secret, said);
  const [payload = "", signature = ""] = token.split(".");
  const swapped = btoa(JSON.stringify(["con_2", null, said.expiresAt])).replaceAll("=", "");
  const forged = [
    `${swapped}.${signature}`,
    `${payload}.${signature.slice(0, -1)}`,
    `${payload}.${"A".repeat(22)}`,
    `${payload}.`,
    payload,
    `.${signature}`,
    `${token}.x`,
    "",
    "%",
    "x".repeat(10_000),
    await makeLinkToken("another secret", said),
    await makeLinkToken(await linkTokenSecret(btoa("another key of the installation.")), said),
  ];
  for (const bad of forged) expect([bad, await readLinkToken(secret, "shp_1", bad, now)]).toEqual([bad, null]);
  expect(await readLinkToken(secret, "shp_2", token, now)).toBeNull();
  for (let i = 0; i < token.length; i++) {
    const changed = `${token.slice(0, i)}${token[i] === "A" ? "B" : "A"}${token.slice(i + 1)}`;
    expect(await readLinkToken(secret, "shp_1", changed, now)).toBeNull();
  }
});

test("B9: the token of a message ties the browser that opens it to the contact, and shows no personal data", async () => {
  const shop = await mintShop({ consentMode: "opt_out", flushSeconds: 0 });
  const { body } = await shop.full.post("/v1/contacts", { email: "letter@b.example", firstName: "Secretive" });
  const made = await shop.full.post(`/v1/contacts/${body.id}/link-token`, { delivery: "dlv_7" });
  expect(made.status).toBe(201);
  expect(Date.parse(made.body.expiresAt)).toBeGreaterThan(Date.now() + LINK_TOKEN_LIFE_MS - 60_000);
  expect(atob(made.body.token.split(".")[0].replaceAll("-", "+").replaceAll("_", "/"))).not.toMatch(/letter|Secretive/);
  expect((await shop.full.post(`/v1/contacts/${body.id}/link-token`)).status).toBe(201);
  expect((await shop.full.post(`/v1/contacts/${body.id}/link-token`, { delivery: "a b" })).status).toBe(400);

  const visitor = newVisitor();
  await send(shop.domain, visitor, [{ type: "page_viewed", url: "https://shop.example/letter" }]);
  await send(shop.domain, visitor, [{ type: "identified", data: { token: made.body.token } }]);
  await vi.waitFor(async () => {
    const linked = await shop.full.get(`/v1/visitors?contactId=${body.id}`);
    expect(linked.body.items).toMatchObject([{ id: visitor, contactId: body.id }]);
  });
});
