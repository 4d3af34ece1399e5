import { env } from "cloudflare:workers";
import { inject } from "vitest";

import { loadProvider, type OutgoingMessage, type ProviderName } from "../../src/messages/providers";
import { T0 } from "./clock";

declare module "vitest" {
  interface ProvidedContext {
    providers: string;
    mailPorts: string;
  }
}

/** Where the stand-ins of the providers answer, each below its name. */
export const standIns = inject("providers");

const [plain = 0, tls = 0, untrusted = 0]: number[] = JSON.parse(inject("mailPorts"));

/** Of the mail servers: STARTTLS, encrypted from the start, and with a certificate that nobody vouches for. */
export const mailPorts = { plain, tls, untrusted };

/** A text that no other test has: part of a key, a number's end, an address. */
export function unique(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

interface Owned {
  credentials: Record<string, string>;
  account: string;
}

const ACCOUNTS: Partial<Record<ProviderName, (key: string) => Owned>> = {
  resend: (key) => ({ credentials: { apiKey: `re_${key}` }, account: `re_${key}` }),
  postmark: (key) => ({ credentials: { serverToken: `pm-${key}` }, account: `pm-${key}` }),
  sendgrid: (key) => ({ credentials: { apiKey: `SG.${key}` }, account: `SG.${key}` }),
  mailgun: (key) => ({ credentials: { apiKey: `key-${key}`, domain: "mg.acme.example" }, account: `key-${key}` }),
  ses: (key) => {
    const secretAccessKey = key.split("").reverse().join("");
    return { credentials: { accessKeyId: key, secretAccessKey, region: "eu-west-1" }, account: key };
  },
  cloudflare: (key) => ({ credentials: { accountId: "acme", apiToken: `cf-${key}` }, account: `cf-${key}` }),
  twilio: (key) => ({ credentials: { accountSid: `AC${key}`, authToken: `token-${key}` }, account: `AC${key}` }),
};

/** Good credentials of an account of this test's own, and by which name the stand-in knows that account. */
export function accountAt(provider: ProviderName): Owned {
  const owned = ACCOUNTS[provider]?.(unique());
  if (!owned) throw new Error(`${provider} has no accounts`);
  return owned;
}

interface Taken {
  id: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- each provider's own form; the stand-in has checked it
  message: any;
  headers: Record<string, string>;
}

/** What the stand-in took for this account, oldest first. */
export async function taken(provider: ProviderName, account: string): Promise<Taken[]> {
  return (await fetch(`${standIns}/${provider}/__taken?account=${account}`)).json();
}

/** What the stand-in answers this account next. */
export async function plan(
  provider: ProviderName,
  account: string,
  ...answers: ({ status: number; headers?: Record<string, string>; body?: unknown } | "drop")[]
): Promise<void> {
  await fetch(`${standIns}/${provider}/__plan?account=${account}`, { method: "PUT", body: JSON.stringify(answers) });
}

/** A mail with everything that a mail can have. */
export function mail(more: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    deliveryId: `dlv_${unique().slice(0, 26)}`,
    channel: "email",
    class: "marketing",
    from: { address: "shop@acme.example", name: 'Acme "Best", Ltd' },
    replyTo: "help@acme.example",
    to: `${unique()}@customer.example`,
    subject: "Your cart – still here",
    html: "<p>Hällo</p>",
    text: "Hällo",
    headers: {
      "List-Unsubscribe": "<https://acme.example/u>",
      "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    },
    template: null,
    repliedAt: null,
    ...more,
  };
}

export function textMessage(more: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return mail({
    channel: "sms",
    from: { address: "+15005550006", name: null },
    replyTo: null,
    to: `+4915${String(Math.floor(Math.random() * 1e9)).padStart(9, "0")}`,
    subject: null,
    html: null,
    text: "Your cart is waiting",
    headers: {},
    ...more,
  });
}

/** Hands a message to a provider, whose stand-in it is told to use. */
export async function send(
  name: ProviderName,
  message: OutgoingMessage,
  credentials: Record<string, string>,
  baseUrl: string | null = `${standIns}/${name}`,
) {
  const provider = await loadProvider(name);
  const feedbackUrl = `https://footfall.test/feedback/${name}/snd_1`;
  return provider.send(message, credentials, { env, now: T0, baseUrl, feedbackUrl });
}
