import { z } from "@hono/zod-openapi";

import { MaybeText, ShopRef, Text, TimeSchema } from "../api/schemas";
import { normaliseEmail, normalisePhone } from "../identity/normalise";
import { baseUrlProblem, factsOf, PROVIDER_NAMES, type ProviderName, smtpHostProblem } from "../messages/providers";

export const Channel = z.enum(["email", "sms", "whatsapp"]);

export const MessageClass = z.enum(["marketing", "transactional"]);

const Provider = z.enum(PROVIDER_NAMES);

const Secret = z.string().max(2_000).optional();

/** Every credential of every provider; which of them one takes is checked with its own schema. */
const Credentials = z
  .strictObject({
    apiKey: Secret,
    webhookSecret: Secret,
    serverToken: Secret,
    transactionalStream: Secret,
    broadcastStream: Secret,
    feedbackUser: Secret,
    feedbackPassword: Secret,
    webhookPublicKey: Secret,
    domain: Secret,
    webhookSigningKey: Secret,
    accessKeyId: Secret,
    secretAccessKey: Secret,
    region: Secret,
    configurationSet: Secret,
    topicArn: Secret,
    host: Secret,
    port: Secret,
    security: Secret,
    username: Secret,
    password: Secret,
    accountId: Secret,
    apiToken: Secret,
    accountSid: Secret,
    authToken: Secret,
  })
  .openapi("SenderCredentials", {
    description: "What the provider asks for (docs/providers.md); stored sealed, and never told again",
  });

export type Credentials = z.infer<typeof Credentials>;

const From = z
  .strictObject({ address: Text(320).min(1), name: Text(200).nullable().default(null) })
  .openapi({ description: "E-mail address; number in E.164, alphanumeric sender or id of a messaging service" });

const Email = z
  .string()
  .trim()
  .max(320)
  .refine((text) => normaliseEmail(text) !== null, "is not an e-mail address");

const PostalAddress = Text(500).min(5);

const BaseUrl = z
  .string()
  .trim()
  .max(500)
  .superRefine((text, context) => {
    const problem = baseUrlProblem(text);
    if (problem) context.addIssue({ code: "custom", message: problem });
  })
  .openapi({ description: "Another address than the provider's own: https, or http to this machine" });

const Selectors = z
  .array(z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, "is not a selector"))
  .max(10);

const PerMinute = z.int().min(1).max(100_000).nullable();

const Classes = z.array(MessageClass).min(1).max(2);

export const NewSender = z
  .strictObject({
    shop: ShopRef.optional(),
    channel: Channel,
    provider: Provider,
    name: Text(100).min(1).optional(),
    from: From,
    replyTo: Email.nullable().default(null),
    postalAddress: PostalAddress.nullable().default(null),
    classes: Classes.optional().openapi({ description: "Both, where the provider takes both" }),
    default: z.boolean().optional().openapi({ description: "The first of a channel is its default" }),
    credentials: Credentials.default({}),
    baseUrl: BaseUrl.nullable().default(null),
    dkimSelectors: Selectors.default([]),
    perMinute: PerMinute.default(null),
  })
  .openapi("NewSender");

export type NewSender = z.infer<typeof NewSender>;

export const SenderPatch = z
  .strictObject({
    name: Text(100).min(1).optional(),
    from: From.optional(),
    replyTo: Email.nullable().optional(),
    postalAddress: PostalAddress.nullable().optional(),
    classes: Classes.optional(),
    default: z.boolean().optional(),
    credentials: Credentials.optional().openapi({ description: "Replaces all that were there" }),
    baseUrl: BaseUrl.nullable().optional(),
    dkimSelectors: Selectors.optional(),
    perMinute: PerMinute.optional(),
  })
  .openapi("SenderPatch");

export type SenderPatch = z.infer<typeof SenderPatch>;

/** One thing that is wrong with a sender as a whole, by JSON pointer. */
export interface SenderProblem {
  pointer: string;
  detail: string;
}

interface Whole {
  channel: z.infer<typeof Channel>;
  provider: ProviderName;
  from: { address: string };
  replyTo: string | null;
  postalAddress: string | null;
  classes: z.infer<typeof MessageClass>[];
}

/** What does not fit together in a sender. */
export function senderProblems(sender: Whole): SenderProblem[] {
  const { channel, provider, from, replyTo, postalAddress, classes } = sender;
  const { channels, marketing } = factsOf(provider);
  const problems: SenderProblem[] = [];
  const say = (pointer: string, detail: string) => problems.push({ pointer, detail });
  if (!channels.includes(channel)) say("/channel", `${provider} carries ${channels.join(" and ")} alone`);
  if (!isFrom(channel, from.address)) say("/from/address", `is no address that ${channel} can come from`);
  if (channel !== "email" && replyTo !== null) say("/replyTo", "is for e-mail alone");
  if (!classes.includes("marketing")) return problems;
  if (!marketing) say("/classes", `${provider} takes transactional messages alone: its terms forbid marketing`);
  if (channel === "email" && postalAddress === null) {
    say("/postalAddress", "is needed for marketing: every such mail shows it");
  }
  return problems;
}

function isFrom(channel: Whole["channel"], address: string): boolean {
  if (channel === "email") return normaliseEmail(address) !== null;
  const isNumber = normalisePhone(address) === address;
  // A messaging service of Twilio's; or letters in the place of a number, which WhatsApp does not know.
  return isNumber || /^MG[0-9a-f]{32}$/i.test(address) || (channel === "sms" && /^[A-Za-z0-9 ]{1,11}$/.test(address));
}

/** What is wrong with credentials for this provider. */
export function credentialProblems(provider: ProviderName, credentials: Credentials): SenderProblem[] {
  const given = Object.fromEntries(Object.entries(credentials).filter(([, value]) => value !== undefined));
  const result = factsOf(provider).credentials.safeParse(given);
  if (!result.success) {
    return result.error.issues.map(({ path, message }) => ({
      pointer: ["/credentials", ...path.map(String)].join("/"),
      detail: message,
    }));
  }
  const { host, port } = credentials;
  const problem = host === undefined ? null : smtpHostProblem(host, Number(port));
  return problem === null ? [] : [{ pointer: "/credentials/host", detail: problem }];
}

export const SenderSchema = z
  .strictObject({
    id: z.string(),
    shopId: z.string(),
    channel: Channel,
    provider: Provider,
    name: z.string(),
    from: z.strictObject({ address: z.string(), name: MaybeText }),
    replyTo: MaybeText,
    postalAddress: MaybeText,
    classes: z.array(MessageClass),
    default: z.boolean(),
    credentialNames: z.array(z.string()).openapi({ description: "Which credentials there are; they are never told" }),
    baseUrl: MaybeText,
    dkimSelectors: z.array(z.string()),
    perMinute: z.int().nullable(),
    feedbackUrl: z.string().openapi({ description: "Where the provider is told to report to" }),
    createdAt: TimeSchema,
    updatedAt: TimeSchema,
  })
  .openapi("Sender");

export type SenderAnswer = z.infer<typeof SenderSchema>;

export const SenderTest = z
  .strictObject({ to: Text(320).min(1).openapi({ description: "An address or number of your own" }) })
  .openapi("SenderTest");

export const SenderTestedSchema = z
  .strictObject({
    id: z.string().openapi({ description: "Told to the provider as the delivery's id" }),
    outcome: z.enum(["accepted", "refused", "retry", "unknown"]),
    providerId: MaybeText,
    code: MaybeText.openapi({ description: "The provider's reason" }),
    permanent: z.boolean().nullable().openapi({ description: "With `refused`: false where the sender is at fault" }),
  })
  .openapi("SenderTested");

const Finding = z.enum(["pass", "missing", "incomplete", "invalid"]);

export const DomainCheckSchema = z
  .strictObject({
    domain: z.string(),
    ready: z.boolean().openapi({ description: "SPF, DKIM and DMARC all pass, as Gmail and Yahoo ask of bulk senders" }),
    spf: z.strictObject({ state: Finding, name: z.string(), found: MaybeText, aligned: z.boolean().nullable() }),
    dkim: z.strictObject({
      state: Finding,
      selectors: z.array(z.strictObject({ name: z.string(), state: Finding, found: MaybeText })),
    }),
    dmarc: z.strictObject({ state: Finding, name: z.string(), found: MaybeText, policy: MaybeText }),
    records: z
      .array(
        z.strictObject({
          type: z.enum(["TXT", "CNAME"]),
          name: z.string(),
          value: MaybeText.openapi({ description: "Null where only the provider knows it" }),
          why: z.string(),
        }),
      )
      .openapi({ description: "What to paste into the zone; empty when nothing is missing" }),
  })
  .openapi("DomainCheck");

export type DomainCheck = z.infer<typeof DomainCheckSchema>;
