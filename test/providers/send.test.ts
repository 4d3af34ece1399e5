import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { baseUrlProblem, loadProvider, type ProviderName } from "../../src/messages/providers";
import { T0 } from "../helpers/clock";
import { newReceiver } from "../helpers/receiver";
import { accountAt, mail, plan, send, standIns, taken, textMessage } from "../helpers/providers";

const MAIL_APIS: ProviderName[] = ["resend", "postmark", "sendgrid", "mailgun", "ses", "cloudflare"];
const APIS: ProviderName[] = [...MAIL_APIS, "twilio"];

/** A message that the provider carries. */
function messageFor(name: ProviderName, more: Parameters<typeof mail>[0] = {}) {
  if (name === "twilio") return textMessage(more);
  return mail(name === "cloudflare" ? { class: "transactional", ...more } : more);
}

describe.each(APIS)("%s", (name) => {
  it("takes a message, and is told our delivery id to tell back", async () => {
    const { credentials, account } = accountAt(name);
    const message = messageFor(name);
    const outcome = await send(name, message, credentials);
    const [sent, ...others] = await taken(name, account);
    expect(others).toEqual([]);
    expect(outcome.kind).toBe("accepted");
    expect(outcome.kind === "accepted" && outcome.providerId).toContain(sent?.id);
    expect(JSON.stringify(sent)).toContain(message.deliveryId);
    expect(JSON.stringify(sent)).toContain(message.to);
    expect(JSON.stringify(sent)).toContain(message.text);
    if (name === "twilio") return;
    expect(JSON.stringify(sent?.message)).toContain("List-Unsubscribe=One-Click");
    expect(JSON.stringify(sent?.message)).toContain("<p>Hällo</p>");
    expect(JSON.stringify(sent?.message)).toContain("help@acme.example");
    expect(JSON.stringify(sent?.message)).toContain("Your cart – still here");
  });

  it("refuses bad credentials: the sender is at fault, not the message", async () => {
    const { credentials } = accountAt(name);
    const bad = Object.fromEntries(
      Object.entries(credentials).map(([key, value]) => [key, /key|token/i.test(key) ? "wrong" : value]),
    );
    const outcome = await send(name, messageFor(name), bad);
    expect(outcome).toMatchObject({ kind: "refused", permanent: false });
    expect(outcome).not.toHaveProperty("suppress");
  });

  it("is tried again when it says so, after as long as it says", async () => {
    const { credentials, account } = accountAt(name);
    await plan(name, account, { status: 429, headers: { "retry-after": "17" }, body: {} }, { status: 503 });
    expect(await send(name, messageFor(name), credentials)).toMatchObject({ kind: "retry", afterMs: 17_000 });
    expect(await send(name, messageFor(name), credentials)).toMatchObject({ kind: "retry", afterMs: 60_000 });
    expect(await taken(name, account)).toEqual([]);
  });

  it("leaves it unknown when a connection breaks or a gateway answers in its place", async () => {
    const { credentials, account } = accountAt(name);
    await plan(name, account, "drop", { status: 502, body: "<html>Bad gateway</html>" }, { status: 200, body: "ok" });
    expect(await send(name, messageFor(name), credentials)).toMatchObject({ kind: "unknown" });
    expect(await send(name, messageFor(name), credentials)).toMatchObject({ kind: "unknown" });
    // SendGrid has only 202 for what it took; every other success without an id says nothing.
    const odd = await send(name, messageFor(name), credentials);
    expect(odd.kind).not.toBe("accepted");
  });

  it("follows no redirect, and calls no address that may not be called", async () => {
    const { credentials, account } = accountAt(name);
    const receiver = newReceiver();
    await plan(name, account, { status: 307, headers: { location: receiver.url } });
    expect(await send(name, messageFor(name), credentials)).toMatchObject({ kind: "refused", permanent: false });
    expect(await receiver.log()).toEqual([]);
    for (const base of [
      "https://169.254.169.254",
      "http://acme.example",
      "https://intranet",
      "https://a:b@acme.example",
    ]) {
      expect(await send(name, messageFor(name), credentials, base)).toEqual({
        kind: "refused",
        code: "address_not_allowed",
        permanent: false,
      });
    }
  });
});

it.each(MAIL_APIS)("%s refuses a domain that was never verified, and an address that is none", async (name) => {
  const { credentials } = accountAt(name);
  const from = { address: "shop@unverified.example", name: null };
  const unverified = await send(name, messageFor(name, { from }), credentials);
  // Mailgun takes any From of its domain; Cloudflare, Resend, SES, SendGrid and Postmark do not.
  if (name === "mailgun") expect(unverified.kind).toBe("accepted");
  else expect(unverified).toMatchObject({ kind: "refused", permanent: false });
  if (["resend", "postmark", "mailgun"].includes(name)) {
    const none = await send(name, messageFor(name, { from: { address: "no address", name: null } }), credentials);
    expect(none).toMatchObject({ kind: "refused", permanent: false });
  }
  const invalid = await send(name, messageFor(name, { to: "nobody at all" }), credentials);
  const suppress = ["resend", "postmark", "sendgrid", "mailgun"].includes(name);
  // Cloudflare's stand-in does not look at recipients.
  if (name === "cloudflare") return;
  expect(invalid).toMatchObject({ kind: "refused", permanent: true, ...(suppress && { suppress: "INVALID_EMAIL" }) });
});

it("resend takes the same delivery once, however often it is told", async () => {
  const { credentials, account } = accountAt("resend");
  const message = mail();
  const first = await send("resend", message, credentials);
  expect(await send("resend", message, credentials)).toEqual(first);
  expect(await taken("resend", account)).toHaveLength(1);
  const other = await send("resend", { ...message, text: "Something else" }, credentials);
  expect(other).toEqual({ kind: "unknown", code: "invalid_idempotent_request" });
  expect((await loadProvider("resend")).idempotencyMs).toBe(24 * 3_600_000);
});

it("resend waits for its quota, and for a request of the same key that is still going on", async () => {
  const { credentials, account } = accountAt("resend");
  const said = (status: number, name: string) => ({ status, body: { statusCode: status, name, message: "" } });
  await plan(
    "resend",
    account,
    said(429, "daily_quota_exceeded"),
    said(409, "concurrent_idempotent_requests"),
    said(500, "internal_server_error"),
  );
  const after = async () => send("resend", mail(), credentials);
  expect(await after()).toEqual({ kind: "retry", code: "daily_quota_exceeded", afterMs: 3_600_000 });
  expect(await after()).toEqual({ kind: "retry", code: "concurrent_idempotent_requests", afterMs: 5_000 });
  expect(await after()).toMatchObject({ kind: "retry", code: "internal_server_error" });
});

it("postmark has marketing in the broadcast stream, and suppresses whom it holds inactive", async () => {
  const { credentials, account } = accountAt("postmark");
  await send("postmark", mail(), credentials);
  await send("postmark", mail({ class: "transactional" }), credentials);
  const streams = (await taken("postmark", account)).map(({ message }) => message.MessageStream);
  expect(streams).toEqual(["broadcast", "outbound"]);
  const outcome = await send("postmark", mail({ to: "inactive@customer.example" }), credentials);
  expect(outcome).toEqual({ kind: "refused", code: "406", permanent: true, suppress: "PROVIDER" });
});

it("ses names the configuration set, waits for its quota and tells a paused account from a bad message", async () => {
  const { credentials, account } = accountAt("ses");
  await send("ses", mail(), { ...credentials, configurationSet: "events" });
  expect((await taken("ses", account))[0]?.message).toMatchObject({
    ConfigurationSetName: "events",
    FromEmailAddress: String.raw`"Acme \"Best\", Ltd" <shop@acme.example>`,
  });
  const said = (type: string, message: string) => ({
    status: 400,
    headers: { "x-amzn-errortype": `${type}:http://internal.amazon.com/` },
    body: { message },
  });
  await plan("ses", account, said("LimitExceededException", "Daily message quota exceeded"));
  expect(await send("ses", mail(), credentials)).toMatchObject({ kind: "retry", code: "LimitExceededException" });
  await plan(
    "ses",
    account,
    said("SendingPausedException", "paused"),
    said("MessageRejected", "Address is blacklisted."),
  );
  expect(await send("ses", mail(), credentials)).toMatchObject({ kind: "refused", permanent: false });
  expect(await send("ses", mail(), credentials)).toMatchObject({ kind: "refused", permanent: true });
});

it("cloudflare is never handed marketing, and tells of addresses it will not write to", async () => {
  const { credentials, account } = accountAt("cloudflare");
  expect(await send("cloudflare", mail({ class: "marketing" }), credentials)).toEqual({
    kind: "refused",
    code: "transactional_only",
    permanent: true,
  });
  const to = (name: string) => mail({ class: "transactional", to: `${name}@customer.example` });
  expect(await send("cloudflare", to("bounced"), credentials)).toMatchObject({ suppress: "HARD_BOUNCE" });
  expect(await send("cloudflare", to("suppressed"), credentials)).toMatchObject({ suppress: "PROVIDER" });
  expect(await taken("cloudflare", account)).toEqual([]);
});

it("twilio's refusals mean an opt-out, a number that is none, a sender at fault, or later", async () => {
  const { credentials } = accountAt("twilio");
  const to = (number: string) => send("twilio", textMessage({ to: number }), credentials);
  expect(await to("+15005550004")).toEqual({
    kind: "refused",
    code: "21610",
    permanent: true,
    suppress: "UNSUBSCRIBE",
  });
  expect(await to("+15005550001")).toMatchObject({ code: "21211", permanent: true, suppress: "HARD_BOUNCE" });
  expect(await to("+15005550009")).toMatchObject({ code: "21614", permanent: true, suppress: "HARD_BOUNCE" });
  expect(await to("+15005550003")).toEqual({ kind: "refused", code: "21408", permanent: false });
  const from = (address: string) => send("twilio", textMessage({ from: { address, name: null } }), credentials);
  expect(await from("+15005550007")).toMatchObject({ code: "21606", permanent: false });
  expect(await from("+15005550008")).toMatchObject({ kind: "retry", code: "21611" });
  expect(await send("twilio", textMessage({ text: "x".repeat(1_601) }), credentials)).toMatchObject({
    code: "21617",
    permanent: true,
  });
});

it("WhatsApp is free text for a day after the person wrote, and an approved template otherwise", async () => {
  const { credentials, account } = accountAt("twilio");
  const whatsapp = (more: Parameters<typeof mail>[0]) =>
    send("twilio", textMessage({ channel: "whatsapp", ...more }), credentials);
  const DAY = 24 * 3_600_000;
  const refused = { kind: "refused", code: "template_needed", permanent: true };
  expect(await whatsapp({})).toEqual(refused);
  expect(await whatsapp({ repliedAt: T0 - DAY })).toEqual(refused);
  expect(await whatsapp({ repliedAt: T0 - DAY + 1 })).toMatchObject({ kind: "accepted" });
  expect(await whatsapp({ template: { id: "HX1", variables: { 1: "Ann" } } })).toMatchObject({ kind: "accepted" });
  const [text, template] = (await taken("twilio", account)).map(({ message }) => message);
  expect(text).toMatchObject({ From: "whatsapp:+15005550006", Body: "Your cart is waiting" });
  expect(template).toMatchObject({ ContentSid: "HX1", ContentVariables: '{"1":"Ann"}' });
  expect(template).not.toHaveProperty("Body");
  const service = `MG${"0".repeat(32)}`;
  await send("twilio", textMessage({ from: { address: service, name: null } }), credentials);
  expect((await taken("twilio", account))[2]?.message).toMatchObject({ MessagingServiceSid: service });
});

it("the development provider takes everything and sends nothing", async () => {
  const provider = await loadProvider("development");
  const message = mail();
  const ctx = { env, now: T0, baseUrl: null, feedbackUrl: null };
  expect(await provider.send(message, {}, ctx)).toEqual({
    kind: "accepted",
    providerId: `development-${message.deliveryId}`,
  });
});

it("a base URL is https to a public name, or plain http to this machine", () => {
  for (const good of ["https://api.eu.mailgun.net", "http://127.0.0.1:8025/x", "http://localhost:1", standIns]) {
    expect(baseUrlProblem(good), good).toBeNull();
  }
  for (const bad of [
    "http://10.0.0.1",
    "http://acme.example",
    "https://127.0.0.1",
    "https://localhost",
    "ftp://acme.example",
    "acme",
    "http://user:pass@127.0.0.1",
    "https://acme.example?x=1",
    "https://acme.example#x",
    "http://127.0.0.1.acme.example",
  ]) {
    // prettier-ignore
    expect(baseUrlProblem(bad), bad).not.toBeNull();
  }
});
