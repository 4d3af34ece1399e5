import { register } from "@shopify/web-pixels-extension";
// Written by `npm run build` from src/tracker: the very code of /pixel.js.
import { startPixel } from "./pixel.js";

register(({ analytics, browser, init, customerPrivacy, settings }) =>
  startPixel({ analytics, browser, init, customerPrivacy }, settings),
);
