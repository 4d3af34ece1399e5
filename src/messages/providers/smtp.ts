import type { Socket } from "node:net";
import net from "node:net";
import { Readable } from "node:stream";
import tls from "node:tls";

import MailComposer from "nodemailer/lib/mail-composer";
import SMTPConnection from "nodemailer/lib/smtp-connection";

import { isLoopback } from "../../config";
import { AppError } from "../../errors";
import { smtpHostProblem } from "./address";
import { PROVIDERS } from "./catalogue";
import type { OutgoingMessage, Provider } from "./provider";
import { smtpFailure } from "./smtp-outcome";

/** How long the server may take to be reached and to greet, and to answer any command after that. */
const CONNECT_MS = 15_000;
const ANSWER_MS = 30_000;

/**
 * Any server of mail submission (RFC 6409), through nodemailer over the sockets of the Worker. The connection is made
 * here, by the host's name, since nodemailer would resolve the name itself and the Worker could no longer check the
 * certificate against it. Servers report nothing to us: bounces come as mail to the sender's address.
 */
export const smtp: Pick<Provider, "send" | "readFeedback"> = {
  async send(message, credentials, ctx) {
    const { host, port, security = "starttls", username, password } = PROVIDERS.smtp.credentials.parse(credentials);
    if (smtpHostProblem(host, Number(port)) !== null || (security === "none" && !isLoopback(host))) {
      return { kind: "refused", code: "address_not_allowed", permanent: false };
    }
    const raw = await compose(message, ctx.now);
    const body = Readable.from([raw]);
    const progress = { bodyRead: false };
    body.once("end", () => (progress.bodyRead = true));
    let connection: SMTPConnection | null = null;
    try {
      const socket = await connect(host, Number(port), security);
      connection = new SMTPConnection({
        connection: socket,
        host,
        name: domainOf(message.from.address),
        secure: security === "tls",
        secured: security === "tls",
        requireTLS: security === "starttls",
        ignoreTLS: security === "none",
        greetingTimeout: CONNECT_MS,
        connectionTimeout: CONNECT_MS,
        socketTimeout: ANSWER_MS,
        logger: false,
      });
      await greeted(connection);
      if (username !== undefined && password !== undefined) {
        await done((end) => connection?.login({ user: username, pass: password }, end));
      }
      const envelope = { from: message.from.address, to: [message.to], size: raw.length };
      await done((end) => connection?.send(envelope, body, end));
      return { kind: "accepted", providerId: messageId(message) };
    } catch (error) {
      return smtpFailure(error, progress);
    } finally {
      connection?.quit();
    }
  },

  readFeedback() {
    return Promise.reject(new AppError("not_found", "A mail server reports nothing over HTTP"));
  },
};

/** The mail as it goes over the wire (RFC 5322 and MIME): both parts, encoded, its headers folded and free of CR and LF. */
async function compose(message: OutgoingMessage, now: number): Promise<Buffer> {
  const mail = new MailComposer({
    from: { address: message.from.address, name: message.from.name ?? "" },
    to: { address: message.to, name: "" },
    ...(message.replyTo === null ? {} : { replyTo: { address: message.replyTo, name: "" } }),
    subject: message.subject ?? "",
    text: message.text,
    ...(message.html === null ? {} : { html: message.html }),
    headers: { ...message.headers, "X-Footfall-Delivery": message.deliveryId },
    messageId: messageId(message),
    date: new Date(now),
    // A template's words are never taken for a file or an address to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return mail.compile().build();
}

/** The same for every attempt, so that a server which has it already can tell. */
function messageId({ deliveryId, from }: OutgoingMessage): string {
  return `<${deliveryId}@${domainOf(from.address)}>`;
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
}

function connect(host: string, port: number, security: "tls" | "starttls" | "none"): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const secure = security === "tls";
    const socket: Socket = secure ? tls.connect({ host, port, servername: host }) : net.connect({ host, port });
    const timer = setTimeout(() => socket.destroy(new Error("the server was not reached in time")), CONNECT_MS);
    socket.once("error", reject);
    socket.once("close", () => {
      clearTimeout(timer);
      reject(new Error("the connection was refused"));
    });
    socket.once(secure ? "secureConnect" : "connect", () => {
      clearTimeout(timer);
      socket.removeListener("error", reject);
      resolve(socket);
    });
  });
}

/** Resolves once the server has greeted, and the connection is encrypted where it has to be. */
function greeted(connection: SMTPConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays on: an error after the outcome is known must not end the Worker.
    connection.on("error", reject);
    connection.connect((error?: Error | null) => (error ? reject(error) : resolve()));
  });
}

function done(call: (end: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => call((error) => (error ? reject(error) : resolve())));
}
