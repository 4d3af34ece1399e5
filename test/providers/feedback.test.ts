import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { expect, it } from "vitest";

import { type Credentials, type Feedback, loadProvider, type ProviderName } from "../../src/messages/providers";
import { SECOND, T0, useFakeClock } from "../helpers/clock";
import { unique } from "../helpers/providers";
import { certificateFor } from "./certificate";
import { base64, derOf, hex, hmac, sns, utf8 } from "./sign";

useFakeClock();

const ADDRESS = "https://footfall.test/feedback";

async function read(
  name: ProviderName,
  credentials: Credentials,
  body: string,
  headers: Record<string, string> = {},
  query = "",
): Promise<Feedback[]> {
  const provider = await loadProvider(name);
  const feedbackUrl = `${ADDRESS}/${name}/snd_1`;
  const request = new Request(feedbackUrl + query, { method: "POST", headers, body });
  return provider.readFeedback(request, credentials, { env, now: T0, baseUrl: null, feedbackUrl });
}

const refused = { code: "unauthorized" };

it("Resend: Svix signatures hold, others do not", async () => {
  const webhookSecret = `whsec_${base64(crypto.getRandomValues(new Uint8Array(24)))}`;
  const credentials = { apiKey: "re_1", webhookSecret };
  const signed = (body: string, secret = webhookSecret, at = T0) => ({
    "svix-id": "msg_1",
    "svix-timestamp": String(at / SECOND),
    "svix-signature": new Webhook(secret).sign("msg_1", new Date(at), body),
  });
  const report = (type: string, data: object) =>
    JSON.stringify({
      type,
      created_at: new Date(T0 - 5_000).toISOString(),
      data: { email_id: "e1", to: ["ann@customer.example"], tags: { delivery_id: "dlv_1" }, ...data },
    });
  const base = {
    eventId: "msg_1",
    deliveryId: "dlv_1",
    providerId: "e1",
    address: "ann@customer.example",
    at: T0 - 5_000,
  };
  const cases: [type: string, data: object, expected: object][] = [
    ["email.delivered", {}, { type: "delivered" }],
    ["email.bounced", { bounce: { type: "Permanent", subType: "General" } }, { type: "bounced", suppress: "HARD_BOUNCE", code: "Permanent/General" }],
    ["email.bounced", { bounce: { type: "Transient" } }, { type: "soft_bounced", code: "Transient" }],
    ["email.complained", {}, { type: "complained" }],
    ["email.suppressed", {}, { type: "failed", suppress: "PROVIDER" }],
    ["email.clicked", { click: { link: "https://acme.example/x" } }, { type: "clicked", url: "https://acme.example/x" }],
  ]; // prettier-ignore
  for (const [type, data, expected] of cases) {
    const body = report(type, data);
    expect(await read("resend", credentials, body, signed(body))).toEqual([{ ...base, ...expected }]);
  }
  const listed = report("email.opened", { tags: [{ name: "delivery_id", value: "dlv_2" }] });
  expect(await read("resend", credentials, listed, signed(listed))).toMatchObject([
    { type: "opened", deliveryId: "dlv_2" },
  ]);
  const body = report("email.delivered", {});
  const other = `whsec_${base64(crypto.getRandomValues(new Uint8Array(24)))}`;
  await expect(read("resend", credentials, body, signed(body, other))).rejects.toMatchObject(refused);
  await expect(read("resend", credentials, `${body} `, signed(body))).rejects.toMatchObject(refused);
  await expect(read("resend", credentials, body, signed(body, webhookSecret, T0 - 3_600_000))).rejects.toMatchObject(
    refused,
  );
  await expect(read("resend", credentials, body)).rejects.toMatchObject(refused);
  await expect(read("resend", { apiKey: "re_1" }, body, signed(body))).rejects.toMatchObject(refused);
});

it("Postmark: by the user and password of its address", async () => {
  const credentials = { serverToken: "pm-1", feedbackUser: "postmark", feedbackPassword: "pä:ss" };
  const authorization = `Basic ${base64(utf8.encode("postmark:pä:ss"))}`;
  const report = (more: object) => JSON.stringify({ MessageID: "m1", Metadata: { delivery_id: "dlv_1" }, ...more });
  const told = (more: object) => read("postmark", credentials, report(more), { authorization });
  const about = { deliveryId: "dlv_1", providerId: "m1", address: "ann@customer.example" };
  const at = new Date(T0 - 1_000).toISOString();
  const who = { Email: "ann@customer.example", BouncedAt: at, ID: 42 };
  const hard = await told({ RecordType: "Bounce", Type: "HardBounce", Inactive: true, ...who });
  expect(hard).toEqual([
    { ...about, eventId: "Bounce:42", at: T0 - 1_000, type: "bounced", suppress: "HARD_BOUNCE", code: "HardBounce" },
  ]);
  expect(await told({ RecordType: "Bounce", Type: "Transient", ...who })).toMatchObject([{ type: "soft_bounced" }]);
  expect(await told({ RecordType: "SpamComplaint", Type: "SpamComplaint", ...who })).toMatchObject([
    { type: "complained" },
  ]);
  const to = { Recipient: "ann@customer.example" };
  expect(await told({ RecordType: "Delivery", DeliveredAt: at, ...to })).toMatchObject([
    { ...about, type: "delivered" },
  ]);
  const changed = { RecordType: "SubscriptionChange", ChangedAt: at, ...to };
  const manual = { SuppressSending: true, SuppressionReason: "ManualSuppression" };
  expect(await told({ ...changed, ...manual })).toMatchObject([{ ...about, type: "unsubscribed" }]);
  expect(await told({ ...changed, SuppressSending: false, SuppressionReason: null })).toEqual([]);
  for (const header of ["", "Basic eDp5", authorization.slice(0, -4)]) {
    const body = report({ RecordType: "Delivery" });
    await expect(read("postmark", credentials, body, { authorization: header })).rejects.toMatchObject(refused);
    await expect(read("postmark", { serverToken: "pm-1" }, body, { authorization })).rejects.toMatchObject(refused);
  }
  await expect(read("postmark", credentials, "no JSON", { authorization })).rejects.toMatchObject({
    code: "bad_request",
  });
});

it("SendGrid: ECDSA over time stamp and body", async () => {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const pair = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
  const webhookPublicKey = base64((await crypto.subtle.exportKey("spki", pair.publicKey)) as ArrayBuffer);
  const credentials = { apiKey: "SG.1", webhookPublicKey };
  const timestamp = String(T0 / SECOND);
  const signed = async (body: string) => ({
    "x-twilio-email-event-webhook-timestamp": timestamp,
    "x-twilio-email-event-webhook-signature": base64(
      derOf(
        await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, utf8.encode(timestamp + body)),
      ),
    ),
  });
  const event = (more: object) => ({
    email: "ann@customer.example",
    timestamp: T0 / SECOND - 5,
    sg_event_id: "ev1",
    sg_message_id: "mid1.recvd-x-1-2.0",
    delivery_id: "dlv_1",
    ...more,
  });
  const base = {
    eventId: "ev1",
    deliveryId: "dlv_1",
    providerId: "mid1",
    address: "ann@customer.example",
    at: T0 - 5_000,
  };
  const events: [sent: object, expected: object | null][] = [
    [{ event: "processed" }, null],
    [{ event: "delivered" }, { type: "delivered" }],
    [{ event: "deferred" }, { type: "soft_bounced", code: "deferred" }],
    [
      { event: "bounce", type: "bounce", status: "5.1.1" },
      { type: "bounced", suppress: "HARD_BOUNCE", code: "5.1.1" },
    ],
    [
      { event: "bounce", type: "blocked" },
      { type: "soft_bounced", code: "blocked" },
    ],
    [
      { event: "dropped", reason: "Bounced Address" },
      { type: "bounced", suppress: "HARD_BOUNCE", code: "dropped" },
    ],
    [
      { event: "dropped", reason: "Unsubscribed Address" },
      { type: "unsubscribed", code: "dropped" },
    ],
    [{ event: "spamreport" }, { type: "complained" }],
    [{ event: "group_unsubscribe" }, { type: "unsubscribed" }],
    [
      { event: "open", sg_machine_open: true },
      { type: "opened", machine: true },
    ],
    [
      { event: "click", url: "https://acme.example" },
      { type: "clicked", url: "https://acme.example" },
    ],
  ];
  const body = JSON.stringify(events.map(([sent]) => event(sent)));
  const expected = events.flatMap(([, one]) => (one === null ? [] : [{ ...base, ...one }]));
  expect(await read("sendgrid", credentials, body, await signed(body))).toEqual(expected);
  // Numbers of a signature may be shorter than 32 bytes; among so many some are.
  for (let i = 0; i < 300; i++) {
    const one = JSON.stringify([event({ event: "delivered", sg_event_id: String(i) })]);
    expect(await read("sendgrid", credentials, one, await signed(one))).toHaveLength(1);
  }
  const headers = await signed(body);
  await expect(read("sendgrid", credentials, `${body} `, headers)).rejects.toMatchObject(refused);
  const later = { ...headers, "x-twilio-email-event-webhook-timestamp": String(T0 / SECOND + 1) };
  await expect(read("sendgrid", credentials, body, later)).rejects.toMatchObject(refused);
  for (const signature of ["", "AAAA", base64(crypto.getRandomValues(new Uint8Array(70)))]) {
    const wrong = { ...headers, "x-twilio-email-event-webhook-signature": signature };
    await expect(read("sendgrid", credentials, body, wrong)).rejects.toMatchObject(refused);
  }
  await expect(read("sendgrid", { apiKey: "SG.1" }, body, headers)).rejects.toMatchObject(refused);
});

it("Mailgun: HMAC over time stamp and token, not too old", async () => {
  const credentials = { apiKey: "key-1", domain: "mg.acme.example", webhookSigningKey: unique() };
  const report = async (event: object, at = T0, key = credentials.webhookSigningKey) => {
    const timestamp = String(at / SECOND);
    const token = unique();
    const signature = hex(await hmac("SHA-256", key, timestamp + token));
    const common = {
      id: "ev1",
      timestamp: T0 / SECOND - 1.5,
      recipient: "ann@customer.example",
      message: { headers: { "message-id": "m1@mg.acme.example" } },
      "user-variables": { delivery_id: "dlv_1" },
    };
    return JSON.stringify({ signature: { timestamp, token, signature }, "event-data": { ...common, ...event } });
  };
  const told = async (event: object) => read("mailgun", credentials, await report(event));
  const base = {
    eventId: "ev1",
    deliveryId: "dlv_1",
    providerId: "m1@mg.acme.example",
    address: "ann@customer.example",
    at: T0 - 1_500,
  };
  expect(await told({ event: "delivered" })).toEqual([{ ...base, type: "delivered" }]);
  const failed = { event: "failed", severity: "permanent" };
  expect(await told({ ...failed, reason: "bounce" })).toMatchObject([{ type: "bounced", suppress: "HARD_BOUNCE" }]);
  expect(await told({ ...failed, reason: "suppress-complaint" })).toMatchObject([{ suppress: "SPAM_COMPLAINT" }]);
  const tooOld = await told({ ...failed, reason: "old" });
  expect(tooOld).toMatchObject([{ type: "failed", code: "old" }]);
  expect(tooOld[0]).not.toHaveProperty("suppress");
  expect(await told({ event: "failed", severity: "temporary" })).toMatchObject([{ type: "soft_bounced" }]);
  expect(await told({ event: "opened", "client-info": { bot: "apple" } })).toMatchObject([
    { type: "opened", machine: true },
  ]);
  expect(await told({ event: "clicked", url: "https://a.example", "client-info": {} })).toMatchObject([
    { machine: false },
  ]);
  expect(await told({ event: "unsubscribed" })).toMatchObject([{ type: "unsubscribed" }]);
  const wrong = await report({ event: "delivered" }, T0, "another key");
  await expect(read("mailgun", credentials, wrong)).rejects.toMatchObject(refused);
  const old = await report({ event: "delivered" }, T0 - 2 * 24 * 3_600_000);
  await expect(read("mailgun", credentials, old)).rejects.toMatchObject(refused);
});

const TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail";

it("SES: reports over SNS, signed by a certificate of Amazon's, of the sender's own topic", async () => {
  const certificate = await certificateFor("sns.amazonaws.com");
  const SigningCertURL = `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${unique()}.pem`;
  await fetch(SigningCertURL, { method: "PUT", body: certificate.cert });
  const credentials = { accessKeyId: "AKIA1", secretAccessKey: "x", region: "eu-west-1", topicArn: TOPIC };
  const mail = { messageId: "m1", destination: ["ann@customer.example"], tags: { delivery_id: ["dlv_1"] } };
  const timestamp = new Date(T0 - 2_000).toISOString();
  const message = (event: object, more: Record<string, string> = {}) => ({
    Type: "Notification",
    MessageId: "sns1",
    TopicArn: TOPIC,
    Message: JSON.stringify({ mail, ...event }),
    Timestamp: new Date(T0).toISOString(),
    SigningCertURL,
    ...more,
  });
  const told = async (event: object, version?: string) =>
    read("ses", credentials, await sns(certificate, message(event), version));
  const base = {
    eventId: "sns1",
    deliveryId: "dlv_1",
    providerId: "m1",
    address: "ann@customer.example",
    at: T0 - 2_000,
  };
  const recipients = [{ emailAddress: "ann@customer.example" }];
  const bounce = (bounceType: string) => ({
    eventType: "Bounce",
    bounce: { bounceType, bounceSubType: "General", bouncedRecipients: recipients, timestamp },
  });
  expect(await told({ eventType: "Delivery", delivery: { timestamp } })).toEqual([{ ...base, type: "delivered" }]);
  expect(await told(bounce("Permanent"))).toEqual([
    { ...base, type: "bounced", suppress: "HARD_BOUNCE", code: "Permanent/General" },
  ]);
  expect(await told(bounce("Transient"), "1")).toMatchObject([{ type: "soft_bounced" }]);
  const complaint = { eventType: "Complaint", complaint: { complainedRecipients: recipients, timestamp } };
  expect(await told(complaint)).toEqual([{ ...base, type: "complained" }]);
  // Without event publishing the field has another name, and there are no tags.
  const plain = message({
    notificationType: "Complaint",
    ...complaint,
    eventType: undefined,
    mail: { ...mail, tags: undefined },
  });
  expect(await read("ses", credentials, await sns(certificate, plain))).toMatchObject([
    { type: "complained", providerId: "m1" },
  ]);

  const good = await sns(certificate, message(bounce("Permanent")));
  const changed = JSON.stringify({ ...JSON.parse(good), Message: JSON.stringify({ mail, eventType: "Complaint" }) });
  await expect(read("ses", credentials, changed)).rejects.toMatchObject(refused);
  const others = { ...credentials, topicArn: `${TOPIC}-other` };
  await expect(read("ses", others, good)).rejects.toMatchObject(refused);
  await expect(read("ses", { ...credentials, topicArn: undefined as never }, good)).rejects.toMatchObject(refused);
  const stranger = await sns(await certificateFor("sns.amazonaws.com"), message(bounce("Permanent")));
  await expect(read("ses", credentials, stranger)).rejects.toMatchObject(refused);
  for (const url of [
    "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
    "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem",
    "http://sns.eu-west-1.amazonaws.com/x.pem",
    "https://sns.eu-west-1.amazonaws.com/x.txt",
    "https://s3.eu-west-1.amazonaws.com/bucket/x.pem",
  ]) {
    const signed = await sns(certificate, message(bounce("Permanent"), { SigningCertURL: url }));
    await expect(read("ses", credentials, signed), url).rejects.toMatchObject(refused);
  }
  const old = await sns(certificate, message({}, { Timestamp: new Date(T0 - 2 * 24 * 3_600_000).toISOString() }));
  await expect(read("ses", credentials, old)).rejects.toMatchObject(refused);

  const SubscribeURL = `https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=${unique()}`;
  const confirm = (url: string) =>
    sns(certificate, {
      ...message({}),
      Type: "SubscriptionConfirmation",
      Message: "You have chosen to subscribe",
      Token: "t",
      SubscribeURL: url,
    });
  expect(await read("ses", credentials, await confirm(SubscribeURL))).toEqual([]);
  const visits: string[] = await (await fetch("https://sns.eu-west-1.amazonaws.com/__visits")).json();
  expect(visits).toContain(SubscribeURL);
  await expect(read("ses", credentials, await confirm("https://evil.example/"))).rejects.toMatchObject(refused);
});

it("Twilio: status reports and what people write, signed over the address and every field", async () => {
  const credentials = { accountSid: "AC1", authToken: unique() };
  const told = async (fields: Record<string, string>, query = "", change: Record<string, string> = {}) => {
    const url = `${ADDRESS}/twilio/snd_1${query}`;
    const text = Object.keys(fields)
      .sort()
      .reduce((sum, name) => sum + name + (fields[name] ?? ""), url);
    const signature = base64(await hmac("SHA-1", credentials.authToken, text));
    const headers = { "x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded" };
    return read("twilio", credentials, new URLSearchParams({ ...fields, ...change }).toString(), headers, query);
  };
  const status = (MessageStatus: string, more: Record<string, string> = {}) =>
    told({ MessageSid: "SM1", To: "+491512345678", From: "+15005550006", MessageStatus, ...more }, "?delivery=dlv_1");
  const base = { deliveryId: "dlv_1", providerId: "SM1", address: "+491512345678", at: T0 };
  expect(await status("delivered")).toEqual([{ ...base, eventId: "SM1:delivered", type: "delivered" }]);
  expect(await status("sent")).toEqual([]);
  expect(await status("undelivered", { ErrorCode: "30005" })).toMatchObject([
    { type: "bounced", suppress: "HARD_BOUNCE" },
  ]);
  expect(await status("failed", { ErrorCode: "21610" })).toMatchObject([{ type: "unsubscribed", code: "21610" }]);
  expect(await status("undelivered", { ErrorCode: "30003" })).toMatchObject([{ type: "failed", code: "30003" }]);
  expect(await status("read")).toMatchObject([{ type: "opened", machine: false }]);
  const inbound = {
    MessageSid: "SM2",
    SmsStatus: "received",
    From: "whatsapp:+491512345678",
    To: "whatsapp:+15005550006",
  };
  expect(await told({ ...inbound, Body: "Pare, por favor ✋" })).toEqual([
    { type: "replied", eventId: "SM2", address: "+491512345678", text: "Pare, por favor ✋", at: T0 },
  ]);
  await expect(told({ ...inbound, Body: "Hello" }, "", { Body: "STOP" })).rejects.toMatchObject(refused);
  await expect(told({ ...inbound, Body: "Hello" }, "", { Extra: "1" })).rejects.toMatchObject(refused);
  await expect(read("twilio", credentials, "MessageSid=SM1", {})).rejects.toMatchObject(refused);
});
