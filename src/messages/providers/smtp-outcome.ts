import { z } from "zod";

import type { SendOutcome } from "./provider";

const MINUTE = 60_000;

/** A server that says `later` (4xx), as greylisting does, means minutes. */
const LATER_MS = 5 * MINUTE;
const UNREACHABLE_MS = MINUTE;

/** What nodemailer's errors carry: the kind, and of a reply its code, its words and the command it answered. */
const Failure = z.object({
  code: z.string().optional(),
  responseCode: z.number().optional(),
  response: z.string().optional(),
  command: z.string().optional(),
});

/**
 * What a failed conversation means. A reply says it by its code; without one it depends on how far it came: as long as
 * the text was not handed over whole, nothing was sent. After that the server may have taken it and its answer was lost.
 *
 * @param bodyRead whether all of the text was handed to the socket
 */
export function smtpFailure(error: unknown, { bodyRead }: { bodyRead: boolean }): SendOutcome {
  const { code, responseCode, response = "", command = "" } = Failure.safeParse(error).data ?? {};
  if (responseCode !== undefined) return replied(responseCode, response, { code, command });
  if (bodyRead) return { kind: "unknown", code: "connection_lost" };
  if (code === "EENVELOPE") return { kind: "refused", code: "invalid_address", permanent: true };
  if (code === "EMESSAGE") return { kind: "refused", code: "too_large", permanent: true };
  if (code === "EAUTH") return { kind: "refused", code: "auth_failed", permanent: false };
  if (code === "ETLS") return { kind: "refused", code: "tls_failed", permanent: false };
  return { kind: "retry", code: "unreachable", afterMs: UNREACHABLE_MS };
}

function replied(
  status: number,
  response: string,
  { code, command }: { code: string | undefined; command: string },
): SendOutcome {
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1];
  const named = `smtp_${status}${enhanced ? `_${enhanced}` : ""}`;
  if (status < 500) return { kind: "retry", code: named, afterMs: LATER_MS };
  if (code === "EAUTH" || code === "ETLS" || command === "MAIL FROM") {
    return { kind: "refused", code: named, permanent: false };
  }
  if (command !== "RCPT TO") return { kind: "refused", code: named, permanent: true };
  if (isRelayRefusal(response, enhanced)) return { kind: "refused", code: named, permanent: false };
  return {
    kind: "refused",
    code: named,
    permanent: true,
    ...(isNoMailbox(status, enhanced) ? { suppress: "HARD_BOUNCE" } : {}),
  };
}

/** The server does not carry our mail anywhere (X.7.x: policy), which says nothing of the address. */
function isRelayRefusal(response: string, enhanced: string | undefined): boolean {
  return enhanced?.startsWith("5.7.") === true || /\brelay/i.test(response);
}

/** RFC 3463: X.1.x is about the address, X.2.1 a mailbox that takes nothing; 550, 551 and 553 alone say no more. */
function isNoMailbox(status: number, enhanced: string | undefined): boolean {
  if (enhanced === undefined) return [550, 551, 553].includes(status);
  return enhanced.startsWith("5.1.") || enhanced === "5.2.1";
}
