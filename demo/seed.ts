import { z } from "zod";
import { arrangeCartMail, type Call } from "./mailbox/cart-mail.ts";
import { BRAND, SHOP_CURRENCY, SHOP_TIME_ZONE } from "./shop.ts";

export type SeedOptions = {
  footfallUrl: string;
  operatorToken: string;
  /** The *.myshopify.com name. */
  shop: string;
  /** The app to connect the shop with, as a merchant would; it stays unconnected without one. */
  app?: { clientId: string; clientSecret: string } | undefined;
  /** A key from an earlier seed; it is kept while the product accepts it. */
  apiKey?: string | null | undefined;
  /** Where the demo's mail server listens on this machine; the shop writes to nobody without one. */
  mailPort?: number | undefined;
  /** How long to wait for a product that is still starting, in ms. */
  patienceMs?: number | undefined;
};

type Method = "GET" | "POST" | "PUT" | "PATCH";

const created = z.object({ key: z.string() });

/**
 * Makes the demo shop in the product, connects it to the stand-in, lets it write to people who leave a cart, and makes a key to
 * read it with, over the product's REST API; done twice it changes nothing. Throws with the product's answer when it refuses.
 */
export async function seed(options: SeedOptions): Promise<{ apiKey: string }> {
  const base = options.footfallUrl.replace(/\/$/, "");
  await awake(base, options.patienceMs ?? 30_000);
  const send = (method: Method, path: string, body?: object): Promise<Response> =>
    fetch(`${base}${path}`, {
      method,
      headers: { authorization: `Bearer ${options.operatorToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  const shop = await send("POST", "/v1/shops", {
    domain: options.shop,
    name: BRAND,
    currency: SHOP_CURRENCY,
    timezone: SHOP_TIME_ZONE,
    // One computer plays every shopper, and a demo should show abandonment while one watches.
    settings: { abandonAfterSeconds: 300, flushSeconds: 15, beaconsPerMinutePerAddress: 0 },
  });
  if (shop.status !== 201 && shop.status !== 409)
    throw new Error(`The product did not make the demo shop: ${shop.status} ${await shop.text()}`);

  if (options.app !== undefined) {
    const connection = { method: "client_credentials", ...options.app };
    const connected = await send("PUT", `/v1/shops/${encodeURIComponent(options.shop)}/shopify`, connection);
    // Where the product is set to reach Shopify some other way, the demo goes on with webhooks alone.
    if (!connected.ok) console.error(`The demo shop is not connected: ${connected.status} ${await connected.text()}`);
  }

  if (options.mailPort !== undefined) {
    const call: Call = async (method, path, body) => {
      const answer = await send(method, path, body);
      if (!answer.ok) throw new Error(`The product refused ${method} ${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    };
    await arrangeCartMail(call, options.shop, options.mailPort);
  }

  if (options.apiKey && (await works(base, options.apiKey))) return { apiKey: options.apiKey };
  const key = await send("POST", "/v1/api-keys", { shop: options.shop, name: "Demo", scopes: ["read", "write"] });
  if (key.status !== 201) throw new Error(`The product gave no key: ${key.status} ${await key.text()}`);
  return { apiKey: created.parse(await key.json()).key };
}

async function works(base: string, key: string): Promise<boolean> {
  const answer = await fetch(`${base}/v1/contacts?limit=1`, { headers: { authorization: `Bearer ${key}` } });
  await answer.arrayBuffer();
  return answer.ok;
}

/** Waits until the product answers at all. */
async function awake(base: string, patienceMs: number): Promise<void> {
  const end = Date.now() + patienceMs;
  for (;;) {
    try {
      const answer = await fetch(`${base}/health`, { signal: AbortSignal.timeout(3_000) });
      await answer.arrayBuffer();
      if (answer.status < 500) return;
    } catch {
      // Not listening yet.
    }
    if (Date.now() > end) throw new Error(`The product does not answer at ${base}/health`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
