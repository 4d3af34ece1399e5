import { runPixel } from "./pixel/run.ts";
import type { Sandbox } from "./pixel/sandbox.ts";

/** What a merchant's app has stored with `webPixelCreate`: fields of `extensions/footfall-pixel/shopify.extension.toml`. */
export interface PixelSettings {
  /** Where Footfall runs, with or without `https://`. */
  host: string;
  /** The shop's `pixelKey`. */
  key: string;
  /** `0` where the theme has no tracker: then the pixel counts its views as well. */
  theme?: string;
}

/** The pixel of a deployed app. Does nothing on a page that does not say which shop it belongs to. */
export function startPixel(sandbox: Sandbox, { host, key, theme }: PixelSettings): void {
  const shop = sandbox.init.data?.shop?.myshopifyDomain;
  const origin = (host.includes("://") ? host : "https://" + host).replace(/\/+$/, "");
  if (shop) runPixel(sandbox, { s: shop, o: origin, k: key, t: theme === "0" ? 0 : 1 });
}
