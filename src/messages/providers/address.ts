import { isLoopback } from "../../config";
import { addressProblem } from "../../endpoints";

/**
 * Why a provider may not be called at this address, in words for the caller; null where it may: a public host by its
 * name over https (the rule of outgoing webhooks), or plain http to this machine, where stand-ins run.
 */
export function baseUrlProblem(text: string): string | null {
  const url = URL.parse(text);
  if (url && (url.search !== "" || url.hash !== "")) return "must not hold a query or a fragment";
  if (url?.protocol !== "http:" || !isLoopback(url.hostname)) return addressProblem(text);
  return url.username !== "" || url.password !== "" ? "must not hold credentials" : null;
}

/** Ports of mail submission; others must be free ones. */
const SUBMISSION = [465, 587];

/**
 * Why no mail may be handed to this server; null where it may. Cloudflare lets no Worker connect to port 25, so that is
 * refused here instead of timing out there.
 */
export function smtpHostProblem(host: string, port: number): string | null {
  if (isLoopback(host)) return null;
  if (port === 25) return "port 25 is closed to Workers; the port of submission is 587 or 465";
  if (!SUBMISSION.includes(port) && port < 1_024) return "may only name port 465, 587, or one from 1024 on";
  const url = URL.parse(`https://${host}`);
  if (!url || url.hostname !== host.toLowerCase() || url.pathname !== "/") return "is not the name of a host";
  return addressProblem(url.href);
}
