import { randomBytes } from "node:crypto";
import { type Account, basicOf, type Call, type StandIn } from "./exchange.ts";

const FIELDS = ["To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ContentSid", "ContentVariables"];

/** Numbers with a meaning of their own, as Twilio has them for tests (https://www.twilio.com/docs/iam/test-credentials). */
const TO: Record<string, [code: number, message: string]> = {
  "+15005550001": [21_211, "The 'To' number is not a valid phone number"],
  "+15005550002": [21_612, "This combination of 'To' and 'From' cannot send"],
  "+15005550003": [21_408, "Permission to send an SMS has not been enabled for the region"],
  "+15005550004": [21_610, "Attempt to send to unsubscribed recipient"],
  "+15005550009": [21_614, "'To' number is not a valid mobile number"],
};

const FROM: Record<string, [code: number, message: string]> = {
  "+15005550001": [21_212, "The 'From' number is not a valid phone number"],
  "+15005550007": [21_606, "The 'From' number is not owned by the account"],
  "+15005550008": [21_611, "This 'From' number has exceeded the maximum number of queued messages"],
};

const refuse = (code: number, message: string, status = 400) => ({
  status,
  headers: { "content-type": "application/json" },
  body: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status },
});

/** SMS and WhatsApp: https://www.twilio.com/docs/messaging/api/message-resource. */
export const twilio: StandIn = {
  account: (call) => {
    const [user, password] = basicOf(call) ?? [];
    const good = user !== undefined && password !== undefined && call.path.startsWith(`/2010-04-01/Accounts/${user}/`);
    return good && /^AC\w{8,}$/.test(user) && password.length >= 8 ? user : null;
  },
  unauthorized: refuse(20_003, "Authenticate", 401),
  handle,
};

function handle(call: Call, account: Account) {
  if (!call.path.endsWith("/Messages.json")) return refuse(20_404, "The requested resource was not found", 404);
  const fields = Object.fromEntries(new URLSearchParams(call.body));
  const odd = Object.keys(fields).find((name) => !FIELDS.includes(name));
  if (odd !== undefined) return refuse(20_001, `Unknown parameter ${odd}`);
  const { To = "", From, MessagingServiceSid, Body, ContentSid, StatusCallback } = fields;
  if (To === "") return refuse(21_604, "A 'To' phone number is required");
  if (From === undefined && MessagingServiceSid === undefined)
    return refuse(21_603, "A 'From' phone number is required");
  if (Body === undefined && ContentSid === undefined) return refuse(21_602, "Message body is required");
  if (Body !== undefined && Body.length > 1_600)
    return refuse(21_617, "The concatenated message body exceeds the 1600 character limit");
  if (StatusCallback !== undefined && !URL.canParse(StatusCallback)) return refuse(21_609, "Invalid 'StatusCallback'");
  const number = To.replace(/^whatsapp:/, "");
  if (!/^\+[1-9]\d{6,14}$/.test(number)) return refuse(21_211, "The 'To' number is not a valid phone number");
  if (To.startsWith("whatsapp:") && From !== undefined && !From.startsWith("whatsapp:"))
    return refuse(63_007, "No channel with this From address");
  const wrong = TO[number] ?? FROM[From?.replace(/^whatsapp:/, "") ?? ""];
  if (wrong) return refuse(...wrong);
  const sid = `SM${randomBytes(16).toString("hex")}`;
  account.taken.push({ id: sid, message: fields, headers: call.headers });
  return {
    status: 201,
    headers: { "content-type": "application/json" },
    body: { sid, status: "queued", to: To, error_code: null },
  };
}
