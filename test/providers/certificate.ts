/**
 * Certificates made while the tests run, so that no private key lies in the repository. Plain WebCrypto: the same in
 * workerd and in Node.
 */

const utf8 = new TextEncoder();

/** One DER value: tag, length, content. */
function der(tag: number, ...parts: (Uint8Array | number[])[]): Uint8Array {
  const content = parts.flatMap((part) => [...part]);
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Uint8Array.from([tag, ...length, ...content]);
}

const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts);
const oid = (...bytes: number[]) => der(0x06, bytes);
const NULL = der(0x05);

const SHA256_WITH_RSA = sequence(oid(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b), NULL);
const COMMON_NAME = oid(0x55, 0x04, 0x03);
const SUBJECT_ALTERNATIVE_NAME = oid(0x55, 0x1d, 0x11);
const BASIC_CONSTRAINTS = oid(0x55, 0x1d, 0x13);

function name(host: string): Uint8Array {
  return sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, utf8.encode(host)))));
}

/** Base64 in lines of 64 between BEGIN and END. */
function pem(label: string, bytes: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...bytes)).replaceAll(/.{1,64}/g, "$&\n");
  return `-----BEGIN ${label}-----\n${base64}-----END ${label}-----\n`;
}

export interface Certificate {
  /** PEM. */
  cert: string;
  /** PEM: who is to be trusted for it to be. */
  authority: string;
  /** PEM, PKCS 8. */
  key: string;
  privateKey: CryptoKey;
}

const ALGORITHM = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

const EXTENSIONS = {
  authority: () => sequence(BASIC_CONSTRAINTS, der(0x01, [0xff]), der(0x04, sequence(der(0x01, [0xff])))),
  host: (host: string) => {
    const names = sequence(der(0x82, utf8.encode(host)), der(0x87, [127, 0, 0, 1]));
    return sequence(SUBJECT_ALTERNATIVE_NAME, der(0x04, names));
  },
};

/** Version 3, good from 2025 to 2049. */
async function certificateOf(
  subject: string,
  issuer: string,
  pair: CryptoKeyPair,
  extension: Uint8Array,
): Promise<string> {
  const time = (text: string) => der(0x17, utf8.encode(text));
  const spki = new Uint8Array((await crypto.subtle.exportKey("spki", pair.publicKey)) as ArrayBuffer);
  const body = sequence(
    der(0xa0, der(0x02, [2])),
    der(0x02, [1, ...crypto.getRandomValues(new Uint8Array(8))]),
    SHA256_WITH_RSA,
    name(issuer),
    sequence(time("250101000000Z"), time("491231235959Z")),
    name(subject),
    spki,
    der(0xa3, sequence(extension)),
  );
  const signature = new Uint8Array(await crypto.subtle.sign(ALGORITHM, pair.privateKey, Uint8Array.from(body)));
  return pem("CERTIFICATE", sequence(body, SHA256_WITH_RSA, der(0x03, [0], signature)));
}

/** A certificate of this host and of 127.0.0.1, and the authority that vouches for it; both have the same key. */
export async function certificateFor(host: string): Promise<Certificate> {
  const pair = (await crypto.subtle.generateKey(
    { ...ALGORITHM, modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) },
    true,
    ["sign", "verify"],
  )) as CryptoKeyPair;
  const issuer = `Authority of ${host}`;
  const pkcs8 = new Uint8Array((await crypto.subtle.exportKey("pkcs8", pair.privateKey)) as ArrayBuffer);
  return {
    authority: await certificateOf(issuer, issuer, pair, EXTENSIONS.authority()),
    cert: await certificateOf(host, issuer, pair, EXTENSIONS.host(host)),
    key: pem("PRIVATE KEY", pkcs8),
    privateKey: pair.privateKey,
  };
}
