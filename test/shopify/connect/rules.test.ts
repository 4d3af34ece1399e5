import { describe, expect, it } from "vitest";

import { config } from "../../../src/config";
import { base64url, hmac, isSealedBefore, open, seal, sealingKeyId } from "../../../src/lib/crypto";
import { nextSecret } from "../../../src/shopify/connect/app-secret";
import { type Credentials, isFresh, isResting, isUsable, renewalOf } from "../../../src/shopify/connect/credentials";
import { newInstallState, readState, signState } from "../../../src/shopify/connect/install-state";
import { claimedStore, verifySessionToken } from "../../../src/shopify/connect/session-token";
import { isSignedQuery } from "../../../src/shopify/connect/signed-query";
import { isStoreDomain } from "../../../src/shopify/connect/store-domain";
import { readGrant } from "../../../src/shopify/connect/token-endpoint";
import { isGranted, missingScopes, wantedScopes } from "../../../src/shopify/scopes";
import { env } from "cloudflare:workers";

const NOW = Date.UTC(2026, 10, 22, 12);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const keyOf = (byte: number) => btoa(String.fromCharCode(...new Uint8Array(32).fill(byte)));

describe("sealed texts", () => {
  it("open with their key and say which one that is; the key before still opens while it is known", async () => {
    const [before, after] = [keyOf(1), keyOf(2)];
    const sealed = await seal([before], "shpat_secret");
    expect(sealed).toMatch(/^[0-9a-f]{8}\.[\w-]+$/);
    expect(sealed.startsWith(`${await sealingKeyId([before])}.`)).toBe(true);
    expect(await open([before], sealed)).toBe("shpat_secret");
    expect(await open([after, before], sealed)).toBe("shpat_secret");
    expect(await isSealedBefore([before], sealed)).toBe(false);
    expect(await isSealedBefore([after, before], sealed)).toBe(true);
    await expect(open([after], sealed)).rejects.toThrow(/not known/);
    expect(await seal([before], "shpat_secret")).not.toBe(sealed);
  });

  it("of the first version, without a key's id, open with whichever key fits", async () => {
    const sealed = (await seal([keyOf(1)], "old")).split(".")[1] ?? "";
    expect(await open([keyOf(2), keyOf(1)], sealed)).toBe("old");
    expect(await isSealedBefore([keyOf(1)], sealed)).toBe(true);
  });

  it("that were changed open with no key", async () => {
    const sealed = await seal([keyOf(1)], "text");
    for (const other of [`${sealed.slice(0, -3)}AAA`, sealed.slice(0, 12), "", ".", "x.y.z"]) {
      await expect(open([keyOf(1)], other)).rejects.toThrow();
    }
  });
});

describe("settings", () => {
  const settings = (more: Record<string, string>) => config({ ...env, ...more });

  it("Shopify is reached at the store itself, or through a proxy of one's own that has to be encrypted or local", () => {
    expect(settings({ SHOPIFY_ADMIN_ORIGIN: "" }).shopifyOrigin("a.myshopify.com")).toBe("https://a.myshopify.com");
    for (const [template, origin] of [
      ["https://proxy.example/{shop}", "https://proxy.example/a.myshopify.com"],
      ["http://127.0.0.1:8788/_shopify/{shop}", "http://127.0.0.1:8788/_shopify/a.myshopify.com"],
      ["http://localhost:8788/{shop}", "http://localhost:8788/a.myshopify.com"],
    ]) {
      expect(settings({ SHOPIFY_ADMIN_ORIGIN: template ?? "" }).shopifyOrigin("a.myshopify.com")).toBe(origin);
    }
    for (const wrong of [
      "http://proxy.example/{shop}",
      "https://proxy.example/",
      "https://proxy.example/{shop}/",
      "http://127.0.0.1.example/{shop}",
      "ftp://127.0.0.1/{shop}",
      "proxy",
    ]) {
      expect(() => settings({ SHOPIFY_ADMIN_ORIGIN: wrong }), wrong).toThrow(/SHOPIFY_ADMIN_ORIGIN/);
    }
  });

  it("a previous key is optional and must be a key", () => {
    expect(settings({ ENCRYPTION_KEY_PREVIOUS: keyOf(7) }).sealingKeys).toEqual([env.ENCRYPTION_KEY, keyOf(7)]);
    expect(settings({ ENCRYPTION_KEY_PREVIOUS: "" }).sealingKeys).toEqual([env.ENCRYPTION_KEY]);
    expect(() => settings({ ENCRYPTION_KEY_PREVIOUS: "short" })).toThrow(/ENCRYPTION_KEY_PREVIOUS/);
  });
});

describe("a store's domain", () => {
  it("is one of Shopify's, anchored at both ends", () => {
    expect(isStoreDomain("acme.myshopify.com")).toBe(true);
    for (const domain of [
      "acme.myshopify.com.evil.example",
      "acme.myshopify.com/",
      "evil.example/acme.myshopify.com",
      "evil.example#.myshopify.com",
      "a.b.myshopify.com",
      "-acme.myshopify.com",
      ".myshopify.com",
      "myshopify.com",
      "acme.myshopify.com\n",
      "ACME.myshopify.com",
      "acme@evil.myshopify.com",
      "",
    ]) {
      expect(isStoreDomain(domain), domain).toBe(false);
    }
  });
});

describe("a signed query", () => {
  // From the facts about Shopify; computed there with node:crypto.
  const VECTOR =
    "code=0907a61c0c8d55e99db179b68161bc00&shop=some-shop.myshopify.com&state=0.6784241404160823&timestamp=1337178173" +
    "&hmac=700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf";
  const at = 1_337_178_173 * SECOND;

  it("is accepted with the current or the previous secret, in any order of its parameters, for 90 seconds", async () => {
    const query = new URLSearchParams(VECTOR);
    expect(await isSignedQuery(query, ["hush"], at)).toBe(true);
    expect(await isSignedQuery(query, ["other", "hush"], at + 90 * SECOND)).toBe(true);
    expect(await isSignedQuery(new URLSearchParams([...query].reverse()), ["hush"], at - 90 * SECOND)).toBe(true);
    expect(await isSignedQuery(query, ["hush"], at + 91 * SECOND)).toBe(false);
    expect(await isSignedQuery(query, ["hush"], at - 91 * SECOND)).toBe(false);
  });

  it("is refused with another secret, or when anything in it was changed, added, doubled or left out", async () => {
    expect(await isSignedQuery(new URLSearchParams(VECTOR), ["hushh"], at)).toBe(false);
    for (const changed of [
      VECTOR.replace("some-shop", "other-shop"),
      `${VECTOR}&more=1`,
      `${VECTOR}&shop=some-shop.myshopify.com`,
      VECTOR.replace("state=0.6784241404160823&", ""),
      VECTOR.replace("timestamp=1337178173", "timestamp="),
      VECTOR.replace(/hmac=.*/, "hmac="),
      VECTOR.replace(/hmac=.*/, ""),
      VECTOR.replace(/hmac=7/, "hmac=8"),
    ]) {
      expect(await isSignedQuery(new URLSearchParams(changed), ["hush"], at), changed).toBe(false);
    }
  });
});

describe("the state of an install", () => {
  it("is read back from its cookie for ten minutes, with the present or the previous key", async () => {
    const state = newInstallState("acme.myshopify.com", NOW);
    const cookie = await signState("key", state);
    expect(await readState(["key"], cookie, NOW + 9 * MINUTE)).toEqual(state);
    expect(await readState(["next", "key"], cookie, NOW)).toEqual(state);
    expect(await readState(["key"], cookie, NOW + 10 * MINUTE)).toBeNull();
    expect(await readState(["next"], cookie, NOW)).toBeNull();
    for (const changed of [
      cookie.replace("acme", "evil"),
      cookie.replace(String(state.expiresAt), String(state.expiresAt + 1)),
      cookie.split("~").slice(0, 3).join("~"),
      "",
      "~~~",
    ]) {
      expect(await readState(["key"], changed, NOW), changed).toBeNull();
    }
    expect(newInstallState("acme.myshopify.com", NOW).nonce).not.toBe(state.nonce);
  });
});

describe("a session token", () => {
  const app = { clientId: "client", secrets: ["secret", "secret-before"] };
  const seconds = NOW / SECOND;
  const good = {
    iss: "https://acme.myshopify.com/admin",
    dest: "https://acme.myshopify.com",
    aud: "client",
    sub: "42",
    exp: seconds + 60,
    nbf: seconds,
    iat: seconds,
    jti: "j",
    sid: "s",
  };
  const part = (value: unknown) => base64url(new TextEncoder().encode(JSON.stringify(value)));
  async function tokenOf(
    claims: unknown,
    { secret = "secret", header = { alg: "HS256", typ: "JWT" } }: { secret?: string; header?: unknown } = {},
  ) {
    const text = `${part(header)}.${part(claims)}`;
    return `${text}.${base64url(await hmac(secret, text))}`;
  }

  it("names the store and the staff member, with either secret and ten seconds of tolerance", async () => {
    const verified = { domain: "acme.myshopify.com", user: "42" };
    const token = await tokenOf(good);
    expect(claimedStore(token)).toBe("acme.myshopify.com");
    expect(await verifySessionToken(token, app, NOW)).toEqual(verified);
    expect(await verifySessionToken(await tokenOf(good, { secret: "secret-before" }), app, NOW)).toEqual(verified);
    expect(await verifySessionToken(token, app, NOW + 70 * SECOND)).toEqual(verified);
    expect(await verifySessionToken(token, app, NOW + 71 * SECOND)).toBeNull();
    expect(await verifySessionToken(token, app, NOW - 10 * SECOND)).toEqual(verified);
    expect(await verifySessionToken(token, app, NOW - 11 * SECOND)).toBeNull();
  });

  it("is refused with a wrong claim, another algorithm or another secret", async () => {
    for (const claims of [
      { ...good, aud: "other" },
      { ...good, dest: "https://other.myshopify.com" },
      { ...good, iss: "https://other.myshopify.com/admin" },
      { ...good, iss: "https://evil.example/admin", dest: "https://evil.example" },
      { ...good, dest: "http://acme.myshopify.com" },
      { ...good, exp: "never" },
      { ...good, nbf: undefined },
      { ...good, sub: "<script>" },
      {},
      null,
    ]) {
      expect(await verifySessionToken(await tokenOf(claims), app, NOW), JSON.stringify(claims)).toBeNull();
    }
    expect(await verifySessionToken(await tokenOf(good, { secret: "guess" }), app, NOW)).toBeNull();
    for (const header of [{ alg: "none" }, { alg: "HS512" }, { alg: "RS256" }, {}, null]) {
      expect(await verifySessionToken(await tokenOf(good, { header }), app, NOW), JSON.stringify(header)).toBeNull();
    }
    const token = await tokenOf(good);
    for (const broken of [
      "",
      "a.b.c",
      token.split(".").slice(0, 2).join("."),
      `${token}.x`,
      `${token.slice(0, -2)}AA`,
    ]) {
      expect(await verifySessionToken(broken, app, NOW), broken).toBeNull();
    }
    expect(claimedStore("a.b.c")).toBeNull();
  });
});

describe("the token endpoint's answer", () => {
  it("is a token with its end, a refusal with Shopify's code, or no answer", () => {
    const granted = JSON.stringify({
      access_token: "t",
      scope: "read_orders, read_products",
      expires_in: 3600,
      refresh_token: "r",
    });
    expect(readGrant(200, granted, NOW)).toEqual({
      kind: "granted",
      token: "t",
      tokenExpiresAt: NOW + 3_600_000,
      refreshToken: "r",
      scopes: ["read_orders", "read_products"],
    });
    expect(readGrant(200, '{"access_token":"t"}', NOW)).toMatchObject({ tokenExpiresAt: null, refreshToken: null });
    expect(readGrant(401, '{"error":"invalid_client"}', NOW)).toEqual({ kind: "refused", reason: "invalid_client" });
    expect(readGrant(400, "<html>secret</html>", NOW)).toEqual({ kind: "refused", reason: "status 400" });
    for (const status of [402, 423]) expect(readGrant(status, "", NOW)).toEqual({ kind: "shop_frozen" });
    for (const status of [429, 500, 503]) expect(readGrant(status, "", NOW)).toEqual({ kind: "unreachable" });
    expect(readGrant(200, "<html>maintenance</html>", NOW)).toEqual({ kind: "unreachable" });
  });
});

describe("held credentials", () => {
  const held: Credentials = {
    id: "cnn_1",
    storedAt: NOW,
    domain: "acme.myshopify.com",
    method: "oauth",
    app: null,
    token: "t",
    tokenExpiresAt: NOW + 3_600_000,
    refreshToken: "r",
    refusedAt: null,
  };
  const app = { clientId: "id", clientSecret: "secret" };

  it("are renewed five minutes before the end, serve until a minute before it, and rest ten minutes after a refusal", () => {
    const end = held.tokenExpiresAt ?? 0;
    expect(isFresh(held, end - 5 * MINUTE - 1)).toBe(true);
    expect(isFresh(held, end - 5 * MINUTE)).toBe(false);
    expect(isUsable(held, end - MINUTE - 1)).toBe(true);
    expect(isUsable(held, end - MINUTE)).toBe(false);
    expect(isFresh({ ...held, tokenExpiresAt: null }, NOW * 2)).toBe(true);
    expect(isResting(held, NOW)).toBe(false);
    expect(isResting({ ...held, refusedAt: NOW }, NOW + 10 * MINUTE - 1)).toBe(true);
    expect(isResting({ ...held, refusedAt: NOW }, NOW + 10 * MINUTE)).toBe(false);
  });

  it("are renewed as their method asks; a permanent token cannot be", () => {
    expect(renewalOf(held, app)).toEqual({
      grant_type: "refresh_token",
      client_id: "id",
      client_secret: "secret",
      refresh_token: "r",
    });
    expect(renewalOf({ ...held, method: "client_credentials", refreshToken: null }, app)).toEqual({
      grant_type: "client_credentials",
      client_id: "id",
      client_secret: "secret",
    });
    expect(renewalOf({ ...held, method: "token", refreshToken: null }, app)).toBeNull();
  });
});

describe("a store's own secret", () => {
  it("when it is replaced, the one before counts for a day; another app's never", () => {
    const first = nextSecret(null, "app", "one", NOW);
    expect(first).toEqual({ clientId: "app", current: "one", previous: null, previousUntil: 0 });
    expect(nextSecret(first, "app", "one", NOW + 1)).toEqual(first);
    expect(nextSecret(first, "app", "two", NOW)).toEqual({
      clientId: "app",
      current: "two",
      previous: "one",
      previousUntil: NOW + 86_400_000,
    });
    expect(nextSecret(first, "other", "two", NOW)).toMatchObject({ current: "two", previous: null });
  });
});

describe("scopes", () => {
  it("only reading is wanted, unless the merchant asks for more; each missing one says what it is for", () => {
    const plain = { optionalScopes: [] };
    expect(wantedScopes(plain).every((scope) => scope.startsWith("read_"))).toBe(true);
    expect(missingScopes(wantedScopes(plain), plain)).toEqual([]);
    const missing = missingScopes(["write_orders", "read_products"], plain);
    expect(missing.map(({ scope }) => scope)).toEqual(["read_customers", "read_locations"]);
    for (const { reason } of missing) expect(reason.length).toBeGreaterThan(20);
    const more = missingScopes(wantedScopes(plain), { optionalScopes: ["write_discounts", "read_all_orders"] });
    expect(more.map(({ scope }) => scope)).toEqual(["read_all_orders", "write_discounts"]);
  });

  it("writing includes reading, and not the other way round", () => {
    expect(isGranted(["write_customers"], "read_customers")).toBe(true);
    expect(isGranted(["read_discounts"], "write_discounts")).toBe(false);
  });
});
