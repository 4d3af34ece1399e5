import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Account, type Answer, type Call, parseJson, type StandIn } from "./exchange.ts";
import { cloudflare, mailgun, postmark, resend, sendgrid } from "./mail-apis.ts";
import { ses } from "./ses.ts";
import { type Certificates, type Mailboxes, startMailServers } from "./smtp.ts";
import { twilio } from "./twilio.ts";

const STAND_INS: Record<string, StandIn> = { resend, postmark, sendgrid, mailgun, ses, cloudflare, twilio };

export interface Providers {
  /** Base URL; each provider is below it by its name: `${url}/resend`. */
  url: string;
  mail: Mailboxes;
  close: () => Promise<void>;
}

/**
 * The providers of messages, on this machine: each takes and refuses what its published interface does. Beside them,
 * for tests and curious people:
 *
 * - `GET /{provider}/__taken?account=` what an account (by its key) was given; `PUT /{provider}/__plan?account=` what it
 *   answers next instead, as a JSON array of `{ status, headers?, body? }` or `"drop"`
 * - `GET /smtp/__mail?to=` the mail that arrived for an address
 * - `PUT /dns/__zone` TXT records by name, `GET /dns/dns-query?name=&type=TXT` a resolver that knows them alone
 */
export async function startProviders(certificates: Certificates, port = 0): Promise<Providers> {
  const mail = await startMailServers(certificates);
  const accounts = new Map<string, Account>();
  const zone = new Map<string, string[]>();
  const server = createServer((incoming, outgoing) => {
    read(incoming)
      .then((call) => write(outgoing, answer(call, { accounts, zone, mail })))
      .catch((error: unknown) => {
        console.error(error);
        outgoing.writeHead(500).end("The stand-in made a mistake.");
      });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    mail,
    close: async () => {
      server.closeAllConnections();
      await Promise.all([new Promise((resolve) => server.close(resolve)), mail.close()]);
    },
  };
}

interface World {
  accounts: Map<string, Account>;
  zone: Map<string, string[]>;
  mail: Mailboxes;
}

function answer(call: Call, { accounts, zone, mail }: World): Answer {
  const [, name = "", rest = ""] = /^\/([^/]+)(\/.*)?$/.exec(call.path) ?? [];
  if (name === "dns") return dns({ ...call, path: rest }, zone);
  if (name === "smtp") return { status: 200, body: mail.mailFor(call.query.get("to") ?? "") };
  const standIn = STAND_INS[name];
  if (!standIn) return { status: 404, body: "Not found" };
  const accountOf = (key: string) => {
    const found = accounts.get(`${name}:${key}`) ?? { taken: [], planned: [] };
    accounts.set(`${name}:${key}`, found);
    return found;
  };
  const asked = accountOf(call.query.get("account") ?? "");
  if (rest === "/__taken") return { status: 200, body: asked.taken };
  if (rest === "/__plan") {
    asked.planned.push(...(parseJson(call.body) as Answer[]));
    return { status: 204 };
  }
  const within = { ...call, path: rest };
  const key = standIn.account(within);
  if (key === null) return standIn.unauthorized;
  const account = accountOf(key);
  return account.planned.shift() ?? standIn.handle(within, account);
}

/** In the JSON of Cloudflare's resolver. */
function dns(call: Call, zone: Map<string, string[]>): Answer {
  if (call.path === "/__zone") {
    for (const [name, texts] of Object.entries(parseJson(call.body) as Record<string, string[]>)) zone.set(name, texts);
    return { status: 204 };
  }
  if (call.headers["accept"] !== "application/dns-json") return { status: 400, body: "Invalid accept" };
  const name = call.query.get("name") ?? "";
  const texts = zone.get(name);
  if (texts?.[0] === "servfail") return { status: 200, body: { Status: 2 } };
  const pieces = (text: string) => (text.match(/.{1,255}/g) ?? []).map((piece) => `"${piece}"`).join(" ");
  const Answer = (texts ?? []).map((text) => ({ name, type: 16, TTL: 300, data: pieces(text) }));
  return { status: 200, body: { Status: texts ? 0 : 3, ...(texts ? { Answer } : {}) } };
}

async function read(incoming: IncomingMessage): Promise<Call> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const url = new URL(incoming.url ?? "/", "http://stand-in");
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as const);
  return {
    method: incoming.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

function write(outgoing: ServerResponse, said: Answer): void {
  if (said === "drop") {
    outgoing.destroy();
    return;
  }
  const text = typeof said.body === "string" ? said.body : said.body === undefined ? "" : JSON.stringify(said.body);
  outgoing.writeHead(said.status, said.headers).end(text);
}
