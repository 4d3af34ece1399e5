import { createHmac, randomUUID } from "node:crypto";
import type { Chaos, Delivery, State } from "../store/state.ts";
import type { Action, ApiVersion } from "../store/store.ts";
import { utcTime } from "../time.ts";

/** How long Shopify waits for an answer. */
const TIMEOUT_MS = 5_000;
/** Waits before the tries after the first. Shopify has eight over four hours; these are shorter, so that a demo recovers while one looks. */
const RETRY_MS = [1_000, 3_000, 10_000, 30_000, 120_000, 600_000, 1_800_000, 7_200_000];

/** With shuffling, deliveries are held for a random part of this long at least: what is sent at once cannot overtake. */
const SHUFFLE_MS = 1_500;

export type Deliveries = {
  /** `to` is a subscription's own address; that of the options without one. */
  enqueue(action: Action, topic: string, payload: object, to?: { endpoint: string; name: string | null }): Delivery;
  /** Sends everything that is pending now, whatever its due time, each once (and its duplicates). */
  flush(): Promise<{ delivered: number; failed: number }>;
  /** Sends one again, as it was: the same ids, the same bytes. */
  replay(delivery: Delivery): void;
  stop(): Promise<void>;
};

/** base64 HMAC-SHA256 over the exact bytes of the body, as in X-Shopify-Hmac-Sha256. */
export function sign(body: string, secret: string): string {
  return createHmac("sha256", secret).update(body, "utf8").digest("base64");
}

/**
 * The stand-in's webhook sender: one at a time in the order things happened, five seconds each, only 2xx counts,
 * failures come back later. `state.chaos` makes it duplicate, delay, shuffle and lose deliveries.
 */
export function openDeliveries(options: {
  endpoint: string;
  shop: string;
  secret: string;
  apiVersion: ApiVersion;
  state: State;
  save: () => void;
  random: () => number;
}): Deliveries {
  const { state, save, random } = options;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  let nanos = 0;

  const pending = (): Delivery[] => state.deliveries.filter((one) => one.state === "pending");

  /** Wakes up when the earliest pending delivery is due. */
  const arm = (): void => {
    clearTimeout(timer);
    if (stopped) return;
    const due = Math.min(...pending().map((one) => one.dueAt));
    if (due === Infinity) return;
    timer = setTimeout(
      () => {
        running = running.then(async () => void (await drain(() => Date.now()))).finally(arm);
      },
      Math.max(0, due - Date.now()),
    );
  };

  const drain = async (until: () => number): Promise<{ delivered: number; failed: number }> => {
    const done = { delivered: 0, failed: 0 };
    const tried = new Set<Delivery>();
    for (;;) {
      const ready = pending().filter((one) => one.dueAt <= until() && !tried.has(one));
      const next = ready[state.chaos.shuffle ? Math.floor(random() * ready.length) : 0];
      if (next === undefined || stopped) return done;
      if (await send(next)) done.delivered += 1;
      else {
        done.failed += 1;
        tried.add(next);
      }
    }
  };

  const send = async (delivery: Delivery): Promise<boolean> => {
    delivery.attempts += 1;
    delivery.lastStatus = await post(delivery);
    const accepted = delivery.lastStatus !== null && delivery.lastStatus >= 200 && delivery.lastStatus < 300;
    if (accepted) {
      delivery.copies -= 1;
      if (delivery.copies <= 0) delivery.state = "delivered";
    } else {
      const wait = RETRY_MS[delivery.attempts - 1];
      if (wait === undefined) delivery.state = "failed";
      else delivery.dueAt = Date.now() + wait;
    }
    save();
    return accepted;
  };

  const post = async (delivery: Delivery): Promise<number | null> => {
    try {
      const answer = await fetch(delivery.endpoint ?? options.endpoint, {
        method: "POST",
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          "content-type": "application/json",
          "user-agent": "Shopify-Captain-Hook",
          "x-shopify-topic": delivery.topic,
          "x-shopify-hmac-sha256": sign(delivery.body, options.secret),
          "x-shopify-shop-domain": options.shop,
          "x-shopify-api-version": options.apiVersion,
          "x-shopify-webhook-id": delivery.webhookId,
          "x-shopify-event-id": delivery.eventId,
          "x-shopify-triggered-at": delivery.triggeredAt,
          ...(delivery.name ? { "x-shopify-name": delivery.name } : {}),
        },
        body: delivery.body,
      });
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      // Refused, reset or too slow: Shopify sees a failure and nothing else.
      return null;
    }
  };

  arm();

  return {
    enqueue: (action, topic, payload, to) => {
      const chaos: Chaos = state.chaos;
      nanos = (nanos + 1) % 1_000_000;
      const lost = chaos.drop > 0 && random() < chaos.drop;
      const delivery: Delivery = {
        webhookId: randomUUID(),
        eventId: action.eventId,
        topic,
        ...to,
        triggeredAt: `${utcTime(action.at).slice(0, -1)}${String(nanos).padStart(6, "0")}Z`,
        body: JSON.stringify(payload),
        state: lost ? "dropped" : "pending",
        attempts: 0,
        copies: chaos.duplicate > 0 && random() < chaos.duplicate ? 2 : 1,
        dueAt:
          Date.now() + (chaos.shuffle ? Math.round(Math.max(chaos.delayMs, SHUFFLE_MS) * random()) : chaos.delayMs),
        lastStatus: null,
      };
      state.deliveries.push(delivery);
      save();
      arm();
      return delivery;
    },
    flush: () => {
      clearTimeout(timer);
      const flushed = running.then(() => drain(() => Infinity));
      running = flushed.then(() => undefined).finally(arm);
      return flushed;
    },
    replay: (delivery) => {
      Object.assign(delivery, { state: "pending", attempts: 0, copies: 1, dueAt: Date.now() });
      save();
      arm();
    },
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
