import type { TestProject } from "vitest/node";
import { startProviders } from "../../demo/providers/server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the stand-ins of the providers of messages answer. */
    providers: string;
    /** Ports of the mail servers, as JSON: STARTTLS, encrypted from the start, a certificate that nobody vouches for. */
    mailPorts: string;
  }
}

/** Starts the providers of messages for the tests inside workerd, for as long as the run lasts. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const certificates = globalThis.testCertificates;
  if (!certificates) throw new Error("vitest.config.ts makes the certificate first");
  const { url, mail, close } = await startProviders(certificates);
  project.provide("providers", url);
  project.provide("mailPorts", JSON.stringify([mail.plainPort, mail.tlsPort, mail.untrustedPort]));
  return close;
}
