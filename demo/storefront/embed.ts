import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { Liquid, type Template } from "liquidjs";
import { z } from "zod";
import { type Request, reply, type Reply, route, type Route } from "../http.ts";
import type { Site } from "./layout.ts";
import { customerOf } from "./session.ts";

/* The product's app embed as Shopify runs it: its Liquid in the head of every theme page, and the app proxy it asks. */

export type EmbedSettings = Record<"host" | "proxy_path" | "identity_secret", string>;

const SOURCE = readFileSync(new URL("../../extensions/footfall-embed/blocks/tracker.liquid", import.meta.url), "utf8");

const Schema = z.object({ settings: z.array(z.object({ id: z.string(), default: z.string().default("") })) });

const [, schema = "{}"] = /\{% schema %\}([^]*)\{% endschema %\}/.exec(SOURCE) ?? [];
const DEFAULTS = Object.fromEntries(Schema.parse(JSON.parse(schema)).settings.map((one) => [one.id, one.default]));

/** Shopify's Liquid as far as the embed uses it; a filter or tag that it does not have is an error here too. */
const engine = new Liquid({ strictFilters: true });
engine.registerFilter("hmac_sha256", (text: unknown, key: string) =>
  createHmac("sha256", key).update(String(text)).digest("hex"),
);
engine.registerFilter("sha256", (text: unknown) => createHash("sha256").update(String(text)).digest("hex"));
const template: Template[] = engine.parse(SOURCE.replace(/\{% schema %\}[^]*\{% endschema %\}/, ""));

/** The markup that the app embed puts into a page's head. */
export function appEmbed(site: Site, request: Request): string {
  const customer = customerOf(site.store, request);
  const settings = { ...DEFAULTS, host: site.footfallUrl, ...site.embed };
  return String(
    engine.renderSync(template, {
      block: { settings },
      customer: customer === undefined ? null : { id: customer.id },
      request: { design_mode: false },
      shop: { permanent_domain: site.store.domain },
    }),
  );
}

/** What Shopify does with a call for `/apps/footfall/...`: adds who is signed in, signs, and takes the cookies away. */
async function proxied(site: Site, request: Request): Promise<Reply> {
  const params: [string, string][] = [
    ...request.url.searchParams,
    ["shop", site.store.domain],
    ["logged_in_customer_id", String(customerOf(site.store, request)?.id ?? "")],
    ["path_prefix", "/apps/footfall"],
    ["timestamp", String(Math.floor(Date.now() / 1000))],
  ];
  const values = Map.groupBy(params, ([name]) => name);
  const signed = [...values].map(([name, pairs]) => `${name}=${pairs.map(([, value]) => value).join(",")}`).sort();
  const signature = createHmac("sha256", site.apiSecret).update(signed.join("")).digest("hex");
  const query = new URLSearchParams([...params, ["signature", signature]]);
  const address = `${site.footfallUrl}/proxy/${request.params["path"] ?? ""}?${query.toString()}`;
  try {
    const answer = await fetch(address, { redirect: "manual", signal: AbortSignal.timeout(10_000) });
    const type = answer.headers.get("content-type") ?? "text/plain";
    return reply(answer.status, type, await answer.text(), {
      "cache-control": answer.headers.get("cache-control") ?? "no-store",
    });
  } catch {
    return reply(502, "text/plain", "The app does not answer.");
  }
}

export function proxyRoutes(site: Site): Route[] {
  return [route("GET", "/apps/footfall/:path", (request) => proxied(site, request))];
}
