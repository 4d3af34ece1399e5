import { defineConfig } from "vitest/config";

import { answerAsReceiver } from "./test/helpers/receiver-service.ts";
import { answerAsSns } from "./test/helpers/sns-service.ts";
import { trustTestCertificate } from "./test/node/trusted-certificate.ts";

await trustTestCertificate();
// Loaded after that: miniflare reads whom to trust when it is loaded.
const { cloudflareTest, readD1Migrations } = await import("@cloudflare/vitest-plugin");
const { fetch, Response } = await import("miniflare");

/** Folders whose tests look at nothing but their own shops: they share a runtime and its database. */
const SHARED = [
  "carts",
  "collect",
  "events",
  "fields",
  "identity",
  "lifecycle",
  "lists",
  "orders",
  "products",
  "tags",
  "templates",
].map((folder) => `test/${folder}/**/*.test.ts`);

/** Files of tests that run inside workerd. Those that share a runtime save the seconds that starting one takes. */
function inWorkerd(
  name: string,
  { include, exclude, isolate }: { include: string[]; exclude: string[]; isolate: boolean },
) {
  return {
    plugins: [
      cloudflareTest(async ({ inject }) => ({
        wrangler: { configPath: "./wrangler.toml" },
        miniflare: {
          outboundService: async (request) => {
            const answer = (await answerAsReceiver(request)) ?? (await answerAsSns(request));
            return answer ? new Response(answer.body, answer) : fetch(request, { redirect: "manual" });
          },
          bindings: {
            TEST_MIGRATIONS: await readD1Migrations("./migrations"),
            OPERATOR_TOKEN: "operator-token-of-the-tests",
            SHOPIFY_API_KEY: "test-api-key",
            SHOPIFY_API_SECRET: "test-api-secret",
            SHOPIFY_API_SECRET_PREVIOUS: "test-api-secret-before",
            ENCRYPTION_KEY: "dGVzdHMtb25seS1rZXktb2YtMzItYnl0ZXMtLS0tLS0=",
            TRUST_GEO_HEADERS: "on",
            DEVELOPMENT_SENDER: "off",
            DNS_RESOLVER: `${inject("providers")}/dns/dns-query`,
            SEED: process.env["SEED"] ?? "",
            SHOPIFY_ADMIN_ORIGIN: `${inject("standin")}/_shopify/{shop}`,
          },
        },
      })),
    ],
    test: {
      name,
      include,
      exclude,
      isolate,
      setupFiles: ["./test/helpers/setup.ts"],
      globalSetup: ["./test/node/standin-setup.ts", "./test/node/providers-setup.ts"],
      testTimeout: 30_000,
      // One for each core of a small machine; a runtime mostly waits for the other processes of its test.
      maxWorkers: 2,
    },
  };
}

/**
 * `worker` and `worker-shared` run inside workerd with real D1, Durable Objects and queues, the former with a runtime for
 * each file; each test mints its own shop. `node` drives the built tracker in a real browser and the
 * product as a process.
 */
export default defineConfig({
  test: {
    projects: [
      inWorkerd("worker-shared", { include: SHARED, exclude: [], isolate: false }),
      inWorkerd("worker", {
        include: ["test/**/*.test.ts"],
        exclude: ["test/browser/**", "test/node/**", "test/bench/**", ...SHARED],
        isolate: true,
      }),
      {
        test: {
          name: "node",
          environment: "node",
          include: ["test/node/**/*.test.ts", "test/browser/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
