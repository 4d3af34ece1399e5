import { execFile } from "node:child_process";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createBrotliDecompress } from "node:zlib";
import { inflate } from "@sparticuz/chromium";
import { chromium, type Browser } from "playwright-core";

/** What an ordinary visitor's browser calls itself: a headless name would be filtered as a bot. */
export const ORDINARY_USER_AGENT =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36";

const INSTALLED = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** No sandbox (containers run as root), and nothing that talks to the outside by itself. */
const ARGS = [
  `--user-agent=${ORDINARY_USER_AGENT}`,
  "--no-sandbox",
  "--disable-setuid-sandbox",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-domain-reliability",
  "--disable-sync",
  "--no-pings",
];

type Executable = { path: string; env: Record<string, string> };

/**
 * Starts the browser that the tests drive: the one named by `CHROME_PATH`, else the Chromium of
 * `@sparticuz/chromium` on Linux x64, else an installed one. Throws with the one command that
 * helps when there is none. The back/forward cache is left on, as it is for visitors.
 */
export async function launchChromium(options: { args?: string[] } = {}): Promise<Browser> {
  const { path, env } = await findExecutable();
  return chromium.launch({
    executablePath: path,
    env: { ...process.env, ...env },
    args: [...ARGS, ...(options.args ?? [])],
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
}

async function findExecutable(): Promise<Executable> {
  const named = process.env["CHROME_PATH"];
  if (named) {
    if (!existsSync(named)) throw new Error(`CHROME_PATH names ${named}, which does not exist.`);
    return { path: named, env: {} };
  }
  const carried = process.platform === "linux" && process.arch === "x64" ? await unpackCarried() : undefined;
  if (carried) return carried;
  const installed = INSTALLED.find((path) => existsSync(path));
  if (installed) return { path: installed, env: {} };
  throw new Error(
    "No browser for the browser tests. On Linux x64 `npm ci` brings one; elsewhere install Chrome or Chromium and run:\n" +
      "  CHROME_PATH=/path/to/chrome npm test",
  );
}

/**
 * Unpacks the package's Chromium once per version. It is written beside its final name and moved,
 * so that two runs that start together never see half a file.
 */
async function unpackCarried(): Promise<Executable | undefined> {
  const bin = join(dirname(fileURLToPath(import.meta.resolve("@sparticuz/chromium"))), "..", "bin");
  if (!existsSync(join(bin, "chromium.br"))) return undefined;
  const { version } = JSON.parse(await readFile(join(bin, "..", "package.json"), "utf8"));
  const folder = join(tmpdir(), `footfall-chromium-${version}`);
  const path = join(folder, "chromium");
  if (!existsSync(path)) {
    await mkdir(folder, { recursive: true });
    const partial = `${path}.${process.pid}`;
    await pipeline(
      createReadStream(join(bin, "chromium.br")),
      createBrotliDecompress(),
      createWriteStream(partial, { mode: 0o700 }),
    );
    await rename(partial, path).catch(() => rm(partial, { force: true }));
  }
  const env: Record<string, string> = existsSync("/etc/fonts")
    ? {}
    : { FONTCONFIG_PATH: await inflate(join(bin, "fonts.tar.br")) };
  if ((await missingLibraries(path, env)).length > 0) {
    const libraries = join(await inflate(join(bin, "al2023.tar.br")), "lib");
    env["LD_LIBRARY_PATH"] = [libraries, process.env["LD_LIBRARY_PATH"]].filter(Boolean).join(":");
  }
  const missing = await missingLibraries(path, env);
  if (missing.length === 0) return { path, env };
  throw new Error(
    `Chromium cannot start: ${missing.join(", ")} missing. Install what it needs with:\n` +
      "  sudo npx playwright-core install-deps chromium",
  );
}

async function missingLibraries(path: string, env: Record<string, string>): Promise<string[]> {
  const { stdout } = await promisify(execFile)("ldd", [path], { env: { ...process.env, ...env } });
  return stdout
    .split("\n")
    .filter((line) => line.includes("not found"))
    .map((line) => line.trim().split(" ")[0] ?? line);
}
