import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { z } from "zod";

const file = (name: string) => readFile(new URL(`../../${name}`, import.meta.url), "utf8");

const Setting = z.strictObject({
  type: z.literal("text"),
  id: z.string(),
  label: z.string(),
  info: z.string(),
  default: z.string().optional(),
  placeholder: z.string().optional(),
});
const Schema = z.strictObject({ name: z.string(), target: z.literal("head"), settings: z.array(Setting) });

/** The text under a path of keys; throws where there is none. */
function textAt(texts: unknown, [key = "", ...rest]: string[]): string {
  const found = z.record(z.string(), z.unknown()).parse(texts)[key];
  return rest.length === 0 ? z.string().min(1).parse(found) : textAt(found, rest);
}

describe("the app embed's files", () => {
  it("name every text in both languages, the block's name within Shopify's 25 characters", async () => {
    const source = await file("extensions/footfall-embed/blocks/tracker.liquid");
    const schema = Schema.parse(JSON.parse(/\{% schema %\}([^]*)\{% endschema %\}/.exec(source)?.[1] ?? ""));
    const keys = [schema.name, ...schema.settings.flatMap(({ label, info }) => [label, info])];
    for (const language of ["en.default", "de"]) {
      const texts: unknown = JSON.parse(await file(`extensions/footfall-embed/locales/${language}.schema.json`));
      const named = keys.map((key) => textAt(texts, key.replace(/^t:/, "").split(".")));
      expect(named[0]?.length).toBeLessThanOrEqual(25);
      expect(new Set(named).size).toBe(named.length);
    }
  });

  it("read no setting that the schema does not have, and put the secret into no page", async () => {
    const source = await file("extensions/footfall-embed/blocks/tracker.liquid");
    const [liquid = "", json = ""] = source.split("{% schema %}");
    const used = [...liquid.matchAll(/block\.settings\.(\w+)/g)].map((match) => match[1]);
    for (const id of used) expect(json).toContain(`"id": "${id}"`);
    expect(liquid).not.toMatch(/\{\{[^}]*(?:secret|block\.settings)/);
  });

  it("keep the mark that the privacy text names, under the name that it gives", async () => {
    const mark = /CUSTOMER_MARK = "(\w+)"/.exec(await file("src/storefront/privacy-facts.ts"))?.[1] ?? "none";
    const source = await file("extensions/footfall-embed/blocks/tracker.liquid");
    const kept = [...source.matchAll(/(?:session|local)Storage\.(\w+) = /g)].map((match) => match[1]);
    expect(kept).toEqual([mark]);
  });

  it("have the handle that the installation check links to", async () => {
    expect(await file("src/storefront/checks.ts")).toContain("/tracker`");
    await file("extensions/footfall-embed/blocks/tracker.liquid");
  });
});
