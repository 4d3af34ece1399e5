/**
 * Receivers of outgoing webhooks, for the Worker under test: every host below `hooks.example` is one, answered outside
 * of workerd. `PUT /__replies` says what to answer next (`[500, { status: 302, location }]`; 204 after the last), `GET /__log` tells what came.
 */

export const RECEIVER_DOMAIN = "hooks.example";

export type PlannedReply =
  | number
  | { status: number; location: string }
  | { status: number; body: string; headers?: Record<string, string> };

export interface ReceivedCall {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

interface Receiver {
  replies: PlannedReply[];
  log: ReceivedCall[];
}

const receivers = new Map<string, Receiver>();

interface IncomingRequest {
  method: string;
  url: string;
  headers: Iterable<[string, string]>;
  text: () => Promise<string>;
  json: () => Promise<unknown>;
}

/** What the receiver at this address answers; null when the address is nobody's here. */
export async function answerAsReceiver(
  request: IncomingRequest,
): Promise<{ status: number; headers: Record<string, string>; body: string | null } | null> {
  const url = new URL(request.url);
  if (!url.hostname.endsWith(`.${RECEIVER_DOMAIN}`)) return null;
  const receiver = receivers.get(url.hostname) ?? { replies: [], log: [] };
  receivers.set(url.hostname, receiver);
  if (url.pathname === "/__replies") {
    receiver.replies = (await request.json()) as PlannedReply[];
    return { status: 204, headers: {}, body: null };
  }
  if (url.pathname === "/__log") return { status: 200, headers: {}, body: JSON.stringify(receiver.log) };
  receiver.log.push({
    method: request.method,
    path: url.pathname + url.search,
    headers: Object.fromEntries(request.headers),
    body: await request.text(),
  });
  const reply = receiver.replies.shift() ?? 204;
  if (typeof reply === "number") return { status: reply, headers: {}, body: reply === 204 ? null : "secret words" };
  if ("body" in reply) return { status: reply.status, headers: reply.headers ?? {}, body: reply.body };
  return { status: reply.status, headers: { location: reply.location }, body: null };
}
