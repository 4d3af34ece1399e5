/**
 * Amazon SNS as the Worker under test reaches it: `https://sns.{region}.amazonaws.com` is answered outside of workerd.
 * `PUT` of a certificate lets the same address be read; a visit of any other address is remembered, and `GET /__visits`
 * tells of them.
 */

const certificates = new Map<string, string>();
const visits: string[] = [];

interface IncomingRequest {
  method: string;
  url: string;
  text: () => Promise<string>;
}

/** What SNS answers; null when the address is not its own. */
export async function answerAsSns(
  request: IncomingRequest,
): Promise<{ status: number; headers: Record<string, string>; body: string } | null> {
  const url = new URL(request.url);
  if (!/^sns\.[a-z0-9-]+\.amazonaws\.com$/.test(url.hostname)) return null;
  const say = (status: number, body: string) => ({ status, headers: { "content-type": "text/plain" }, body });
  if (request.method === "PUT") certificates.set(url.href, await request.text());
  if (url.pathname === "/__visits") return say(200, JSON.stringify(visits));
  const certificate = certificates.get(url.href);
  if (certificate === undefined) visits.push(url.href);
  return say(200, certificate ?? "confirmed");
}
