import type { PixelConfig } from "./config.ts";
import { runPixel } from "./pixel/run.ts";
import type { Sandbox } from "./pixel/sandbox.ts";

declare const __FF__: PixelConfig;
declare const analytics: Sandbox["analytics"];
declare const browser: Sandbox["browser"];
declare const init: Sandbox["init"];
declare const api: Pick<Sandbox, "customerPrivacy">;

// What a custom pixel finds as globals.
runPixel({ analytics, browser, init, customerPrivacy: api.customerPrivacy }, __FF__);
