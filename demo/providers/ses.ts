import { createHash, createHmac } from "node:crypto";
import { z } from "zod";
import { addressOf, type Call, isVerified, parseJson, type StandIn } from "./exchange.ts";
import { take } from "./mail-apis.ts";

const Text = z.strictObject({ Data: z.string(), Charset: z.string().optional() });

/** https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html */
const Mail = z.strictObject({
  FromEmailAddress: z.string(),
  Destination: z.strictObject({ ToAddresses: z.array(z.string()).min(1) }),
  ReplyToAddresses: z.array(z.string()).optional(),
  Content: z.strictObject({
    Simple: z.strictObject({
      Subject: Text,
      Body: z.strictObject({ Text: Text.optional(), Html: Text.optional() }),
      Headers: z
        .array(z.strictObject({ Name: z.string().max(126), Value: z.string().max(870) }))
        .max(15)
        .optional(),
    }),
  }),
  EmailTags: z
    .array(z.strictObject({ Name: z.string().regex(/^[\w-]{1,256}$/), Value: z.string().regex(/^[\w-]{1,256}$/) }))
    .optional(),
  ConfigurationSetName: z.string().optional(),
});

/** Whoever has this prefix in the id has the secret that is the id backwards. */
export const sesSecretOf = (accessKeyId: string): string => accessKeyId.split("").reverse().join("");

/** Amazon's own way to check: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. */
function isSigned(call: Call, path: string): string | null {
  const header = call.headers["authorization"] ?? "";
  const parts =
    /^AWS4-HMAC-SHA256 Credential=(\w+)\/(\d{8})\/([\w-]+)\/ses\/aws4_request, SignedHeaders=([\w;-]+), Signature=(\w{64})$/.exec(
      header,
    );
  if (!parts) return null;
  const [, id = "", day = "", region = "", names = "", signature = ""] = parts;
  const sha = (text: string) => createHash("sha256").update(text).digest("hex");
  const headers = names
    .split(";")
    .map((name) => `${name}:${(call.headers[name] ?? "").trim().replaceAll(/ +/g, " ")}\n`);
  const request = ["POST", path, "", headers.join(""), names, sha(call.body)].join("\n");
  const scope = `${day}/${region}/ses/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", call.headers["x-amz-date"], scope, sha(request)].join("\n");
  const hmac = (key: string | Buffer, data: string) => createHmac("sha256", key).update(data).digest();
  const key = hmac(hmac(hmac(hmac(`AWS4${sesSecretOf(id)}`, day), region), "ses"), "aws4_request");
  return createHmac("sha256", key).update(text).digest("hex") === signature ? id : null;
}

const failed = (status: number, type: string, message: string) => ({
  status,
  headers: { "content-type": "application/json", "x-amzn-errortype": type },
  body: { message },
});

export const ses: StandIn = {
  account: (call) => isSigned(call, `/ses${call.path}`),
  unauthorized: failed(403, "SignatureDoesNotMatch", "The request signature we calculated does not match"),
  handle: (call, account) => {
    if (call.path !== "/v2/email/outbound-emails") return failed(404, "NotFoundException", "Not found");
    const mail = Mail.safeParse(parseJson(call.body));
    if (!mail.success) return failed(400, "BadRequestException", mail.error.issues[0]?.message ?? "Bad request");
    const { FromEmailAddress, Destination, Content, ConfigurationSetName } = mail.data;
    const { Text: text, Html } = Content.Simple.Body;
    if (addressOf(FromEmailAddress) === null) return failed(400, "BadRequestException", "Missing final '@domain'");
    if (!isVerified(FromEmailAddress)) return failed(400, "MessageRejected", "Email address is not verified.");
    if (Destination.ToAddresses.some((to) => addressOf(to) === null))
      return failed(400, "BadRequestException", "Illegal address");
    if (!text && !Html) return failed(400, "BadRequestException", "Body is required");
    if (ConfigurationSetName === "absent")
      return failed(404, "NotFoundException", "Configuration set absent does not exist");
    return {
      status: 200,
      headers: { "content-type": "application/json" },
      body: { MessageId: take(account, mail.data, call.headers) },
    };
  },
};
