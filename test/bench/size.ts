import { buildTracker } from "../../scripts/build-tracker.mjs";
import { atMost, type Row, shown } from "./row.ts";

/** What Counterscale's script has, which only counts page views, bytes. */
const AIM = 1_607;

/** Bytes of the browser scripts as they are served, brotli 11. */
export async function size(): Promise<Row[]> {
  return (await buildTracker()).map(({ name, brotli, budget }) => {
    const what = name === "core.js" ? `tracker /ff.js, bytes brotli (aim ${AIM.toLocaleString("en")})` : `  ${name}`;
    return Number.isFinite(budget) ? atMost(what, brotli, budget, 0) : shown(what, String(brotli));
  });
}
