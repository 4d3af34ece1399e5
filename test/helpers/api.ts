import { Validator } from "@cfworker/json-schema";
import { env, exports } from "cloudflare:workers";

const HOST = "https://footfall.test";

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed and checked against the published schema; null for an empty body. */
  // oxlint-disable-next-line typescript/no-explicit-any -- the published schema has vouched for the shape
  body: any;
}

/** A client of the API that fails the test when an answer is not as `/v1/openapi.json` says. */
export interface Client {
  get: (path: string, headers?: Record<string, string>) => Promise<Answer>;
  post: (path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
  patch: (path: string, body: unknown, headers?: Record<string, string>) => Promise<Answer>;
  put: (path: string, body: unknown, headers?: Record<string, string>) => Promise<Answer>;
  delete: (path: string, headers?: Record<string, string>) => Promise<Answer>;
  /** Any request at all; a string body is sent as it is. */
  request: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
}

/** A client with this bearer key; null sends none. */
export function api(key: string | null): Client {
  const request: Client["request"] = async (method, path, body, headers = {}) => {
    const response = await exports.default.fetch(HOST + path, {
      method,
      redirect: "manual",
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return checked(method, path, response);
  };
  return {
    request,
    get: (path, headers) => request("GET", path, undefined, headers),
    post: (path, body, headers) => request("POST", path, body, headers),
    patch: (path, body, headers) => request("PATCH", path, body, headers),
    put: (path, body, headers) => request("PUT", path, body, headers),
    delete: (path, headers) => request("DELETE", path, undefined, headers),
  };
}

/** The operator of the installation under test. */
export const operator = api(env.OPERATOR_TOKEN);

export interface MintedShop {
  id: string;
  /** The integer that leads every table. */
  key: number;
  domain: string;
  pixelKey: string;
  /** May read and write. */
  full: Client;
  readOnly: Client;
  writeOnly: Client;
  fullKey: string;
}

/** A shop of this test's own, with a domain that no other test has, and keys of every scope. */
export async function mintShop(settings: Record<string, unknown> = {}, more: Record<string, unknown> = {}) {
  const domain = `shop-${crypto.randomUUID()}.myshopify.com`;
  const shop = await operator.post("/v1/shops", { domain, settings, ...more });
  if (shop.status !== 201) throw new Error(`no shop: ${JSON.stringify(shop.body)}`);
  const keyOf = async (scopes: string[]) => {
    const made = await operator.post("/v1/api-keys", { shop: shop.body.id, name: scopes.join(), scopes });
    if (made.status !== 201) throw new Error(`no key: ${JSON.stringify(made.body)}`);
    return String(made.body.key);
  };
  const row = await env.DB.prepare("select key from shops where id = ?").bind(shop.body.id).first<{ key: number }>();
  const fullKey = await keyOf(["read", "write"]);
  const minted: MintedShop = {
    id: shop.body.id,
    key: row?.key ?? 0,
    domain,
    pixelKey: shop.body.pixelKey,
    full: api(fullKey),
    readOnly: api(await keyOf(["read"])),
    writeOnly: api(await keyOf(["write"])),
    fullKey,
  };
  return minted;
}

interface Operation {
  responses: Record<string, { content?: Record<string, { schema: Record<string, unknown> }> }>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: unknown;
}

/** Read while the file loads: the first request of a run also loads the whole API, which no test should be timed by. */
const published: Document = await (await exports.default.fetch(`${HOST}/v1/openapi.json`)).json<Document>();

async function checked(method: string, path: string, response: Response): Promise<Answer> {
  const text = await response.text();
  const { status, headers } = response;
  const type = (headers.get("content-type") ?? "").split(";")[0] ?? "";
  const body: unknown = type.endsWith("json") ? JSON.parse(text) : text === "" ? null : text;
  const where = `${method} ${path} -> ${status}`;
  if (status >= 500) throw new Error(`${where}: ${text}`);
  const pathname = path.split("?")[0] ?? "";
  const operation = operationFor(method.toLowerCase(), pathname);
  const documented = operation?.responses[status];
  if (!operation) {
    if (![401, 403, 404, 405, 415].includes(status)) throw new Error(`${where}: the route is not documented`);
    return { status, headers, body };
  }
  if (!documented) throw new Error(`${where}: the status is not documented`);
  const schema = documented.content?.[type]?.schema;
  if (!schema && text !== "") throw new Error(`${where}: ${type} is not documented`);
  if (schema && method !== "HEAD") {
    const validator = new Validator({ ...schema, components: published.components }, "2020-12", false);
    const result = validator.validate(body);
    if (!result.valid) throw new Error(`${where} is not as documented: ${JSON.stringify(result.errors)}\n${text}`);
  }
  return { status, headers, body };
}

function operationFor(method: string, pathname: string): Operation | undefined {
  const candidates = Object.keys(published.paths).filter((template) => {
    const pattern = template.replaceAll(/[.*+?^$()|[\]\\]/g, String.raw`\$&`).replaceAll(/\{[^}]+\}/g, "[^/]+");
    return new RegExp(`^${pattern}$`).test(pathname) && published.paths[template]?.[method];
  });
  const most = candidates.sort((a, b) => a.split("{").length - b.split("{").length)[0];
  return most === undefined ? undefined : published.paths[most]?.[method];
}
