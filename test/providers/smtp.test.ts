import { describe, expect, it } from "vitest";

import { mail, mailPorts, send, standIns, unique } from "../helpers/providers";

const ACCOUNT = { username: "shop", password: "correct horse" };

const plain = { host: "localhost", port: String(mailPorts.plain), security: "none" };
const starttls = { host: "localhost", port: String(mailPorts.plain), ...ACCOUNT };
const tls = { host: "localhost", port: String(mailPorts.tls), security: "tls", ...ACCOUNT };

interface Arrived {
  from: string;
  to: string[];
  raw: string;
  encrypted: boolean;
  user: string | null;
}

/** What the server has for an address. */
async function arrived(to: string): Promise<Arrived[]> {
  return (await fetch(`${standIns}/smtp/__mail?to=${encodeURIComponent(to)}`)).json();
}

describe.each([
  ["in the clear, on this machine", plain, { encrypted: false, user: null }],
  ["by STARTTLS, with a password", starttls, { encrypted: true, user: "shop" }],
  ["encrypted from the start, with a password", tls, { encrypted: true, user: "shop" }],
])("SMTP %s", (_, credentials, expected) => {
  it("carries a mail with both parts and its headers", async () => {
    const message = mail({ text: "Hällo\n.\n..dots\nEnd" });
    const outcome = await send("smtp", message, credentials, null);
    expect(outcome).toEqual({ kind: "accepted", providerId: `<${message.deliveryId}@acme.example>` });
    const [got, ...others] = await arrived(message.to);
    expect(others).toEqual([]);
    expect(got).toMatchObject({ from: "shop@acme.example", to: [message.to], ...expected });
    const raw = got?.raw ?? "";
    const [head = ""] = raw.split("\r\n\r\n");
    expect(head).toContain(`Message-ID: <${message.deliveryId}@acme.example>`);
    expect(head).toContain(`X-Footfall-Delivery: ${message.deliveryId}`);
    expect(head).toContain(String.raw`From: "Acme \"Best\", Ltd" <shop@acme.example>`);
    expect(head).toContain("Reply-To: help@acme.example");
    expect(head).toContain("List-Unsubscribe: <https://acme.example/u>");
    expect(head).toContain("List-Unsubscribe-Post: List-Unsubscribe=One-Click");
    expect(head).toMatch(/^Subject: =\?UTF-8\?/m);
    expect(head).toContain("MIME-Version: 1.0");
    expect(raw).toContain("text/plain; charset=utf-8");
    expect(raw).toContain("text/html; charset=utf-8");
    // Dots that begin a line come through as they are: they were stuffed on the way.
    expect(decoded(raw)).toContain("Hällo\n.\n..dots\nEnd");
    expect(decoded(raw)).toContain("<p>Hällo</p>");
  });
});

/** Bodies in quoted-printable, read. */
function decoded(raw: string): string {
  const bytes = raw
    .replaceAll("=\r\n", "")
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  const text = new TextDecoder().decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0)));
  return text.replaceAll("\r\n", "\n");
}

it("no text of a message becomes a header or a command of its own", async () => {
  const to = `${unique()}@customer.example`;
  const message = mail({
    to,
    subject: "Hi\r\nBcc: victim@customer.example",
    from: { address: "shop@acme.example", name: "Acme\r\nBcc: victim@customer.example" },
    headers: { "X-Note": "a\r\nBcc: victim@customer.example\r\n\r\nbody" },
    html: null,
    text: "One\r\n.\r\nMAIL FROM:<evil@acme.example>\r\nRCPT TO:<victim@customer.example>\r\nDATA\r\nevil\r\n.\r\n",
  });
  expect(await send("smtp", message, plain, null)).toMatchObject({ kind: "accepted" });
  const [got] = await arrived(to);
  expect(got?.raw.split("\r\n\r\n")[0]).not.toMatch(/^Bcc:/im);
  expect(got?.raw).toContain("MAIL FROM:<evil@acme.example>");
  expect(await arrived("victim@customer.example")).toEqual([]);
  const broken = mail({ to: `a@customer.example>\r\nRCPT TO:<victim@customer.example` });
  expect(await send("smtp", broken, plain, null)).toMatchObject({ kind: "refused", permanent: true });
  expect(await arrived("victim@customer.example")).toEqual([]);
});

it.each([
  ["nobody", { kind: "refused", code: "smtp_550_5.1.1", permanent: true, suppress: "HARD_BOUNCE" }],
  ["gone", { kind: "refused", code: "smtp_550", permanent: true, suppress: "HARD_BOUNCE" }],
  ["full", { kind: "refused", code: "smtp_552_5.2.2", permanent: true }],
  ["relay", { kind: "refused", code: "smtp_554_5.7.1", permanent: false }],
  ["spam", { kind: "refused", code: "smtp_554_5.7.1", permanent: true }],
  ["later", { kind: "retry", code: "smtp_451_4.7.1", afterMs: 300_000 }],
  ["busy", { kind: "retry", code: "smtp_451_4.3.0", afterMs: 300_000 }],
  ["drop-early", { kind: "retry", code: "unreachable", afterMs: 60_000 }],
  ["drop-late", { kind: "unknown", code: "connection_lost" }],
])("what the server says of %s@ is what it means", async (name, outcome) => {
  const to = `${name}@${unique()}.example`;
  expect(await send("smtp", mail({ to }), plain, null)).toEqual(outcome);
  // The one outcome that nobody may repeat: the mail is there.
  expect(await arrived(to)).toHaveLength(name === "drop-late" ? 1 : 0);
});

it("a wrong password is the sender's fault", async () => {
  const outcome = await send("smtp", mail(), { ...starttls, password: "wrong" }, null);
  expect(outcome).toEqual({ kind: "refused", code: "smtp_535_5.7.8", permanent: false });
});

/**
 * workerd closes a TLS socket whose STARTTLS failed and leaves the rejection of that to nobody, which would end the run
 * of tests: waits for it, and for nothing else.
 */
async function withStrayRejection<T>(work: () => Promise<T>): Promise<T> {
  const listeners = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  const stray = new Promise<void>((resolve) => process.once("unhandledRejection", () => resolve()));
  try {
    const result = await work();
    await stray;
    return result;
  } finally {
    for (const listener of listeners) process.on("unhandledRejection", listener);
  }
}

it("a certificate that nobody vouches for, or of another name, is not trusted, and no mail leaves", async () => {
  const untrusted = { host: "localhost", port: String(mailPorts.untrusted), ...ACCOUNT };
  const otherName = { ...tls, host: "127.0.0.2" };
  const [one, two] = [mail(), mail()];
  const outcomes = [
    await withStrayRejection(() => send("smtp", one, untrusted, null)),
    await send("smtp", two, otherName, null),
  ];
  for (const { kind } of outcomes) expect(["refused", "retry"]).toContain(kind);
  expect([...(await arrived(one.to)), ...(await arrived(two.to))]).toEqual([]);
});

it("a server that is not there is tried again; one that may not be called never is", async () => {
  expect(await send("smtp", mail(), { ...plain, port: "1" }, null)).toMatchObject({ kind: "retry" });
  const notAllowed = { kind: "refused", code: "address_not_allowed", permanent: false };
  for (const [host, port] of [
    ["smtp.acme.example", "25"],
    ["10.0.0.1", "587"],
    ["mail.internal", "587"],
    ["smtp.acme.example", "22"],
    ["smtp.acme.example/x", "587"],
  ]) {
    expect(await send("smtp", mail(), { host: host ?? "", port: port ?? "" }, null), host).toEqual(notAllowed);
  }
  const clear = { host: "smtp.acme.example", port: "587", security: "none" };
  expect(await send("smtp", mail(), clear, null)).toEqual(notAllowed);
});
