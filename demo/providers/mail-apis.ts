import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type Account, addressOf, basicOf, bearerOf, isVerified, parseJson, type StandIn } from "./exchange.ts";

const json = { "content-type": "application/json" };

const Tag = z.strictObject({ name: z.string().regex(/^[\w-]{1,256}$/), value: z.string().regex(/^[\w-]{1,256}$/) });

/** https://resend.com/docs/api-reference/emails/send-email */
const ResendMail = z.strictObject({
  from: z.string(),
  to: z.union([z.string(), z.array(z.string()).max(50)]),
  subject: z.string(),
  html: z.string().optional(),
  text: z.string().optional(),
  reply_to: z.union([z.string(), z.array(z.string())]).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  tags: z.array(Tag).optional(),
});

/** What each key was used with: an answer is kept for a day under it. */
const resendKeys = new Map<string, { body: string; id: string }>();

export const resend: StandIn = {
  account: (call) => (/^re_\w{8,}$/.test(bearerOf(call)) ? bearerOf(call) : null),
  unauthorized: {
    status: 403,
    headers: json,
    body: { statusCode: 403, name: "invalid_api_key", message: "API key is invalid" },
  },
  handle: (call, account) => {
    const refuse = (status: number, name: string, message: string) => ({
      status,
      headers: json,
      body: { statusCode: status, name, message },
    });
    if (call.method !== "POST" || call.path !== "/emails") return refuse(404, "not_found", "Not found");
    const key = call.headers["idempotency-key"];
    if (key !== undefined && (key === "" || key.length > 256)) {
      return refuse(400, "invalid_idempotency_key", "The key must be between 1-256 chars");
    }
    const kept = key === undefined ? undefined : resendKeys.get(bearerOf(call) + key);
    if (kept && kept.body !== call.body) {
      return refuse(409, "invalid_idempotent_request", "Same idempotency key used with a different request payload");
    }
    if (kept) return { status: 200, headers: json, body: { id: kept.id } };
    const mail = ResendMail.safeParse(parseJson(call.body));
    if (!mail.success) return refuse(422, "validation_error", mail.error.issues[0]?.message ?? "Invalid");
    const { from, to, html, text } = mail.data;
    if (addressOf(from) === null) return refuse(422, "invalid_from_address", "Invalid `from` field");
    if (!isVerified(from)) return refuse(403, "validation_error", "The domain is not verified");
    const recipients = typeof to === "string" ? [to] : to;
    if (recipients.length === 0 || recipients.some((one) => addressOf(one) === null)) {
      return refuse(422, "validation_error", "Invalid `to` field. The email address needs to follow the format");
    }
    if (html === undefined && text === undefined)
      return refuse(422, "missing_required_field", "Missing `html` or `text`");
    const id = take(account, mail.data, call.headers);
    if (key !== undefined) resendKeys.set(bearerOf(call) + key, { body: call.body, id });
    return { status: 200, headers: json, body: { id } };
  },
};

const NameValue = z.strictObject({ Name: z.string().min(1), Value: z.string() });

/** https://postmarkapp.com/developer/api/email-api */
const PostmarkMail = z.strictObject({
  From: z.string().optional(),
  To: z.string().optional(),
  ReplyTo: z.string().optional(),
  Subject: z.string().optional(),
  HtmlBody: z.string().optional(),
  TextBody: z.string().optional(),
  Headers: z.array(NameValue).optional(),
  Metadata: z.record(z.string().max(20), z.string().max(80)).optional(),
  MessageStream: z.string().optional(),
  TrackOpens: z.boolean().optional(),
  TrackLinks: z.enum(["None", "HtmlAndText", "HtmlOnly", "TextOnly"]).optional(),
});

export const postmark: StandIn = {
  account: (call) =>
    /^pm-\w{8,}$/.test(call.headers["x-postmark-server-token"] ?? "")
      ? (call.headers["x-postmark-server-token"] ?? null)
      : null,
  unauthorized: {
    status: 401,
    headers: json,
    body: { ErrorCode: 10, Message: "No Account or Server API tokens were supplied" },
  },
  handle: (call, account) => {
    const refuse = (ErrorCode: number, Message: string) => ({
      status: 422,
      headers: json,
      body: { ErrorCode, Message },
    });
    if (call.method !== "POST" || call.path !== "/email") return { status: 404, headers: json, body: {} };
    if (!(call.headers["accept"] ?? "").includes("json")) return refuse(409, "JSON required");
    const mail = PostmarkMail.safeParse(parseJson(call.body));
    if (!mail.success) return refuse(403, "Incompatible JSON");
    const { From = "", To = "", HtmlBody, TextBody, MessageStream = "outbound" } = mail.data;
    if (addressOf(From) === null) return refuse(300, "Invalid 'From' address");
    if (!isVerified(From)) return refuse(400, "The 'From' address is not a Sender Signature");
    if (addressOf(To) === null) return refuse(300, `Invalid 'To' address`);
    if (HtmlBody === undefined && TextBody === undefined)
      return refuse(300, "Provide either email TextBody or HtmlBody");
    if (!["outbound", "broadcast"].includes(MessageStream)) return refuse(1235, "The stream does not exist");
    if (To.startsWith("inactive@"))
      return refuse(406, "You tried to send to a recipient that has been marked as inactive");
    const MessageID = take(account, mail.data, call.headers);
    return { status: 200, headers: json, body: { To, SubmittedAt: "", MessageID, ErrorCode: 0, Message: "OK" } };
  },
};

const Party = z.strictObject({ email: z.string(), name: z.string().optional() });

/** https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send */
const SendGridMail = z.strictObject({
  personalizations: z
    .array(z.strictObject({ to: z.array(Party).min(1), custom_args: z.record(z.string(), z.string()).optional() }))
    .length(1),
  from: Party,
  reply_to: Party.optional(),
  subject: z.string().min(1),
  content: z.array(z.strictObject({ type: z.string(), value: z.string().min(1) })).min(1),
  headers: z.record(z.string(), z.string()).optional(),
  tracking_settings: z
    .strictObject({
      click_tracking: z.strictObject({ enable: z.boolean(), enable_text: z.boolean() }).optional(),
      open_tracking: z.strictObject({ enable: z.boolean() }).optional(),
      subscription_tracking: z.strictObject({ enable: z.boolean() }).optional(),
    })
    .optional(),
});

export const sendgrid: StandIn = {
  account: (call) => (/^SG\.\w{8,}$/.test(bearerOf(call)) ? bearerOf(call) : null),
  unauthorized: {
    status: 401,
    headers: json,
    body: { errors: [{ message: "The provided authorization grant is invalid", field: null, help: null }] },
  },
  handle: (call, account) => {
    const refuse = (status: number, field: string | null, message: string) => ({
      status,
      headers: json,
      body: { errors: [{ message, field, help: null }] },
    });
    if (call.method !== "POST" || call.path !== "/v3/mail/send") return refuse(404, null, "Not found");
    const mail = SendGridMail.safeParse(parseJson(call.body));
    if (!mail.success) {
      const [issue] = mail.error.issues;
      return refuse(400, issue?.path.join(".") ?? null, issue?.message ?? "Bad Request");
    }
    const { from, personalizations, content } = mail.data;
    if (!isVerified(from.email))
      return refuse(403, "from", "The from address does not match a verified Sender Identity");
    const to = personalizations[0]?.to[0]?.email ?? "";
    if (addressOf(to) === null) return refuse(400, "personalizations.0.to.0.email", "Does not contain a valid address");
    if (content.length === 2 && content[0]?.type !== "text/plain")
      return refuse(400, "content", "text/plain must be first");
    return { status: 202, headers: { "x-message-id": take(account, mail.data, call.headers) }, body: "" };
  },
};

/** Names that a form may have (https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages). */
const MAILGUN_FIELDS =
  /^(?:from|to|cc|bcc|subject|text|html|[hv]:[\w-]+|o:tracking(?:-clicks|-opens)?|o:tag|o:testmode)$/;

export const mailgun: StandIn = {
  account: (call) => {
    const [user, password] = basicOf(call) ?? [];
    return user === "api" && password !== undefined && /^key-\w{8,}$/.test(password) ? password : null;
  },
  unauthorized: { status: 401, headers: { "content-type": "text/html" }, body: "Forbidden" },
  handle: (call, account) => {
    const refuse = (status: number, message: string) => ({ status, headers: json, body: { message } });
    const domain = /^\/v3\/([^/]+)\/messages$/.exec(call.path)?.[1];
    if (call.method !== "POST" || domain === undefined) return refuse(404, "Not found");
    if (domain === "unknown.example") return refuse(404, "Domain not found: unknown.example");
    const fields = formOf(call.headers["content-type"] ?? "", call.body);
    const odd = Object.keys(fields).find((name) => !MAILGUN_FIELDS.test(name));
    if (odd !== undefined) return refuse(400, `Unknown parameter ${odd}`);
    if (addressOf(fields["from"] ?? "") === null)
      return refuse(400, "from parameter is not a valid address. please check documentation");
    if (addressOf(fields["to"] ?? "") === null)
      return refuse(400, "to parameter is not a valid address. please check documentation");
    if (!fields["text"] && !fields["html"])
      return refuse(400, "Need at least one of 'text' or 'html' parameters specified");
    const id = take(account, fields, call.headers);
    return { status: 200, headers: json, body: { id: `<${id}@${domain}>`, message: "Queued. Thank you." } };
  },
};

/** The fields of a multipart form. */
function formOf(type: string, body: string): Record<string, string> {
  const boundary = /boundary="?([^";]+)/.exec(type)?.[1];
  if (boundary === undefined) return Object.fromEntries(new URLSearchParams(body));
  return Object.fromEntries(
    body
      .split(`--${boundary}`)
      .slice(1, -1)
      .map((part) => {
        const [head = "", ...rest] = part.split("\r\n\r\n");
        return [/name="([^"]*)"/.exec(head)?.[1] ?? "", rest.join("\r\n\r\n").replace(/\r\n$/, "")];
      }),
  );
}

/** https://developers.cloudflare.com/email-service/api/send-emails/rest-api/ */
const CloudflareMail = z.strictObject({
  from: z.union([z.string(), z.strictObject({ address: z.string(), name: z.string().optional() })]),
  to: z.union([z.string(), z.array(z.string()).max(50)]),
  subject: z.string().min(1).max(998),
  html: z.string().optional(),
  text: z.string().optional(),
  reply_to: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
});

export const cloudflare: StandIn = {
  account: (call) => (/^cf-\w{8,}$/.test(bearerOf(call)) ? bearerOf(call) : null),
  unauthorized: {
    status: 401,
    headers: json,
    body: { success: false, errors: [{ code: 10_000, message: "Authentication error" }], messages: [], result: null },
  },
  handle: (call, account) => {
    const refuse = (status: number, code: number, message: string) => ({
      status,
      headers: json,
      body: { success: false, errors: [{ code, message }], messages: [], result: null },
    });
    if (!/^\/client\/v4\/accounts\/\w+\/email\/sending\/send$/.test(call.path)) return refuse(404, 7003, "No route");
    const mail = CloudflareMail.safeParse(parseJson(call.body));
    if (!mail.success) return refuse(400, 10_001, mail.error.issues[0]?.message ?? "invalid_request");
    const { from, to, html, text } = mail.data;
    const address = typeof from === "string" ? from : from.address;
    if (addressOf(address) === null) return refuse(400, 10_001, "from is not an address");
    if (!isVerified(address)) return refuse(403, 10_203, "The sender's domain is not onboarded");
    if (html === undefined && text === undefined) return refuse(400, 10_200, "The message has no content");
    const recipient = String(to);
    const lists = { delivered: [], queued: [], permanent_bounces: [], suppressed_recipients: [] };
    const result = recipient.startsWith("bounced@")
      ? { ...lists, permanent_bounces: [recipient] }
      : recipient.startsWith("suppressed@")
        ? { ...lists, suppressed_recipients: [recipient] }
        : { ...lists, queued: [recipient], message_id: take(account, mail.data, call.headers) };
    return { status: 200, headers: json, body: { success: true, errors: [], messages: [], result } };
  },
};

/** Keeps the message; its id. */
export function take(account: Account, message: unknown, headers: Record<string, string>): string {
  const id = randomUUID();
  account.taken.push({ id, message, headers });
  return id;
}
