import { env, exports } from "cloudflare:workers";

/** An ordinary browser, as bots are dropped by their user agent. */
export const BROWSER =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";

export interface SentEvent {
  id?: string;
  type: string;
  at?: number;
  url?: string;
  title?: string;
  referrer?: string;
  data?: Record<string, unknown>;
}

/** Posts a beacon as a consenting browser in Berlin would. */
export async function send(
  domain: string,
  visitor: string,
  events: SentEvent[],
  more: { body?: Record<string, unknown>; headers?: Record<string, string> } = {},
): Promise<Response> {
  return exports.default.fetch("https://footfall.test/ff", {
    method: "POST",
    headers: {
      "content-type": "text/plain",
      "user-agent": BROWSER,
      "cf-connecting-ip": "203.0.113.7",
      "cf-ipcountry": "DE",
      "cf-region": "Berlin",
      "cf-ipcity": "Berlin",
      ...more.headers,
    },
    body: JSON.stringify({
      shop: domain,
      visitor,
      consent: { analytics: true, marketing: true },
      events: events.map((event) => ({ id: newEventId(), at: Date.now(), ...event })),
      ...more.body,
    }),
  });
}

export function newEventId(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(0, 20);
}

export function newVisitor(): string {
  return crypto.randomUUID();
}

/** The object behind a visitor. */
export function objectOf(shop: { key: number }, visitor: string) {
  return env.VISITOR.getByName(`${shop.key}:${visitor}`);
}
