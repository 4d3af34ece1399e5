import { SMTPServer, type SMTPServerSession } from "smtp-server";

/** A mail as it came over the wire. */
export interface Mail {
  from: string;
  to: string[];
  /** As the server got it: headers, blank line, body. */
  raw: string;
  encrypted: boolean;
  user: string | null;
}

/** Key and certificate, PEM. */
export interface Identity {
  key: string;
  cert: string;
}

export interface Certificates {
  trusted: Identity;
  /** Of an authority that nobody knows. */
  untrusted: Identity;
}

export interface Mailboxes {
  /** STARTTLS is offered; mail is taken without it too. */
  plainPort: number;
  /** Encrypted from the first byte. */
  tlsPort: number;
  /** STARTTLS with a certificate that nobody vouches for. */
  untrustedPort: number;
  mailFor: (address: string) => Mail[];
  close: () => Promise<void>;
}

/** The account of these servers. */
export const SMTP_ACCOUNT = { username: "shop", password: "correct horse" };

/** Answers that an address asks for by what stands before its @: to `RCPT TO`, or to the whole mail. */
const AT_RCPT: Record<string, [status: number, text: string]> = {
  nobody: [550, "5.1.1 No such user here"],
  full: [552, "5.2.2 Mailbox full"],
  relay: [554, "5.7.1 Relay access denied"],
  later: [451, "4.7.1 Greylisted, try again later"],
  gone: [550, "No such mailbox"],
};
const AT_DATA: Record<string, [status: number, text: string]> = {
  spam: [554, "5.7.1 Message rejected as spam"],
  busy: [451, "4.3.0 Try again"],
};

/** Three servers of mail submission that share their mailboxes. */
export async function startMailServers({ trusted, untrusted }: Certificates): Promise<Mailboxes> {
  const mails: Mail[] = [];
  const identity = ({ key, cert }: Identity) => ({ key, cert });
  const servers = [
    makeServer(mails, identity(trusted)),
    makeServer(mails, { ...identity(trusted), secure: true }),
    makeServer(mails, identity(untrusted)),
  ];
  const ports = await Promise.all(servers.map(listen));
  const [plainPort = 0, tlsPort = 0, untrustedPort = 0] = ports;
  return {
    plainPort,
    tlsPort,
    untrustedPort,
    mailFor: (address) => mails.filter(({ to }) => to.includes(address)),
    close: async () => {
      await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
    },
  };
}

function makeServer(mails: Mail[], tls: Identity & { secure?: boolean }): SMTPServer {
  const server: SMTPServer = new SMTPServer({
    ...tls,
    authOptional: true,
    // Otherwise a password would only be taken after STARTTLS, and the plain way could not be tried.
    allowInsecureAuth: true,
    closeTimeout: 100,
    logger: false,
    onAuth: ({ username, password }, _session, done) => {
      if (username === SMTP_ACCOUNT.username && password === SMTP_ACCOUNT.password) done(null, { user: username });
      else done(failure(535, "5.7.8 Authentication credentials invalid"));
    },
    onRcptTo: ({ address }, session, done) => {
      const name = address.split("@")[0] ?? "";
      if (name === "drop-early") return hangUp(server, session);
      const refused = AT_RCPT[name];
      done(refused ? failure(...refused) : null);
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        const name = to[0]?.split("@")[0] ?? "";
        const refused = AT_DATA[name];
        if (refused) return done(failure(...refused));
        const { mailFrom, rcptTo: _ } = session.envelope;
        mails.push({
          from: mailFrom ? mailFrom.address : "",
          to,
          raw: Buffer.concat(chunks).toString("utf8"),
          encrypted: session.secure,
          user: session.user ?? null,
        });
        // The mail is kept, and the sender never hears of it.
        if (name === "drop-late") return hangUp(server, session);
        done(null, "queued");
      });
    },
  });
  server.on("error", () => undefined);
  return server;
}

function failure(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}

function hangUp(server: SMTPServer, session: SMTPServerSession): void {
  for (const connection of server.connections) {
    if (connection.id === session.id) connection.close();
  }
}

function listen(server: SMTPServer): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.server.address();
      if (address === null || typeof address === "string") reject(new Error("no port"));
      else resolve(address.port);
    });
  });
}
