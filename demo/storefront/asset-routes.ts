import { asset, reply, route, type Route } from "../http.ts";
import { heroPicture, productPicture } from "../pictures.ts";
import type { Site } from "./layout.ts";

const SCRIPT = "text/javascript; charset=utf-8";
const SVG = "image/svg+xml";

/** What a merchant's paste of the pixel's text becomes: the body of a function, run inside the sandbox. */
async function customPixel(site: Site): Promise<string> {
  const address = `${site.footfallUrl}/pixel.js?shop=${encodeURIComponent(site.store.domain)}`;
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(5_000) });
    if (!answer.ok) return `console.warn("No pixel: ${answer.status}")`;
    return `self.__pixel(function (analytics, browser, init, api) {\n${await answer.text()}\n});`;
  } catch {
    return 'console.warn("No pixel: Footfall does not answer")';
  }
}

/** Scripts, styles, pictures, and the frame in which the custom pixel runs. */
export function assetRoutes(site: Site): Route[] {
  return [
    ...["theme.js", "privacy.js", "pixels.js", "checkout.js", "admin.js"].map((name) =>
      route("GET", `/assets/${name}`, asset(name, SCRIPT)),
    ),
    ...["base.css", "theme.css", "pages.css", "checkout.css"].map((name) =>
      route("GET", `/assets/${name}`, asset(name, "text/css; charset=utf-8")),
    ),
    route("GET", "/favicon.svg", asset("favicon.svg", SVG)),
    route("GET", "/favicon.ico", asset("favicon.svg", SVG)),
    route("GET", "/web-pixels/sandbox.js", asset("sandbox.js", SCRIPT)),
    route("GET", "/web-pixels/sandbox", () =>
      reply(
        200,
        "text/html; charset=utf-8",
        '<!doctype html><title>Pixel</title><script src="/web-pixels/sandbox.js"></script><script src="/web-pixels/custom.js"></script>',
      ),
    ),
    route("GET", "/web-pixels/custom.js", async () => reply(200, SCRIPT, await customPixel(site))),
    route("GET", "/cdn/shop/files/hero.svg", () => reply(200, SVG, heroPicture(), { "cache-control": "max-age=300" })),
    route("GET", "/cdn/shop/files/:handle.svg", (request) => {
      const variant = Number(request.url.searchParams.get("variant"));
      const picture = productPicture(request.params["handle"] ?? "", variant);
      return picture === undefined
        ? reply(404, "text/plain", "No such picture")
        : reply(200, SVG, picture, { "cache-control": "max-age=300" });
    }),
    route("GET", "/robots.txt", () => reply(200, "text/plain", "User-agent: *\nDisallow: /_admin\n")),
  ];
}
