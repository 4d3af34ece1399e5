import PostalMime from "postal-mime";
import { SMTPServer } from "smtp-server";

/** A mail as a person meets it in a mail program. */
export type Mail = {
  id: number;
  /** Epoch ms at which it arrived. */
  at: number;
  /** Of the envelope. */
  from: string;
  to: string[];
  subject: string;
  html: string | null;
  text: string;
  /** In their order, decoded. */
  headers: { name: string; value: string }[];
};

export type Mailbox = {
  /** Where mail is taken, on this machine alone. */
  port: number;
  /** Oldest first. */
  mails: readonly Mail[];
  close(): Promise<void>;
};

/** Older mails go, so that a demo that runs for days stays small. */
const MOST_KEPT = 500;

/** Starts a mail server on a free port that takes every mail for everybody and passes none on. */
export async function startMailbox(): Promise<Mailbox> {
  const mails: Mail[] = [];
  let count = 0;
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS", "AUTH"],
    closeTimeout: 100,
    logger: false,
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        PostalMime.parse(Buffer.concat(chunks)).then(
          ({ subject = "", html = null, text = "", headers }) => {
            mails.push({
              id: ++count,
              at: Date.now(),
              from: envelope.mailFrom ? envelope.mailFrom.address : "",
              to: envelope.rcptTo.map(({ address }) => address),
              subject,
              html,
              text,
              headers: headers.map(({ originalKey: name, value }) => ({ name, value })),
            });
            mails.splice(0, mails.length - MOST_KEPT);
            done(null, "kept");
          },
          () => done(Object.assign(new Error("5.6.0 This is no mail"), { responseCode: 554 })),
        );
      });
    },
  });
  // A client that hangs up is none of ours.
  server.on("error", () => undefined);
  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.server.address();
      if (address === null || typeof address === "string") reject(new Error("The mail server listens on no port"));
      else resolve(address.port);
    });
  });
  return { port, mails, close: () => new Promise((resolve) => server.close(() => resolve())) };
}
