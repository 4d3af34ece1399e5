import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { authorizePage } from "./authorize.ts";
import { sendBulkFile } from "./bulk-file.ts";
import { removeBulkFiles } from "./bulk.ts";
import { control } from "./control.ts";
import { type Answer, type Call, jsonAnswer } from "./exchange.ts";
import { type Failure, nextFailure } from "./failures.ts";
import { answerCall, type GraphQLAnswer, type GraphQLCall, readCall, throttled } from "./graphql.ts";
import { nodesOf } from "./nodes.ts";
import { sendOnce } from "./outlets.ts";
import { grantToken, readTokenRequest, tokenIsGood } from "./oauth.ts";
import { SERVED_VERSIONS } from "./schema.ts";
import { type AdminStore, openStore, record, type Registry } from "./store.ts";

export type AdminApi = Registry & {
  /** Answers what is meant for the Admin API or its control; false for anything else, which is left untouched. */
  handle(incoming: IncomingMessage, outgoing: ServerResponse): boolean;
  /** Removes what lies on disk. */
  close(): void;
};

const LIMIT_BYTES = 20_000_000;

/** The Admin API of every store that is opened here, under `/_shopify/{domain}/admin`, and its control under `/_admin/api/stores`. */
export function openAdminApi(): AdminApi {
  const stores = new Map<string, AdminStore>();
  const api: AdminApi = {
    stores,
    open: (options, records) => {
      const store: AdminStore = openStore(
        options,
        nodesOf(() => store),
        records,
      );
      store.emit = (topic, payload) =>
        void sendOnce(store, topic, payload).catch((error: unknown) => console.error(error));
      stores.set(store.domain, store);
      return store;
    },
    handle: (incoming, outgoing) => {
      const url = new URL(incoming.url ?? "/", `http://${incoming.headers.host ?? "localhost"}`);
      if (!/^\/(_shopify|_admin\/api\/stores)(\/|$)/.test(url.pathname)) return false;
      respond(api, url, incoming, outgoing).catch((error: unknown) => {
        console.error(error);
        if (!outgoing.headersSent) outgoing.writeHead(500, { "content-type": "text/plain" });
        outgoing.end("The stand-in made a mistake.");
      });
      return true;
    },
    close: () => removeBulkFiles(stores.values()),
  };
  return api;
}

/** Serves nothing but the Admin API. Resolves once it listens; `close` lets the port go. */
export async function startAdminApi(port = 0): Promise<{ url: string; api: AdminApi; close: () => Promise<void> }> {
  const api = openAdminApi();
  const server = createServer((incoming, outgoing) => {
    if (!api.handle(incoming, outgoing)) outgoing.writeHead(404).end("Not found");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server listens on no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    api,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      api.close();
    },
  };
}

async function respond(api: AdminApi, url: URL, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const call: Call = {
    method: incoming.method ?? "GET",
    url,
    headers: incoming.headers,
    body: await readBody(incoming),
    origin: url.origin,
  };
  if (url.pathname.startsWith("/_admin/")) return send(outgoing, await control(api, call));
  const [, , domain = "", ...rest] = url.pathname.split("/");
  const store = api.stores.get(domain);
  if (store === undefined) return send(outgoing, jsonAnswer(404, { errors: "Not Found" }));
  await answerStore(store, call, rest.join("/"), outgoing);
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > LIMIT_BYTES) throw new Error("The request is too large");
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function send(outgoing: ServerResponse, answer: Answer): void {
  outgoing.writeHead(answer.status, { "cache-control": "no-store", ...answer.headers }).end(answer.body);
}

/** Answers for one store; every request but those of bulk files goes into its log. */
async function answerStore(store: AdminStore, call: Call, path: string, outgoing: ServerResponse): Promise<void> {
  const requestId = randomUUID();
  const entry = {
    at: store.now(),
    method: call.method,
    path: `/${path}`,
    operation: null,
    mutation: false,
    fields: [],
    query: null,
    variables: null,
    requestedCost: null,
    requestId,
  };
  const finish = (answer: Answer): void =>
    send(outgoing, { ...answer, headers: { ...answer.headers, "x-request-id": requestId } });

  if (path.startsWith("bulk/") && ["GET", "HEAD"].includes(call.method)) {
    const answer = await sendBulkFile(store, call, path.slice("bulk/".length), outgoing);
    if (answer !== undefined) finish(answer);
    return undefined;
  }
  if (path === "admin/oauth/authorize" && call.method === "GET") {
    const answer = authorizePage(store, call);
    record(store, { ...entry, status: answer.status });
    return finish(answer);
  }
  if (path === "admin/oauth/access_token" && call.method === "POST") {
    const effect = async (): Promise<Answer> => tokenAnswer(store, call);
    const answer = await withFailure(nextFailure(store.failures, ["token"]), store, effect, outgoing);
    record(store, { ...entry, status: answer?.status ?? 0 });
    if (answer !== undefined) finish(answer);
    return undefined;
  }
  const version = /^admin\/api\/([^/]+)\/graphql\.json$/.exec(path)?.[1];
  if (version === undefined || call.method !== "POST") {
    record(store, { ...entry, status: 404 });
    return finish(jsonAnswer(404, { errors: "Not Found" }));
  }
  return answerGraphQL(store, call, version, entry, outgoing, finish);
}

async function answerGraphQL(
  store: AdminStore,
  call: Call,
  version: string,
  entry: Omit<Parameters<typeof record>[1], "status">,
  outgoing: ServerResponse,
  finish: (answer: Answer) => void,
): Promise<void> {
  const read = readCall(call.body);
  const told = "document" in read ? read : undefined;
  const logged = {
    ...entry,
    ...(told === undefined
      ? {}
      : {
          operation: told.operation,
          mutation: told.mutation,
          fields: told.fields,
          query: told.query,
          variables: told.variables,
        }),
  };
  const names = ["graphql", ...(told?.operation === null || told === undefined ? [] : [told.operation])];
  const failure = nextFailure(store.failures, names);
  let cost: number | null = null;
  const effect = async (): Promise<Answer> => {
    const answer = await graphQLAnswer(store, call, version, read, failure?.throttled === true);
    cost = answer.requestedCost;
    return jsonAnswer(answer.status, answer.body, { "x-shopify-api-version": version });
  };
  const answer = await withFailure(failure, store, effect, outgoing);
  record(store, { ...logged, status: answer?.status ?? 0, requestedCost: cost });
  if (answer !== undefined) finish(answer);
}

async function graphQLAnswer(
  store: AdminStore,
  call: Call,
  version: string,
  read: GraphQLCall | GraphQLAnswer,
  throttle: boolean,
): Promise<GraphQLAnswer> {
  const refuse = (status: number, errors: string): GraphQLAnswer => ({ status, body: { errors }, requestedCost: null });
  if (!SERVED_VERSIONS.includes(version)) return refuse(404, "Not Found");
  const token = call.headers["x-shopify-access-token"];
  if (!tokenIsGood(store, typeof token === "string" ? token : undefined))
    return refuse(401, "[API] Invalid API key or access token (unrecognized login or wrong password)");
  if (call.headers["content-type"]?.includes("json") !== true) return refuse(415, "Unsupported Media Type");
  if (!("document" in read)) return read;
  if (throttle) return throttled(store, SAMPLE_COST);
  return answerCall(store, read, `${call.origin}/_shopify/${store.domain}`);
}

/** What a throttle on order says that the query would have cost. */
const SAMPLE_COST = 120;

const WORDS: Record<number, string> = { 402: "Unavailable Shop", 423: "Locked", 429: "Exceeded 2 calls per second" };

/** The answer, or what a failure on order makes of it; undefined when the connection is to stay without one. */
async function withFailure(
  failure: Failure | undefined,
  store: AdminStore,
  effect: () => Promise<Answer>,
  outgoing: ServerResponse,
): Promise<Answer | undefined> {
  if (failure === undefined) return effect();
  if (failure.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, failure.delayMs));
  const replaces = failure.status !== undefined || failure.hang === true || failure.dropAfterBytes !== undefined;
  if (!replaces) return effect();
  if (failure.afterEffect) await effect();
  if (failure.hang === true) return undefined;
  if (failure.dropAfterBytes !== undefined) {
    outgoing.destroy();
    return undefined;
  }
  const status = failure.status ?? 500;
  return jsonAnswer(status, { errors: WORDS[status] ?? "Internal Server Error" }, failure.headers);
}

function tokenAnswer(store: AdminStore, call: Call): Answer {
  const request = readTokenRequest(call.body, call.headers["content-type"] ?? "");
  if (request === undefined) return jsonAnswer(400, { error: "invalid_request", error_description: "Malformed" });
  const { status, body } = grantToken(store, request);
  return jsonAnswer(status, body);
}
