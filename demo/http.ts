import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { readFileSync } from "node:fs";
import { marketOf, type Market } from "./shop.ts";

/** One request as the demo's handlers see it. */
export type Request = {
  method: string;
  url: URL;
  /** Named parts of the path, decoded. */
  params: Record<string, string>;
  headers: IncomingMessage["headers"];
  cookies: Map<string, string>;
  body: string;
  market: Market;
  /** Epoch ms at which this happens: now, or what `x-demo-at` says (the simulator tells of earlier hours). */
  at: number;
};

export type Reply = { status: number; headers: Record<string, string>; cookies: string[]; body: string };

export type Handler = (request: Request) => Reply | Promise<Reply>;

export type Route = { method: string; pattern: RegExp; handler: Handler };

/** A route whose pattern writes parts as `:name`; a trailing slash is optional. */
export function route(method: "GET" | "POST", pattern: string, handler: Handler): Route {
  const source = pattern.replaceAll(".", String.raw`\.`).replaceAll(/:(\w+)/g, "(?<$1>[^/]+)");
  return { method, pattern: new RegExp(`^${source}/?$`), handler };
}

export function reply(status: number, type: string, body: string, headers: Record<string, string> = {}): Reply {
  return { status, headers: { "content-type": type, "cache-control": "no-store", ...headers }, cookies: [], body };
}

export const html = (body: string, status = 200): Reply => reply(status, "text/html; charset=utf-8", body);

export const json = (value: unknown, status = 200): Reply =>
  reply(status, "application/json; charset=utf-8", JSON.stringify(value));

export const redirect = (to: string): Reply => reply(303, "text/plain", "", { location: to });

/** The reply with one more cookie: first-party, readable by the theme, for a year unless it says otherwise. */
export function withCookie(answer: Reply, name: string, value: string, seconds = 31_536_000): Reply {
  const cookie = `${name}=${encodeURIComponent(value)}; Path=/; SameSite=Lax; Max-Age=${seconds}`;
  return { ...answer, cookies: [...answer.cookies, cookie] };
}

export function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** JSON that may stand inside a script element. */
export function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", String.raw`\u003c`);
}

/** A file of `demo/assets`, read once. */
export function asset(name: string, type: string): Handler {
  const body = readFileSync(new URL(`./assets/${name}`, import.meta.url), "utf8");
  return () => reply(200, type, body, { "cache-control": "no-cache" });
}

const LIMIT_BYTES = 1_000_000;

/**
 * Serves the routes on localhost; the first that fits answers, after `first`, which answers by itself what is its own.
 * Resolves once it listens.
 */
export async function serve(
  port: number,
  routes: Route[],
  first: (incoming: IncomingMessage, outgoing: ServerResponse) => boolean = () => false,
): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    if (first(incoming, outgoing)) return;
    answer(routes, incoming)
      .catch((error: unknown): Reply => {
        console.error(error);
        return reply(500, "text/plain", "The demo store made a mistake.");
      })
      .then((answered) => {
        outgoing.writeHead(answered.status, {
          ...answered.headers,
          ...(answered.cookies.length > 0 ? { "set-cookie": answered.cookies } : {}),
        });
        outgoing.end(incoming.method === "HEAD" ? undefined : answered.body);
      })
      .catch((error: unknown) => console.error(error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return server;
}

async function answer(routes: Route[], incoming: IncomingMessage): Promise<Reply> {
  const url = new URL(incoming.url ?? "/", `http://${incoming.headers.host ?? "localhost"}`);
  const method = incoming.method === "HEAD" ? "GET" : (incoming.method ?? "GET");
  const body = await read(incoming);
  if (body === undefined) return reply(413, "text/plain", "Too large");
  const cookies = parseCookies(incoming.headers.cookie);
  const told = Number(incoming.headers["x-demo-at"]);
  for (const { method: wanted, pattern, handler } of routes) {
    const match = pattern.exec(url.pathname);
    if (match === null || wanted !== method) continue;
    const params = Object.fromEntries(Object.entries(match.groups ?? {}).map(([name, value]) => [name, decode(value)]));
    return handler({
      method,
      url,
      params,
      headers: incoming.headers,
      cookies,
      body,
      market: marketOf(url.searchParams.get("region") ?? cookies.get("localization")),
      at: Number.isFinite(told) && told > 0 ? told : Date.now(),
    });
  }
  return reply(404, "text/plain", "Not found");
}

async function read(incoming: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size <= LIMIT_BYTES) chunks.push(bytes);
  }
  return size > LIMIT_BYTES ? undefined : Buffer.concat(chunks).toString("utf8");
}

function parseCookies(header: string | undefined): Map<string, string> {
  const pairs = (header ?? "").split(";").map((pair): [string, string] => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at).trim(), decode(pair.slice(at + 1).trim())];
  });
  return new Map(pairs);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
