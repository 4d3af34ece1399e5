import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Certificate, certificateFor } from "../providers/certificate.ts";

declare global {
  // oxlint-disable-next-line no-var -- a global of this process, shared by the configuration and the set-up
  var testCertificates: { trusted: Certificate; untrusted: Certificate } | undefined;
}

/**
 * Makes a certificate of `localhost` that this process's runtimes trust beside all others, and one that they do not. Before miniflare is loaded:
 * it reads `NODE_EXTRA_CA_CERTS` then and never again.
 */
export async function trustTestCertificate(): Promise<void> {
  // The configuration may be read more than once in a process, and miniflare reads the file once.
  if (globalThis.testCertificates) return;
  const [trusted, untrusted] = await Promise.all([certificateFor("localhost"), certificateFor("localhost")]);
  const folder = mkdtempSync(join(tmpdir(), "footfall-trust-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const before = process.env["NODE_EXTRA_CA_CERTS"];
  const others = before !== undefined && existsSync(before) ? `${readFileSync(before, "utf8")}\n` : "";
  const file = join(folder, "trusted.pem");
  writeFileSync(file, others + trusted.authority);
  process.env["NODE_EXTRA_CA_CERTS"] = file;
  globalThis.testCertificates = { trusted, untrusted };
}
