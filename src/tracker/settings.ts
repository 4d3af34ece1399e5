import type { TrackerConfig } from "./config.ts";

declare const __FF__: TrackerConfig;

/** What the Worker has baked in. */
export const config = __FF__;
