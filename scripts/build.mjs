/** `npm run build`: what the Worker serves from public/ and does not make itself. Quick, and the same every time. */
import { pathToFileURL } from "node:url";
import { say, setUp } from "./setup.mjs";

/**
 * Builds the tracker into public/tracker. Being over a size budget is no error here: it keeps nobody from running
 * what works, and `npm test` refuses it.
 * @returns {Promise<{ note: string, overBudget: string[] }>} sizes for the terminal, and the files that are too large
 */
export async function build() {
  // Loaded late, because these need the installed packages.
  const { buildTracker } = await import("./build-tracker.mjs");
  const { stop } = await import("esbuild");
  const sizes = await buildTracker();
  await stop();
  return {
    note: sizes.map(({ name, brotli }) => `${name} ${brotli} bytes brotli`).join(", "),
    overBudget: sizes.filter(({ brotli, budget }) => brotli > budget).map(({ name, budget }) => `${name} (${budget})`),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await setUp();
  say((await build()).note);
}
