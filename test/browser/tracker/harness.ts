import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { buildTracker } from "../../../scripts/build-tracker.mjs";
import type { PixelConfig, TrackerConfig } from "../../../src/tracker/config.ts";
import type { Beacon, TrackedEvent } from "../../../src/tracker/wire.ts";
import { launchChromium } from "../chromium.ts";

export const SHOP = "acme.myshopify.com";

/** A condition that does not hold by then has failed. */
const LATE_MS = 10_000;

/** Names of the test's own top-level domain, which the browser finds on this machine. */
const RESOLVER = "--host-resolver-rules=MAP *.test 127.0.0.1, MAP *.co.uk 127.0.0.1";

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface Received {
  method: string;
  headers: IncomingMessage["headers"];
  beacon: Beacon;
}

/** The built scripts, a Worker's stand-in that records what arrives, a shop's site on another origin, and a browser. */
export interface World {
  browser: Browser;
  /** Origin of the tracker's host. */
  host: string;
  port: number;
  /** Requests to `/ff` of any method, in order. */
  received: Received[];
  /** Events of all beacons, without repetitions of the same id and type: what the server would count. */
  events(): TrackedEvent[];
  types(): string[];
  /** Resolves when `ready` holds, which is looked at after every request. */
  until(ready: () => boolean): Promise<void>;
  /** Status of the next answers to beacons; 204 unless set. `drop` closes the connection. */
  answer(status: () => number | "drop"): void;
  configure(config: Partial<TrackerConfig>): void;
  /** Pages of the shop, by path, on every host name. */
  pages: Map<string, string | Handler>;
  page(options?: BrowserContextOptions): Promise<Page>;
  /** Errors, rejections and console messages of all pages of `page()`. */
  noise: string[];
  url(path: string, host?: string): string;
  reset(): Promise<void>;
  close(): Promise<void>;
}

export const SNIPPET = (host: string, attributes = ""): string =>
  `<script async src="${host}/ff.js?shop=${SHOP}" ${attributes}></script>`;

const read = (request: IncomingMessage): Promise<string> =>
  new Promise((resolve) => {
    let text = "";
    request.on("data", (chunk) => (text += chunk)).on("end", () => resolve(text));
  });

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));

export async function built(name: string): Promise<string> {
  return readFile(fileURLToPath(new URL(`../../../public/tracker/${name}`, import.meta.url)), "utf8");
}

/** As the Worker does it. */
export const bake = (code: string, config: TrackerConfig | PixelConfig): string =>
  code.replace("__FF__", () => JSON.stringify(config));

export async function createWorld(): Promise<World> {
  await buildTracker();
  const [core, shopify] = await Promise.all([built("core.js"), built("shopify.js")]);
  const received: Received[] = [];
  const noise: string[] = [];
  const pages = new Map<string, string | Handler>();
  const contexts: BrowserContext[] = [];
  const waiters = new Set<() => void>();
  let config: Partial<TrackerConfig> = {};
  let status: () => number | "drop" = () => 204;

  const hostServer = createServer(async (request, response) => {
    const path = (request.url ?? "").split("?")[0];
    const body = await read(request);
    const headers: Record<string, string> = { "access-control-allow-origin": "*" };
    if (path === "/ff.js" || path === "/tracker/shopify.js") {
      const text = path === "/ff.js" ? bake(core, { s: SHOP, o: world.host, c: 0, ...config }) : shopify;
      response.writeHead(200, { ...headers, "content-type": "text/javascript" }).end(text);
    } else if (path === "/ff") {
      if (config.f) {
        headers["access-control-allow-origin"] = request.headers.origin ?? "";
        headers["access-control-allow-credentials"] = "true";
      }
      const beacon = body ? JSON.parse(body) : {};
      received.push({ method: request.method ?? "", headers: request.headers, beacon });
      const now = status();
      if (now === "drop") response.destroy();
      else {
        if (config.f) headers["set-cookie"] = `ff_v=${beacon.visitor}; Path=/; Max-Age=34128000; SameSite=Lax`;
        response.writeHead(now, headers).end();
      }
    } else response.writeHead(404).end();
    for (const waiter of waiters) waiter();
  });

  const siteServer = createServer(async (request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    const body = await read(request);
    const page = pages.get(path);
    if (typeof page === "function") page(request, response, body);
    else if (page === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
    for (const waiter of waiters) waiter();
  });

  const [hostPort, port] = [await listen(hostServer), await listen(siteServer)];
  const browser = await launchChromium({ args: [RESOLVER, "--disable-features=LocalNetworkAccessChecks"] });

  const events = (): TrackedEvent[] => {
    const seen = new Map<string, TrackedEvent>();
    for (const { beacon } of received)
      for (const event of beacon.events ?? [])
        if (!seen.has(event.id + event.type)) seen.set(event.id + event.type, event);
    return [...seen.values()];
  };

  const world: World = {
    browser,
    host: `http://localhost:${hostPort}`,
    port,
    received,
    noise,
    pages,
    events,
    types: () => events().map(({ type }) => type),
    until: (ready) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          waiters.delete(look);
          reject(new Error(`Not there after ${LATE_MS} ms. Arrived: ${world.types().join(", ") || "nothing"}`));
        }, LATE_MS);
        const look = () => {
          if (!ready()) return;
          clearTimeout(late);
          waiters.delete(look);
          resolve();
        };
        waiters.add(look);
        look();
      }),
    answer: (next) => (status = next),
    configure: (next) => (config = next),
    page: async (options) => {
      const context = await browser.newContext(options);
      contexts.push(context);
      const page = await context.newPage();
      page.on("pageerror", (error) => noise.push(String(error)));
      page.on("console", (message) => noise.push(message.text()));
      return page;
    },
    url: (path, host = "www.shop.test") => `http://${host}:${port}${path}`,
    reset: async () => {
      await Promise.all(contexts.splice(0).map((context) => context.close()));
      received.length = 0;
      noise.length = 0;
      pages.clear();
      config = {};
      status = () => 204;
    },
    close: async () => {
      await browser.close();
      for (const server of [hostServer, siteServer]) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
  return world;
}

/** An ordinary page with nothing but the snippet. */
export const plain = (host: string, title: string, body = "", attributes = ""): string =>
  `<!doctype html><html><head><title>${title}</title>${SNIPPET(host, attributes)}</head><body>${body}</body></html>`;
