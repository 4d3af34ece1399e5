import type { AddressInfo } from "node:net";
import { z } from "zod";
import { adminRoutes } from "./admin/api.ts";
import { mountAdminApi } from "./admin-api/demo-store.ts";
import type { AdminStore } from "./admin-api/store.ts";
import { adminPage } from "./admin/page.ts";
import { serve } from "./http.ts";
import { mailboxRoutes } from "./mailbox/pages.ts";
import { type Mailbox, startMailbox } from "./mailbox/smtp.ts";
import { seed } from "./seed.ts";
import { openDeliveries } from "./shopify/deliveries.ts";
import { startSimulation } from "./simulate.ts";
import { API_VERSIONS, type ApiVersion, type Store } from "./store/store.ts";
import { openState, type StateFile } from "./store/state.ts";
import { accountRoutes } from "./storefront/account-pages.ts";
import { ajaxRoutes } from "./storefront/ajax.ts";
import { assetRoutes } from "./storefront/asset-routes.ts";
import { checkoutRoutes } from "./storefront/checkout-routes.ts";
import { type EmbedSettings, proxyRoutes } from "./storefront/embed.ts";
import { notFoundPage, shopRoutes } from "./storefront/shop-pages.ts";
import { storyRoutes } from "./storefront/story-pages.ts";

export type DemoOptions = {
  /** 0 takes any free port. */
  port: number;
  footfallUrl: string;
  /** The *.myshopify.com name. */
  shop: string;
  /** Signs the webhooks and what the app proxy passes on. */
  apiSecret: string;
  /** The app's client id, for those who connect over the Admin API; a random one without it. */
  apiKey?: string | undefined;
  /** Settings of the app embed that are not its defaults. */
  embed?: Partial<EmbedSettings> | undefined;
  /** Where the stand-in keeps what it knows; in memory alone without one. */
  stateDir?: string | undefined;
  apiVersion?: ApiVersion | undefined;
  /** Chance for chaos; tests give one that repeats. */
  random?: (() => number) | undefined;
};

export type Demo = {
  url: string;
  state: StateFile["state"];
  admin: AdminStore;
  mailbox: Mailbox;
  close(): Promise<void>;
};

/**
 * Starts the storefront, the Shopify stand-in and a mailbox on localhost. Webhooks go to `{footfallUrl}/webhooks/shopify`.
 * Rejects when the port is taken. `close` stops sending, writes the state and resolves when the port is free.
 */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const file = openState(options.stateDir);
  const apiVersion = options.apiVersion ?? "2026-10";
  const footfallUrl = options.footfallUrl.replace(/\/$/, "");
  const deliveries = openDeliveries({
    endpoint: `${footfallUrl}/webhooks/shopify`,
    shop: options.shop,
    secret: options.apiSecret,
    apiVersion,
    state: file.state,
    save: file.save,
    random: options.random ?? Math.random,
  });
  const store: Store = {
    domain: options.shop,
    url: `http://localhost:${options.port}`,
    apiVersion,
    state: file.state,
    save: file.save,
    emit: (action, topic, payload) => announce(action, topic, payload),
  };
  const { api, admin, announce } = mountAdminApi(store, file, deliveries, options);
  const mailbox = await startMailbox();
  const site = { store, footfallUrl, apiSecret: options.apiSecret, embed: options.embed };
  const server = await serve(
    options.port,
    [
      ...assetRoutes(site),
      ...ajaxRoutes(store),
      ...checkoutRoutes(site),
      ...accountRoutes(site),
      ...proxyRoutes(site),
      ...adminRoutes(store, deliveries, admin),
      adminPage(options.shop, footfallUrl),
      ...mailboxRoutes(mailbox),
      ...shopRoutes(site),
      ...storyRoutes(site),
      { method: "GET", pattern: /^/, handler: (request) => notFoundPage(site, request) },
    ],
    (incoming, outgoing) => api.handle(incoming, outgoing),
  ).catch(async (error: unknown) => {
    await Promise.all([deliveries.stop(), mailbox.close()]);
    throw error;
  });
  store.url = `http://localhost:${addressOf(server.address()).port}`;
  return {
    url: store.url,
    state: file.state,
    admin,
    mailbox,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      api.close();
      await Promise.all([deliveries.stop(), mailbox.close()]);
      file.close();
    },
  };
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === "string") throw new Error("The server listens on no port");
  return address;
}

const environment = z.object({
  DEMO_PORT: z.coerce.number().int().default(8788),
  FOOTFALL_URL: z.url().default("http://localhost:8787"),
  SHOP: z.string().default("demo.myshopify.com"),
  SHOPIFY_API_KEY: z.string().optional(),
  SHOPIFY_API_SECRET: z.string().min(1),
  SHOPIFY_API_VERSION: z.enum(API_VERSIONS).optional(),
  OPERATOR_TOKEN: z.string().min(1),
  STATE_DIR: z.string().optional(),
  SIMULATE: z.coerce.number().default(6),
});

/**
 * `node demo/server.ts`: seeds the shop in the product, serves the store, and lets the simulator shop
 * (SIMULATE visitors a minute, 0 for none). Prints one line of JSON when ready; stops on SIGTERM and SIGINT.
 */
async function main(): Promise<void> {
  const env = environment.parse(process.env);
  const demo = await startDemo({
    port: env.DEMO_PORT,
    footfallUrl: env.FOOTFALL_URL,
    shop: env.SHOP,
    apiKey: env.SHOPIFY_API_KEY,
    apiSecret: env.SHOPIFY_API_SECRET,
    stateDir: env.STATE_DIR,
    apiVersion: env.SHOPIFY_API_VERSION,
  });
  let simulation: { stop(): Promise<void> } | undefined;
  const stop = async (): Promise<void> => {
    await simulation?.stop();
    await demo.close();
    process.exit(0);
  };
  process.on("SIGTERM", () => void stop());
  process.on("SIGINT", () => void stop());

  const { apiKey } = await seed({
    footfallUrl: env.FOOTFALL_URL,
    operatorToken: env.OPERATOR_TOKEN,
    shop: env.SHOP,
    app: { clientId: demo.admin.app.clientId, clientSecret: demo.admin.app.clientSecret },
    apiKey: demo.state.apiKey,
    mailPort: demo.mailbox.port,
  });
  demo.state.apiKey = apiKey;
  if (env.SIMULATE > 0) {
    const runs = demo.state.simulatorRuns;
    demo.state.simulatorRuns += 1;
    simulation = startSimulation({
      footfallUrl: env.FOOTFALL_URL,
      storeUrl: demo.url,
      shop: env.SHOP,
      ratePerMinute: env.SIMULATE,
      // Earlier hours are told once; a restart goes on with other shoppers.
      burst: runs === 0 ? 80 : 0,
      seed: runs + 1,
    });
  }
  const pages = { admin: `${demo.url}/_admin`, mail: `${demo.url}/_mail` };
  console.log(JSON.stringify({ demo: demo.url, ...pages, shop: env.SHOP, apiKey }));
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  });
}
