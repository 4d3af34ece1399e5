import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { needsOptIn, OPT_IN_COUNTRIES } from "../../src/collect";
import { mintShop } from "../helpers/api";
import { newVisitor, send } from "../helpers/beacon";
import { useFakeClock } from "../helpers/clock";

useFakeClock();

type Shop = Awaited<ReturnType<typeof mintShop>>;
const textOf = async (shop: Shop, lang = "en") =>
  (await shop.full.get(`/v1/shops/${shop.id}/privacy-text?lang=${lang}`)).body;

describe("GET /v1/shops/{id}/privacy-text", () => {
  it("names the cookie with the life that the server really gives it", async () => {
    const shop = await mintShop({}, { origins: ["https://www.footfall.test"] });
    const answer = await send(shop.domain, newVisitor(), [{ type: "page_viewed", url: "https://www.footfall.test/" }], {
      headers: { origin: "https://www.footfall.test" },
    });
    const [, name, seconds] = /^(\w+)=.*Max-Age=(\d+)/.exec(answer.headers.get("set-cookie") ?? "") ?? [];
    const days = Number(seconds) / 86_400;
    expect((await textOf(shop)).html).toContain(`<td>${name}</td><td>cookie and local storage</td>`);
    expect((await textOf(shop)).html).toContain(`<td>${days} days after the last visit</td>`);
    expect((await textOf(shop, "de")).html).toContain(`<td>${days} Tage nach dem letzten Besuch</td>`);
  });

  it("follows the consent mode, and lists exactly the countries that are asked", async () => {
    const [optIn, optOut, region] = [
      await mintShop({ consentMode: "opt_in" }),
      await mintShop({ consentMode: "opt_out" }),
      await mintShop(),
    ];
    const asked = "Before you agree, nothing is stored";
    const free = "Visits are counted until you refuse";
    const says = async (shop: Shop) => {
      const { text } = await textOf(shop);
      return [text.includes(asked), text.includes(free)];
    };
    expect([await says(optIn), await says(optOut), await says(region)]).toEqual([
      [true, false],
      [false, true],
      [true, true],
    ]);
    for (const lang of ["en", "de"]) {
      const names = new Intl.DisplayNames(lang, { type: "region" });
      const { text } = await textOf(region, lang);
      for (const code of ["DE", "FR", "US", "JP", "GB", "CH", "BR", "NO"]) {
        expect([code, text.includes(String(names.of(code)))]).toEqual([code, needsOptIn("region", code)]);
      }
      const list = [...OPT_IN_COUNTRIES].map((code) => names.of(code)).join(", ");
      expect(text).toContain(list);
    }
  });

  it("says how long things are kept, as the settings say now", async () => {
    const shop = await mintShop({ eventRetentionDays: 90, visitorRetentionDays: 1, webhookBodyRetentionDays: 14 });
    const { text } = await textOf(shop);
    expect(text).toContain("single events of visits: 90 days");
    expect(text).toContain("visitors without a name: 1 day after their last visit");
    expect(text).toContain("as it was received: 14 days");
    await shop.full.patch(`/v1/shops/${shop.id}`, { settings: { eventRetentionDays: 0 } });
    expect((await textOf(shop)).text).toContain("single events of visits: until they are erased");
  });

  it("names who receives events, and what only a Shopify store does", async () => {
    const shop = await mintShop();
    await env.DB.prepare(
      `insert into webhook_endpoints (id, shop, url, secret, state, created_at, updated_at)
       values ('whe_1', ?1, 'https://erp.acme.example/in?key=s3cret', 'x', 'enabled', 1, 1),
         ('whe_2', ?1, 'https://off.acme.example/', 'x', 'disabled', 1, 1)`,
    )
      .bind(shop.key)
      .run();
    const { text, html } = await textOf(shop);
    expect(text).toContain("erp.acme.example");
    expect(text).not.toMatch(/s3cret|off\.acme/);
    expect(html).toContain("ff_customer");
    expect(html).toContain('onclick="footfall.forget();footfall.consent(false)"');
    const site = await mintShop({}, { domain: `${crypto.randomUUID()}.example` });
    const elsewhere = await textOf(site);
    expect(elsewhere.text).not.toMatch(/Shopify|ff_customer|ff_k/);
  });

  it("escapes what the shop may call itself", async () => {
    const shop = await mintShop({}, { name: `<b onclick="x('y')">Tom & Co</b>` });
    for (const lang of ["en", "de"]) {
      const { html, text } = await textOf(shop, lang);
      expect(html).toContain("&lt;b onclick=&quot;x(&#39;y&#39;)&quot;&gt;Tom &amp; Co&lt;/b&gt;");
      expect(html).not.toContain("<b ");
      expect(text).toContain(`<b onclick="x('y')">Tom & Co</b>`);
    }
  });

  it("speaks two languages and no other", async () => {
    const shop = await mintShop();
    expect((await textOf(shop, "de")).html).toContain("<h2>Wie wir Besuche zählen</h2>");
    expect((await shop.full.get(`/v1/shops/${shop.id}/privacy-text`)).body.lang).toBe("en");
    expect((await shop.full.get(`/v1/shops/${shop.id}/privacy-text?lang=fr`)).status).toBe(400);
  });
});
