import { describe, expect, it } from "vitest";

import { cleanUrl } from "../../src/collect/clean";
import { addressPattern } from "../../src/collect/patterns";
import { mintShop, operator } from "../helpers/api";

/** As the tracker does: against the address as the browser writes it. */
const matches = (pattern: string, address: string) =>
  new RegExp(addressPattern([pattern]) ?? "").test(new URL(address).href);

describe("address patterns", () => {
  const table: [pattern: string, matching: string[], others: string[]][] = [
    [
      "/x",
      [
        "https://shop.example/x",
        "http://other.example:8080/x",
        "https://shop.example/x/",
        "https://shop.example/x?a=1&b=2",
        "https://shop.example/x/?a=1",
        "https://shop.example/x#done",
        "https://shop.example/x?a=1#done",
        "https://SHOP.Example/x",
      ],
      [
        "https://shop.example/X",
        "https://shop.example/xy",
        "https://shop.example/x/y",
        "https://shop.example/a/x",
        "https://shop.example/?next=/x",
        "https://shop.example/x#/route",
        "https://shop.example/#/x",
      ],
    ],
    ["/x/", ["https://shop.example/x", "https://shop.example/x/"], ["https://shop.example/x/y"]],
    [
      "/",
      ["https://shop.example", "https://shop.example/?a=1"],
      ["https://shop.example/x", "https://shop.example/#/x"],
    ],
    [
      "https://Shop.Example/x",
      ["https://shop.example/x", "http://shop.example/x/", "https://SHOP.EXAMPLE/x?a=1#done"],
      [
        "https://www.shop.example/x",
        "https://shop.example.evil.example/x",
        "https://evil.example/https://shop.example/x",
      ],
    ],
    ["https://shop.example", ["https://shop.example/"], ["https://shop.example/x"]],
    [
      "https://*.shop.example/x",
      ["https://www.shop.example/x", "https://a.b.shop.example/x"],
      ["https://shop.example/x", "https://evil.example/.shop.example/x"],
    ],
    [
      "/x*",
      ["https://shop.example/x", "https://shop.example/xy", "https://shop.example/x/y/z?a=1"],
      ["https://shop.example/a/x", "https://shop.example/?x"],
    ],
    ["/*/x", ["https://shop.example/de/x", "https://shop.example/a/b/x"], ["https://shop.example/x"]],
    [
      "*x*",
      ["https://shop.example/x", "https://shop.example/de/axb", "https://x.example/"],
      ["https://shop.test/?utm_campaign=x", "https://shop.test/#/x"],
    ],
    ["*/thanks", ["https://shop.example/thanks", "https://shop.example/de/thanks/"], ["https://shop.example/thanks/2"]],
    [
      "/x?step=done",
      ["https://shop.example/x?step=done", "https://shop.example/x?step=done#top"],
      ["https://shop.example/x", "https://shop.example/x?step=done&a=1", "https://shop.example/x?step=open"],
    ],
    ["/x?*step=done*", ["https://shop.example/x?a=1&step=done&b=2"], ["https://shop.example/x?step=open"]],
    ["/#/x", ["https://shop.example/#/x"], ["https://shop.example/x", "https://shop.example/#/xy"]],
    ["/a.b(c)+[d]$", ["https://shop.example/a.b(c)+[d]$"], ["https://shop.example/aXb(c)+[d]$"]],
    ["/größe/*", ["https://shop.example/größe/xl", "https://shop.example/gr%C3%B6%C3%9Fe/xl"], []],
    ["/100%", ["https://shop.example/100%"], ["https://shop.example/1000"]],
  ];

  it.each(table)("B13: %s", (pattern, matching, others) => {
    for (const address of matching) expect([address, matches(pattern, address)]).toEqual([address, true]);
    for (const address of others) expect([address, matches(pattern, address)]).toEqual([address, false]);
  });

  it("B13: any of several patterns may match; none is no pattern", () => {
    const source = addressPattern(["/cart", "https://pay.example/*"]) ?? "";
    const found = ["https://a.example/cart", "https://pay.example/1/2", "https://a.example/1/2"].map((address) =>
      new RegExp(source).test(address),
    );
    expect(found).toEqual([true, true, false]);
    expect(addressPattern([])).toBeUndefined();
  });

  it("B13: what is neither a path, nor an address, nor begins with a star is refused", async () => {
    const shop = await mintShop();
    const set = (...cartUrls: string[]) => operator.patch(`/v1/shops/${shop.id}`, { settings: { cartUrls } });
    for (const wrong of ["", "cart", "shop.example/cart", "https://", "javascript:1"]) {
      expect([wrong, (await set(wrong)).status]).toEqual([wrong, 400]);
    }
    expect((await set("/cart", "*cart*", "https://shop.example/cart")).status).toBe(200);
  });

  it("B13: an address is stored in one spelling: host in small letters, own parameters left out, path as it is", () => {
    const spellings: [string, string][] = [
      ["https://SHOP.example/X", "https://shop.example/X"],
      ["https://shop.example/x/", "https://shop.example/x/"],
      ["https://shop.example/x?sid=1&utm_source=mail", "https://shop.example/x?utm_source=mail"],
      ["https://shop.example/x#reviews", "https://shop.example/x"],
      ["https://shop.example/#/x?sid=1", "https://shop.example/#/x"],
    ];
    for (const [address, stored] of spellings) expect(cleanUrl(address, [])).toBe(stored);
  });
});
