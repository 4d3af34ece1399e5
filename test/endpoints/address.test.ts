import { expect, it } from "vitest";

import { addressProblem } from "../../src/endpoints/address";

it.each([
  "https://hooks.acme.example/footfall?x=1",
  "https://acme.example",
  "https://acme.example:8443/",
  "https://xn--bcher-kva.example/",
  "https://localhost.acme.example/",
  "https://10.acme.example/",
])("%s may be called", (address) => {
  expect(addressProblem(address)).toBeNull();
});

it.each([
  ["http://acme.example/", "https"],
  ["ftp://acme.example/", "https"],
  ["file:///etc/passwd", "https"],
  ["acme.example", "not an address"],
  ["https://user@acme.example/", "credentials"],
  ["https://user:pass@acme.example/", "credentials"],
  ["https://acme.example:22/", "port"],
  ["https://acme.example:80/", "port"],
  ["https://localhost/", "public host"],
  ["https://LOCALHOST./", "public host"],
  ["https://app.localhost/", "public host"],
  ["https://printer.local/", "public host"],
  ["https://metadata.google.internal/", "public host"],
  ["https://metadata.google.internal./", "public host"],
  ["https://intranet/", "public host"],
  ["https://router.home.arpa/", "public host"],
  ["https://127.0.0.1/", "IP address"],
  ["https://127.1/", "IP address"],
  ["https://2130706433/", "IP address"],
  ["https://0x7f000001/", "IP address"],
  ["https://0177.0.0.1/", "IP address"],
  ["https://0/", "IP address"],
  ["https://127.0.0.1./", "IP address"],
  ["https://１２７.0.0.1/", "IP address"],
  ["https://169.254.169.254/latest/meta-data", "IP address"],
  ["https://10.0.0.8/", "IP address"],
  ["https://8.8.8.8/", "IP address"],
  ["https://[::1]/", "IP address"],
  ["https://[::]/", "IP address"],
  ["https://[::ffff:127.0.0.1]/", "IP address"],
  ["https://[::ffff:7f00:1]/", "IP address"],
  ["https://[fd00::1]/", "IP address"],
  ["https://[fe80::1]/", "IP address"],
  ["https://[64:ff9b::7f00:1]/", "IP address"],
])("%s may not: %s", (address, why) => {
  expect(addressProblem(address)).toContain(why);
});
