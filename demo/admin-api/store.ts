import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { BulkOperation } from "./bulk.ts";
import type { CodeCreation, Discount } from "./discounts.ts";
import { generatedRecords } from "./generate.ts";
import type { GenerateOptions } from "./world.ts";
import type { Failure } from "./failures.ts";
import type { Source } from "./listing.ts";
import type {
  CheckoutRecord,
  CollectionRecord,
  CustomerRecord,
  LocationRecord,
  OrderRecord,
  ProductRecord,
  StaffRecord,
} from "./records.ts";
import type { Subscription } from "./subscriptions.ts";
import { Table } from "./table.ts";

/** What an app of this kind asks for when a test names no scopes. */
export const USUAL_SCOPES = [
  "read_customers",
  "read_customer_merge",
  "read_orders",
  "read_all_orders",
  "read_products",
  "read_locations",
  "read_users",
  "write_pixels",
  "read_customer_events",
];

export const storeSchema = z.object({
  id: z.number().int().optional(),
  /** The *.myshopify.com name; one of its own without it. */
  domain: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*\.myshopify\.com$/)
    .optional(),
  name: z.string().default("Stand-in Store"),
  email: z.email().default("owner@stand-in.example"),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .default("EUR"),
  ianaTimezone: z.string().default("Europe/Berlin"),
  taxesIncluded: z.boolean().default(true),
  plan: z.enum(["basic", "advanced", "plus"]).default("basic"),
  clientId: z.string().optional(),
  clientSecret: z.string().optional(),
  scopes: z.array(z.string()).default(USUAL_SCOPES),
  installed: z.boolean().default(true),
  /** Where the app's authorization may be sent back to; any address when empty. */
  redirectUris: z.array(z.string()).default([]),
  /** What the store takes for now, epoch ms; the real time without it. It moves on from there. */
  now: z.number().optional(),
});

export type StoreOptions = z.input<typeof storeSchema>;

export type Token = {
  /** `permanent` never ends, `offline` may be refreshed, `client` and `online` are asked for anew. */
  kind: "permanent" | "offline" | "client" | "online";
  expiresAt: number | null;
};

export type RefreshToken = { expiresAt: number; usedAt: number | null; successor: Record<string, unknown> | null };

export type LogEntry = {
  at: number;
  method: string;
  path: string;
  /** Of GraphQL: the operation's name, whether it changes anything, and its root fields. */
  operation: string | null;
  mutation: boolean;
  fields: string[];
  query: string | null;
  variables: unknown;
  status: number;
  requestedCost: number | null;
  requestId: string;
};

export type Records = {
  customers: Table<CustomerRecord>;
  orders: Table<OrderRecord>;
  products: Table<ProductRecord>;
  collections: Table<CollectionRecord>;
  checkouts: Table<CheckoutRecord>;
  locations: Table<LocationRecord>;
  staff: Table<StaffRecord>;
  /** The orders of a customer, oldest first; a scan of the table without it. */
  ordersOf?: ((customerId: number) => OrderRecord[]) | undefined;
};

/** How records become nodes of the schema. */
export type Nodes = {
  customer: (record: CustomerRecord) => Source;
  order: (record: OrderRecord) => Source;
  product: (record: ProductRecord) => Source;
  variant: (product: ProductRecord, variant: ProductRecord["variants"][number]) => Source;
  collection: (record: CollectionRecord) => Source;
  checkout: (record: CheckoutRecord) => Source;
};

/** The stores of a stand-in, by domain. */
export type Registry = {
  stores: Map<string, AdminStore>;
  open(options: StoreOptions, records?: Records | (() => Records)): AdminStore;
};

export type AdminStore = {
  domain: string;
  id: number;
  name: string;
  email: string;
  currency: string;
  ianaTimezone: string;
  taxesIncluded: boolean;
  plan: "basic" | "advanced" | "plus";
  createdAt: number;
  app: { clientId: string; clientSecret: string; scopes: string[]; installed: boolean; redirectUris: string[] };
  tokens: Map<string, Token>;
  refreshTokens: Map<string, RefreshToken>;
  codes: Map<string, { expiresAt: number; redirectUri: string; scopes: string[]; online: boolean }>;
  subscriptions: Map<number, Subscription>;
  bulk: Map<number, BulkOperation>;
  discounts: Map<number, Discount>;
  codeCreations: Map<number, CodeCreation>;
  records: () => Records;
  /** What the records were generated from. */
  generated: GenerateOptions | null;
  generate: (options: GenerateOptions) => void;
  nodes: Nodes;
  /** The leaky bucket of this app on this store. */
  bucket: { level: number; at: number };
  failures: Failure[];
  /** Webhooks of a store without a storefront, with the status they met; 0 for none. */
  deliveries: { topic: string; uri: string; body: object; status: number }[];
  log: LogEntry[];
  /** What the store takes for now, epoch ms. */
  now: () => number;
  setNow: (now: number) => void;
  nextId: () => number;
  /** Told of what the app has to hear of by webhook: topic name and body. */
  emit: (topic: string, payload: object) => void;
};

/** Points restored a second by plan, and the bucket's size, twenty times that. */
export const RESTORE_RATES = { basic: 100, advanced: 200, plus: 1000 };

export function emptyRecords(): Records {
  return {
    customers: new Table(),
    orders: new Table(),
    products: new Table(),
    collections: new Table(),
    checkouts: new Table(),
    locations: new Table(),
    staff: new Table(),
  };
}

const LOG_LENGTH = 20_000;

export function openStore(
  options: StoreOptions,
  nodes: Nodes,
  records: Records | (() => Records) = emptyRecords(),
): AdminStore {
  const given = storeSchema.parse(options);
  let offset = given.now === undefined ? 0 : given.now - Date.now();
  let sequence = 0;
  const now = (): number => Date.now() + offset;
  let current = typeof records === "function" ? records : () => records;
  const restore = RESTORE_RATES[given.plan];
  const store: AdminStore = {
    domain: given.domain ?? `standin-${randomBytes(8).toString("hex")}.myshopify.com`,
    id: given.id ?? 60_000_000_000 + (randomBytes(4).readUInt32BE() % 1_000_000_000),
    name: given.name,
    email: given.email,
    currency: given.currency,
    ianaTimezone: given.ianaTimezone,
    taxesIncluded: given.taxesIncluded,
    plan: given.plan,
    createdAt: now() - 3 * 365 * 86_400_000,
    app: {
      clientId: given.clientId ?? randomBytes(16).toString("hex"),
      clientSecret: given.clientSecret ?? `shpss_${randomBytes(16).toString("hex")}`,
      scopes: given.scopes,
      installed: given.installed,
      redirectUris: given.redirectUris,
    },
    tokens: new Map(),
    refreshTokens: new Map(),
    codes: new Map(),
    subscriptions: new Map(),
    bulk: new Map(),
    discounts: new Map(),
    codeCreations: new Map(),
    records: () => current(),
    generated: null,
    generate: (from) => {
      const made = generatedRecords(store, from);
      current = () => made;
      store.generated = from;
    },
    nodes,
    bucket: { level: restore * 20, at: Date.now() },
    failures: [],
    deliveries: [],
    log: [],
    now,
    setNow: (to) => {
      offset = to - Date.now();
    },
    nextId: () => {
      sequence += 1;
      return 1_400_000_000_000 + sequence * 32_768 + 77;
    },
    emit: () => undefined,
  };
  return store;
}

export function record(store: AdminStore, entry: LogEntry): void {
  store.log.push(entry);
  if (store.log.length > LOG_LENGTH) store.log.splice(0, store.log.length - LOG_LENGTH);
}
