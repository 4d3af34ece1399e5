import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { startDemo, type Demo } from "../../../demo/server.ts";
import { buy, MUG_OAT, shopperAt, THROW_CLAY } from "../demo/browser-without-window.ts";
import { startRecorder, type Recorder } from "../demo/recorder.ts";

const SHOP = "alder-test.myshopify.com";
const SECRET = "hush-of-the-tests";

let product: Recorder;
let demo: Demo;
beforeAll(async () => {
  product = await startRecorder();
  demo = await startDemo({ port: 0, footfallUrl: product.url, shop: SHOP, apiKey: "key-1", apiSecret: SECRET });
});
afterAll(async () => {
  await demo.close();
  await product.close();
});

const flush = () => shopperAt(demo.url).ajax("/_admin/api/flush", {});

async function accessToken(): Promise<string> {
  const answer = await fetch(`${demo.url}/_shopify/${SHOP}/admin/oauth/access_token`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "client_credentials", client_id: "key-1", client_secret: SECRET }),
  });
  return z.object({ access_token: z.string() }).parse(await answer.json()).access_token;
}

async function graphql(token: string, query: string): Promise<{ status: number; data: unknown }> {
  const answer = await fetch(`${demo.url}/_shopify/${SHOP}/admin/api/2026-10/graphql.json`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-shopify-access-token": token },
    body: JSON.stringify({ query }),
  });
  const body = z
    .looseObject({ data: z.unknown().optional(), errors: z.unknown().optional() })
    .parse(await answer.json());
  if (answer.status === 200) expect(body.errors).toBeUndefined();
  return { status: answer.status, data: body.data };
}

it("shows the storefront's customers, orders, checkouts and products over the Admin API", async () => {
  await buy(shopperAt(demo.url), {
    email: "mia@example.com",
    phone: "+4915112345678",
    marketing: true,
    discount: "WELCOME10",
  });
  await buy(shopperAt(demo.url), { email: "kaori@example.com", country: "JP" });
  const token = await accessToken();
  const { data } = await graphql(
    token,
    `
      query All {
        customers(first: 5) {
          nodes {
            defaultEmailAddress {
              emailAddress
              marketingState
            }
            numberOfOrders
            amountSpent {
              amount
              currencyCode
            }
          }
        }
        orders(first: 5) {
          nodes {
            name
            discountCodes
            totalPriceSet {
              shopMoney {
                amount
              }
              presentmentMoney {
                amount
                currencyCode
              }
            }
            lineItems(first: 3) {
              nodes {
                title
                quantity
                product {
                  handle
                  featuredMedia {
                    preview {
                      image {
                        url
                      }
                    }
                  }
                }
              }
            }
          }
        }
        products(first: 10) {
          nodes {
            title
            variants(first: 3) {
              nodes {
                sku
                price
              }
            }
            collections(first: 5) {
              nodes {
                handle
              }
            }
          }
        }
        abandonedCheckouts(first: 5) {
          nodes {
            completedAt
            totalPriceSet {
              shopMoney {
                amount
              }
            }
          }
        }
      }
    `,
  );
  const seen = z
    .object({
      customers: z.object({
        nodes: z.array(z.object({ numberOfOrders: z.string(), amountSpent: z.object({ amount: z.string() }) })),
      }),
      orders: z.object({
        nodes: z.array(
          z.object({
            totalPriceSet: z.object({
              shopMoney: z.object({ amount: z.string() }),
              presentmentMoney: z.object({ amount: z.string(), currencyCode: z.string() }),
            }),
          }),
        ),
      }),
      products: z.object({ nodes: z.array(z.unknown()) }),
      abandonedCheckouts: z.object({ nodes: z.array(z.unknown()) }),
    })
    .parse(data);
  expect(data).toMatchObject({
    customers: {
      nodes: [
        { defaultEmailAddress: { emailAddress: "mia@example.com", marketingState: "SUBSCRIBED" } },
        { defaultEmailAddress: { emailAddress: "kaori@example.com", marketingState: "NOT_SUBSCRIBED" } },
      ],
    },
    orders: { nodes: [{ name: "#1001", discountCodes: ["WELCOME10"] }, { name: "#1002" }] },
  });
  expect(seen.customers.nodes.map(({ amountSpent }) => amountSpent.amount)).toEqual(
    seen.orders.nodes.map(({ totalPriceSet }) => totalPriceSet.shopMoney.amount),
  );
  expect(seen.orders.nodes[1]?.totalPriceSet.presentmentMoney).toEqual({
    amount: expect.stringMatching(/^\d+\.0$/),
    currencyCode: "JPY",
  });
  expect(seen.products.nodes).toHaveLength(8);
  expect(seen.abandonedCheckouts.nodes).toHaveLength(2);
});

it("keeps the place and the person of a sale over the counter", async () => {
  await shopperAt(demo.url).ajax("/_admin/api/orders", { variantId: MUG_OAT });
  await flush();
  const { data } = await graphql(
    await accessToken(),
    `
      {
        orders(first: 1, query: "source_name:pos") {
          nodes {
            customer {
              id
            }
            retailLocation {
              id
              name
            }
            staffMember {
              id
              name
            }
          }
        }
      }
    `,
  );
  expect(data).toEqual({
    orders: {
      nodes: [
        {
          customer: null,
          retailLocation: { id: "gid://shopify/Location/73002844391", name: "Workshop Berlin" },
          staffMember: { id: "gid://shopify/StaffMember/88002844391", name: "Ada Alder" },
        },
      ],
    },
  });
  const told = product.webhooks().find(({ topic, body }) => topic === "orders/create" && body["source_name"] === "pos");
  expect(told?.body).toMatchObject({ location_id: 73_002_844_391, user_id: 88_002_844_391 });
});

it("sends webhooks to the subscriptions once there are some, and none after the app is gone", async () => {
  const token = await accessToken();
  const create = (topic: string, rest = ""): Promise<unknown> =>
    graphql(
      token,
      `mutation New { webhookSubscriptionCreate(topic: ${topic}, webhookSubscription: { uri: "${product.url}/webhooks/shopify", name: "mine" ${rest} }) { userErrors { message } } }`,
    );
  await flush();
  const before = product.webhooks().length;
  expect(before).toBeGreaterThan(10);
  await create("CARTS_CREATE", `, includeFields: ["token", "line_items.title"]`);
  await create("APP_UNINSTALLED");
  const shopper = shopperAt(demo.url);
  await shopper.ajax("/cart/add.js", { id: THROW_CLAY, quantity: 1 });
  await shopper.ajax("/cart/add.js", { id: MUG_OAT, quantity: 1 });
  await flush();
  const [cart, ...others] = product.webhooks().slice(before);
  expect(others).toEqual([]);
  expect(cart).toMatchObject({ topic: "carts/create", headers: { "x-shopify-name": "mine" } });
  expect(Object.keys(cart?.body ?? {})).toEqual(["token", "line_items"]);

  await shopper.ajax("/_admin/api/uninstall", {});
  await shopper.ajax("/cart/add.js", { id: MUG_OAT, quantity: 1 });
  await flush();
  expect(
    product
      .webhooks()
      .slice(before + 1)
      .map(({ topic }) => topic),
  ).toEqual(["app/uninstalled"]);
  expect((await graphql(token, "{ shop { name } }")).status).toBe(401);
});
