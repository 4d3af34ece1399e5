import { describe, expect, it } from "vitest";

import { cleanUrl } from "../../src/collect/clean";
import { commonDomain } from "../../src/collect/cors";
import { deviceOf } from "../../src/collect/device";
import { touchOf } from "../../src/collect/touch";

const HERE = "https://www.acme.example/p";

describe("touchOf (A14)", () => {
  const table: [string, string, string | null, [string | null, string | null, string | null, string]][] = [
    [
      "an Instagram ad",
      `${HERE}?utm_source=Instagram&utm_medium=paid_social&utm_campaign=x`,
      "https://l.instagram.com/",
      ["instagram", "paid_social", "x", "paid_social"],
    ],
    [
      "utm without medium",
      `${HERE}?utm_source=instagram&utm_campaign=x`,
      null,
      ["instagram", null, "x", "organic_social"],
    ],
    ["Google's ads", `${HERE}?gclid=abc`, "https://www.google.com/", ["google", null, null, "paid_search"]],
    ["Google's results", HERE, "https://www.google.co.uk/", ["google", null, null, "organic_search"]],
    ["a look-alike host", HERE, "https://notgoogle.example/", ["notgoogle.example", null, null, "referral"]],
    ["Facebook's click id alone", `${HERE}?fbclid=1`, null, ["facebook", null, null, "organic_social"]],
    ["a newsletter", `${HERE}?utm_source=news&utm_medium=email`, null, ["news", "email", null, "email"]],
    ["an assistant", HERE, "https://chatgpt.com/", ["chatgpt", null, null, "ai_assistant"]],
    ["Gemini before Google", HERE, "https://gemini.google.com/app", ["gemini", null, null, "ai_assistant"]],
    ["t.co", HERE, "https://t.co/abc", ["twitter", null, null, "organic_social"]],
    ["a blog", HERE, "https://blog.example/post?secret=1", ["blog.example", null, null, "referral"]],
    ["nothing", HERE, null, [null, null, null, "direct"]],
    ["a broken referrer", HERE, "android-app://x", [null, null, null, "direct"]],
  ];
  it.each(table)("%s", (_, url, referrer, [source, medium, campaign, channel]) => {
    expect(touchOf(url, referrer, [])).toMatchObject({ source, medium, campaign, channel });
  });

  it("is null for steps inside the site, unless a campaign is named", () => {
    expect(touchOf(HERE, "https://acme.example/", [])).toBeNull();
    expect(touchOf(`${HERE}?utm_campaign=x`, "https://acme.example/", [])?.campaign).toBe("x");
  });

  it("keeps no value of a click id, no parameters of a foreign referrer", () => {
    const touch = JSON.stringify(touchOf(`${HERE}?gclid=SECRET`, "https://blog.example/post?secret=1", []));
    expect(touch).not.toMatch(/SECRET|secret/);
  });
});

describe("cleanUrl", () => {
  it.each([
    ["https://a.example/p?x=1&q=mug&utm_source=s#part", "https://a.example/p?q=mug&utm_source=s"],
    ["https://a.example/u/jane%40example.com/x", "https://a.example/u/[removed]/x"],
    ["https://a.example/?q=jane@example.com", "https://a.example/?q=[removed]"],
    ["https://a.example/cart?key=s&ff_id=t&token=u", "https://a.example/cart"],
    ["https://a.example/#/route?x=1", "https://a.example/#/route"],
    ["javascript:alert(1)", null],
    ["not a url", null],
  ])("%s", (url, expected) => {
    expect(cleanUrl(url, ["q", "key", "ff_id", "token"])).toBe(expected);
  });
});

describe("commonDomain", () => {
  it.each([
    ["www.acme.example", "t.acme.example", "acme.example"],
    ["acme.example", "t.acme.example", "acme.example"],
    ["www.acme.co.uk", "t.acme.co.uk", "acme.co.uk"],
    ["a.co.uk", "b.co.uk", null],
    ["a.example", "b.example", null],
    ["a.myshopify.com", "b.myshopify.com", null],
    ["footfall.acme.workers.dev", "footfall.other.workers.dev", null],
    ["127.0.0.1", "127.0.0.1", null],
    ["localhost", "localhost", null],
  ])("%s and %s", (a, b, expected) => {
    expect(commonDomain(a, b)).toBe(expected);
  });
});

describe("deviceOf", () => {
  it("names the kind, the browser and the system", () => {
    const iphone =
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";
    expect(deviceOf(iphone)).toEqual({ type: "mobile", browser: "Safari", os: "iOS" });
    expect(deviceOf(null)).toBeNull();
    expect(deviceOf("\u0000weird")).toMatchObject({ type: "other" });
  });
});
