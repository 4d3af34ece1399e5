/** Sends a burst at an even pace, whatever the answers take, from a process of its own. */
import { createHmac } from "node:crypto";
import { Agent, request } from "node:http";

import { burst } from "../helpers/burst.ts";
import { Random } from "../helpers/random.ts";
import type { BurstOrder, BurstResult } from "./burst.ts";

process.once("message", (order: BurstOrder) => void run(order));

async function run({ port, shop, secret, size, seed, now, seconds }: BurstOrder): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const prepared = burst(size, new Random(seed), now).arriving.map((delivery) => {
    const body = Buffer.from(delivery.body);
    const headers = {
      "content-type": "application/json",
      "content-length": body.length,
      "x-shopify-topic": delivery.topic,
      "x-shopify-shop-domain": shop,
      "x-shopify-webhook-id": delivery.webhookId,
      "x-shopify-api-version": "2026-10",
      "x-shopify-triggered-at": new Date(delivery.triggeredAt).toISOString(),
      "x-shopify-hmac-sha256": createHmac("sha256", secret).update(body).digest("base64"),
    };
    return { body, headers };
  });
  const post = ({ body, headers }: (typeof prepared)[number]) =>
    new Promise<number>((resolve, reject) => {
      const sent = request(
        { port, host: "127.0.0.1", method: "POST", path: "/webhooks/shopify", agent, headers },
        (answer) => {
          answer.resume();
          answer.on("end", () => resolve(answer.statusCode ?? 0));
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
  const result: BurstResult = { errors: 0, seconds: 0, latenciesMs: [] };
  const started = performance.now();
  let sent = 0;
  const open: Promise<void>[] = [];
  // Latency counts from when a delivery was due, so that waiting for a connection is not left out.
  for (;;) {
    const due = Math.min(size, Math.floor(((performance.now() - started) / 1000 / seconds) * size) + 1);
    for (; sent < due; sent++) {
      const dueAt = started + (sent / size) * seconds * 1000;
      const delivery = prepared[sent];
      if (!delivery) continue;
      open.push(
        post(delivery).then((status) => {
          if (status !== 200) result.errors++;
          result.latenciesMs.push(performance.now() - dueAt);
        }),
      );
    }
    if (sent >= size) break;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(open);
  result.seconds = (performance.now() - started) / 1000;
  process.send?.(result, () => process.exit(0));
}
