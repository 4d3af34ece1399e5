import { z } from "zod";

import type { Channel, Provider } from "./provider";

const DAY = 24 * 3_600_000;

/** A key, a token, a name: one line without control characters, so that it can stand in a header. */
const Line = z
  .string()
  .trim()
  .min(1)
  .max(1_000)
  .regex(/^[^\p{Cc}]+$/u, "holds control characters");

const Name = Line.max(200).regex(/^[\w.-]+$/, "may hold letters, digits, dots, dashes and underscores");

export interface ProviderFacts {
  channels: readonly Channel[];
  marketing: boolean;
  idempotencyMs: number;
  /** Where it is reached; null where it has no one address. */
  baseUrl: string | null;
  /** What a sender has to give. What is optional is for feedback, or a choice. */
  credentials: z.ZodObject;
  load: () => Promise<Pick<Provider, "send" | "readFeedback">>;
}

const email = ["email"] as const;

/**
 * The providers, by their names in the API. Idempotency as published: Resend keeps a key for 24 hours, the others take
 * none. Cloudflare's terms allow transactional mail alone.
 */
export const PROVIDERS = {
  resend: {
    channels: email,
    marketing: true,
    idempotencyMs: DAY,
    baseUrl: "https://api.resend.com",
    credentials: z.strictObject({ apiKey: Line, webhookSecret: Line.optional() }),
    load: async () => (await import("./resend")).resend,
  },
  postmark: {
    channels: email,
    marketing: true,
    idempotencyMs: 0,
    baseUrl: "https://api.postmarkapp.com",
    credentials: z.strictObject({
      serverToken: Line,
      transactionalStream: Name.optional(),
      broadcastStream: Name.optional(),
      feedbackUser: Line.optional(),
      feedbackPassword: Line.optional(),
    }),
    load: async () => (await import("./postmark")).postmark,
  },
  sendgrid: {
    channels: email,
    marketing: true,
    idempotencyMs: 0,
    baseUrl: "https://api.sendgrid.com",
    credentials: z.strictObject({ apiKey: Line, webhookPublicKey: Line.optional() }),
    load: async () => (await import("./sendgrid")).sendgrid,
  },
  mailgun: {
    channels: email,
    marketing: true,
    idempotencyMs: 0,
    baseUrl: "https://api.mailgun.net",
    credentials: z.strictObject({ apiKey: Line, domain: Name, webhookSigningKey: Line.optional() }),
    load: async () => (await import("./mailgun")).mailgun,
  },
  ses: {
    channels: email,
    marketing: true,
    idempotencyMs: 0,
    baseUrl: null,
    credentials: z.strictObject({
      accessKeyId: Name,
      secretAccessKey: Line,
      region: Line.regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, "is not a region such as eu-west-1"),
      configurationSet: Name.optional(),
      topicArn: Line.regex(/^arn:aws[a-z-]*:sns:/, "is not the ARN of an SNS topic").optional(),
    }),
    load: async () => (await import("./ses")).ses,
  },
  smtp: {
    channels: email,
    marketing: true,
    idempotencyMs: 0,
    baseUrl: null,
    credentials: z.strictObject({
      host: Line.max(253),
      port: Line.regex(/^\d{1,5}$/, "is not a port"),
      security: z.enum(["tls", "starttls", "none"]).optional(),
      username: Line.optional(),
      password: Line.optional(),
    }),
    load: async () => (await import("./smtp")).smtp,
  },
  cloudflare: {
    channels: email,
    marketing: false,
    idempotencyMs: 0,
    baseUrl: "https://api.cloudflare.com",
    credentials: z.strictObject({ accountId: Name, apiToken: Line }),
    load: async () => (await import("./cloudflare")).cloudflare,
  },
  twilio: {
    channels: ["sms", "whatsapp"],
    marketing: true,
    idempotencyMs: 0,
    baseUrl: "https://api.twilio.com",
    credentials: z.strictObject({ accountSid: Name, authToken: Line }),
    load: async () => (await import("./twilio")).twilio,
  },
  development: {
    channels: ["email", "sms", "whatsapp"],
    marketing: true,
    idempotencyMs: DAY,
    baseUrl: null,
    credentials: z.strictObject({}),
    load: async () => (await import("./development")).development,
  },
} as const satisfies Record<string, ProviderFacts>;

export type ProviderName = keyof typeof PROVIDERS;

export const PROVIDER_NAMES = Object.keys(PROVIDERS) as [ProviderName, ...ProviderName[]];

export function isProvider(name: string): name is ProviderName {
  return Object.hasOwn(PROVIDERS, name);
}

/** What is known of a provider without loading it. */
export function factsOf(name: ProviderName): ProviderFacts {
  return PROVIDERS[name];
}

/** The provider itself; its code loads with the first message. */
export async function loadProvider(name: ProviderName): Promise<Provider> {
  const { channels, marketing, idempotencyMs, load } = factsOf(name);
  return { name, channels, marketing, idempotencyMs, ...(await load()) };
}
