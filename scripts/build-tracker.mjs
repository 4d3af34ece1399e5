import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { build, transform } from "esbuild";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const OUT = join(ROOT, "public", "tracker");

/** The pixel of a deployed app: the same code as the custom pixel, for Shopify's own bundler to take in. */
const APP_PIXEL = join(ROOT, "extensions", "footfall-pixel", "src", "pixel.js");

/** The identifier that the Worker replaces with a JSON literal; see src/tracker/config.ts. */
const PLACEHOLDER = "__FF__";

/** What a real response holds: sizes are those of the script as it is served. */
const EXAMPLE_CONFIG = JSON.stringify({ s: "acme.myshopify.com", o: "https://footfall.acme.workers.dev", c: 1 });

/** Files, with the most bytes (brotli 11) that each may have as served. */
export const BUDGETS = { "core.js": 1963, "shopify.js": 1200, "pixel.js": Infinity };

/** Bytes of a text as brotli 11 with the largest window. */
export function brotliBytes(text) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 };
  return brotliCompressSync(Buffer.from(text), { params }).length;
}

/**
 * Builds the browser scripts of src/tracker into public/tracker, and the pixel for the app's extension.
 * @returns {Promise<{ name: string, bytes: number, brotli: number, budget: number }[]>} sizes as served
 */
export async function buildTracker() {
  await mkdir(OUT, { recursive: true });
  const sizes = [];
  for (const [name, budget] of Object.entries(BUDGETS)) {
    const { outputFiles } = await build({
      entryPoints: [join(ROOT, "src", "tracker", name.replace(".js", ".ts"))],
      bundle: true,
      minify: true,
      // The core imports the Shopify part as a module; the others are plain scripts.
      format: name === "shopify.js" ? "esm" : "iife",
      target: "es2020",
      write: false,
      // Strict mode costs bytes and turns a frozen global into an error.
      tsconfigRaw: { compilerOptions: { strict: false, alwaysStrict: false } },
    });
    // Minified as one scope, after bundling: declarations of all modules become one statement.
    const { code } = await transform(outputFiles[0].text, { minify: true, target: "es2020", legalComments: "none" });
    const text = code.trim();
    const places = text.split(PLACEHOLDER).length - 1;
    const expected = name === "shopify.js" ? 0 : 1;
    if (places !== expected) throw new Error(`${name} holds ${PLACEHOLDER} ${places} times instead of ${expected}`);
    await writeFile(join(OUT, name), text);
    const served = text.replace(PLACEHOLDER, EXAMPLE_CONFIG);
    sizes.push({ name, bytes: Buffer.byteLength(served), brotli: brotliBytes(served), budget });
  }
  const entryPoints = [join(ROOT, "src", "tracker", "app-pixel.ts")];
  await build({ entryPoints, bundle: true, format: "esm", target: "es2020", outfile: APP_PIXEL });
  return sizes;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const sizes = await buildTracker();
  for (const { name, bytes, brotli, budget } of sizes)
    console.log(`${name}: ${bytes} bytes, ${brotli} brotli${budget === Infinity ? "" : ` (at most ${budget})`}`);
  if (sizes.some(({ brotli, budget }) => brotli > budget)) {
    console.error("The tracker is over its budget.");
    process.exitCode = 1;
  }
}
