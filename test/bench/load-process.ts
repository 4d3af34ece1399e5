/**
 * The load, in a process of its own and on bare sockets, so that as little as possible of the two processors goes into
 * making it. Every connection sends its next request when the last one is answered.
 */
import { createHmac, randomUUID } from "node:crypto";
import { connect } from "node:net";

import type { LoadOrder, LoadResult } from "./load.ts";

const AGENTS = [
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
  "Mozilla/5.0 (Linux; Android 14; SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36",
];

process.once("message", (order: LoadOrder) => void run(order));

async function run(order: LoadOrder): Promise<void> {
  // Every object exists, and the code is warm, before anything is measured.
  if (order.kind === "beacon") await send(order, (n) => n < order.objects);
  else await send(order, (n) => n < 500);
  process.send?.("warm");
  const until = performance.now() + order.seconds * 1000;
  process.send?.(await send(order, () => performance.now() < until));
}

let sent = 0;

function send(order: LoadOrder, more: (n: number) => boolean): Promise<LoadResult> {
  const result: LoadResult = { requests: 0, errors: 0, seconds: 0, latenciesMs: [] };
  const started = performance.now();
  let taken = 0;
  const connection = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(order.port, "127.0.0.1");
      socket.setNoDelay(true);
      let at = 0;
      let answer = "";
      const next = () => {
        if (!more(taken++)) {
          socket.end(resolve);
          return;
        }
        answer = "";
        at = performance.now();
        socket.write(request(order, sent++));
      };
      socket.on("connect", next);
      socket.on("error", reject);
      socket.on("data", (chunk) => {
        answer += chunk.toString("latin1");
        const status = complete(answer);
        if (status === null) return;
        result.requests++;
        if (status >= 300) result.errors++;
        if (status >= 300 && result.errors === 1) console.error(answer);
        result.latenciesMs.push(performance.now() - at);
        next();
      });
    });
  return Promise.all(Array.from({ length: order.connections }, connection)).then(() => ({
    ...result,
    seconds: (performance.now() - started) / 1000,
  }));
}

/** The status of an answer that has arrived as a whole, otherwise null. */
function complete(answer: string): number | null {
  const end = answer.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(answer)?.[1] ?? 0);
  const chunked = /\r\ntransfer-encoding: chunked/i.test(answer);
  if (chunked ? !answer.endsWith("0\r\n\r\n") : answer.length < end + 4 + length) return null;
  return Number(answer.slice(9, 12));
}

function request(order: LoadOrder, n: number): Buffer {
  return order.kind === "beacon" ? beacon(order, n) : webhook(order);
}

function beacon({ shop, objects, round }: LoadOrder, n: number): Buffer {
  const object = n % objects;
  const visitor = `${(round * 100_000 + object).toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`;
  // As in a visit: the first page is reached from outside by a campaign, every other from within.
  const arrives = n < objects;
  const url = `https://${shop}/products/thing-${n % 500}${arrives ? "?utm_source=news&utm_medium=email" : ""}`;
  const now = Date.now();
  const body = JSON.stringify({
    shop,
    visitor,
    events: [
      {
        id: `e${n.toString(36).padStart(15, "0")}`,
        type: "page_viewed",
        at: now - 250,
        url,
        title: `A thing with the number ${n % 500}`,
        referrer: arrives ? "https://news.example/" : `https://${shop}/collections/all`,
      },
    ],
    consent: { analytics: true, marketing: true },
    sent: now,
  });
  return http(`/ff?o=${round}.${object}`, body, {
    "content-type": "text/plain;charset=UTF-8",
    origin: `https://${shop}`,
    referer: `https://${shop}/`,
    "user-agent": AGENTS[n % AGENTS.length] ?? "",
  });
}

/** A note of an order that nothing else belongs to, signed as Shopify signs. */
function webhook({ shop, secret }: LoadOrder): Buffer {
  const id = Math.floor(Math.random() * 2 ** 48);
  const body = JSON.stringify({
    id,
    admin_graphql_api_id: `gid://shopify/Order/${id}`,
    name: `#${id % 100_000}`,
    currency: "EUR",
    total_price: "19.99",
    created_at: new Date().toISOString(),
    updated_at: new Date().toISOString(),
    note: "n".repeat(3_000),
    line_items: [{ id: id + 1, title: "Mug", quantity: 1, price: "19.99" }],
  });
  return http("/webhooks/shopify", body, {
    "content-type": "application/json",
    "x-shopify-topic": "orders/bench",
    "x-shopify-shop-domain": shop,
    "x-shopify-webhook-id": randomUUID(),
    "x-shopify-event-id": randomUUID(),
    "x-shopify-api-version": "2026-10",
    "x-shopify-triggered-at": new Date().toISOString(),
    "x-shopify-hmac-sha256": createHmac("sha256", secret).update(body).digest("base64"),
  });
}

function http(path: string, body: string, headers: Record<string, string>): Buffer {
  const bytes = Buffer.from(body);
  const lines = Object.entries({ host: "127.0.0.1", "content-length": String(bytes.length), ...headers });
  const head = `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}`).join("\r\n")}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}
