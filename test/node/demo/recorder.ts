import { createServer } from "node:http";
import { z } from "zod";

export type Recorded = { method: string; path: string; headers: Record<string, string>; raw: string };

export type Recorder = {
  url: string;
  requests: Recorded[];
  /** The webhooks received, in order. */
  webhooks(): { topic: string; headers: Record<string, string>; raw: string; body: Record<string, unknown> }[];
  beacons(): { headers: Record<string, string>; body: unknown }[];
  /** What the product would answer; by default what an accepting product does. */
  answer: (request: Recorded) => { status: number; body?: string; type?: string };
  close(): Promise<void>;
};

const payload = z.record(z.string(), z.unknown());

/** Stands where the product would: the demo's outside world. Keeps every request, bytes and all. */
export async function startRecorder(): Promise<Recorder> {
  const requests: Recorded[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const headers = Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
      );
      const request = {
        method: incoming.method ?? "",
        path: incoming.url ?? "",
        headers,
        raw: Buffer.concat(chunks).toString("utf8"),
      };
      requests.push(request);
      const { status, body = "", type = "application/json" } = recorder.answer(request);
      outgoing.writeHead(status, { "content-type": type, "access-control-allow-origin": "*" });
      outgoing.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const recorder: Recorder = {
    url: `http://localhost:${portOf(server.address())}`,
    requests,
    webhooks: () =>
      requests
        .filter((request) => request.path === "/webhooks/shopify")
        .map((request) => ({
          topic: request.headers["x-shopify-topic"] ?? "",
          headers: request.headers,
          raw: request.raw,
          body: payload.parse(JSON.parse(request.raw)),
        })),
    beacons: () =>
      requests
        .filter((request) => request.path === "/ff")
        .map((request) => ({ headers: request.headers, body: JSON.parse(request.raw) })),
    answer: accepting,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return recorder;
}

function accepting(request: Recorded): { status: number; body?: string; type?: string } {
  if (request.path === "/ff") return { status: 204 };
  if (request.path === "/v1/shops") return { status: 201, body: '{"id":"shp_1"}' };
  if (request.path === "/v1/api-keys") return { status: 201, body: '{"id":"key_1","key":"ff_key"}' };
  if (request.path.startsWith("/ff.js"))
    return { status: 200, body: "self.trackerLoaded = true;", type: "text/javascript" };
  return { status: 200, body: "{}" };
}

function portOf(address: { port: number } | string | null): number {
  if (address === null || typeof address === "string") throw new Error("No port");
  return address.port;
}
