import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";
import { fillSecrets } from "../../../scripts/dev-vars.mjs";
import { installedMatches } from "../../../scripts/setup.mjs";
import { countTests } from "../../../scripts/test-counts.mjs";
import { devArguments, localSettings } from "../../../scripts/wrangler-arguments.mjs";

const DEMO = "http://localhost:8788";

const EXAMPLE = `# Who runs this.
OPERATOR_TOKEN=
SHOPIFY_API_KEY=
  SHOPIFY_API_SECRET =
SHOPIFY_API_SECRET_PREVIOUS=
ENCRYPTION_KEY=""
TRUST_GEO_HEADERS=off
`;

describe("filling local secrets", () => {
  it("gives every empty secret a random value of the form that the Worker accepts", () => {
    const filled = parseEnv(fillSecrets(EXAMPLE));
    expect(filled.OPERATOR_TOKEN).toMatch(/^[\w-]{43}$/);
    expect(filled.SHOPIFY_API_KEY).toMatch(/^[0-9a-f]{32}$/);
    expect(filled.SHOPIFY_API_SECRET).toMatch(/^[0-9a-f]{64}$/);
    expect(Buffer.from(filled.ENCRYPTION_KEY ?? "", "base64")).toHaveLength(32);
    expect(fillSecrets(EXAMPLE)).not.toBe(fillSecrets(EXAMPLE));
  });

  it("leaves comments, the optional secret, switches and values already set as they are", () => {
    const filled = fillSecrets(EXAMPLE.replace("OPERATOR_TOKEN=", () => "OPERATOR_TOKEN=mine$&"));
    expect(filled).toContain("# Who runs this.\nOPERATOR_TOKEN=mine$&\n");
    expect(parseEnv(filled)).toMatchObject({ SHOPIFY_API_SECRET_PREVIOUS: "", TRUST_GEO_HEADERS: "off" });
    expect(fillSecrets(filled)).toBe(filled);
  });

  it("adds a secret whose line is missing, once", () => {
    const filled = fillSecrets("OPERATOR_TOKEN=a");
    expect(filled.match(/^ENCRYPTION_KEY=/gm)).toHaveLength(1);
    expect(parseEnv(filled).OPERATOR_TOKEN).toBe("a");
  });
});

describe("settings of the local Worker", () => {
  const file = { OPERATOR_TOKEN: "from-file", SHOPIFY_API_SECRET_PREVIOUS: "", TRUST_GEO_HEADERS: "off" };

  it("passes what the environment overrides, and nothing else, as arguments", () => {
    const { values, overrides } = localSettings(
      file,
      { OPERATOR_TOKEN: "a:b=c", ENCRYPTION_KEY: "", HOME: "/" },
      undefined,
    );
    expect(overrides).toEqual(["--var", "OPERATOR_TOKEN:a:b=c"]);
    expect(values).toEqual({ OPERATOR_TOKEN: "a:b=c", TRUST_GEO_HEADERS: "off" });
  });

  it("passes the previous secret of the file, which wrangler would drop", () => {
    const { overrides } = localSettings({ ...file, SHOPIFY_API_SECRET_PREVIOUS: "old" }, {}, undefined);
    expect(overrides).toEqual(["--var", "SHOPIFY_API_SECRET_PREVIOUS:old"]);
  });

  it("trusts the demo's location headers unless told otherwise", () => {
    expect(localSettings(file, {}, DEMO).values.TRUST_GEO_HEADERS).toBe("on");
    expect(localSettings(file, { TRUST_GEO_HEADERS: "off" }, DEMO).values.TRUST_GEO_HEADERS).toBe("off");
  });

  it("lets the demo's stand-in answer for Shopify unless told otherwise", () => {
    const origin = "http://localhost:8788/_shopify/{shop}";
    const { values, overrides } = localSettings(file, {}, DEMO);
    expect(values.SHOPIFY_ADMIN_ORIGIN).toBe(origin);
    expect(overrides).toContain(`SHOPIFY_ADMIN_ORIGIN:${origin}`);
    const proxy = { SHOPIFY_ADMIN_ORIGIN: "https://proxy.example/{shop}" };
    expect(localSettings(file, proxy, DEMO).values).toMatchObject(proxy);
    expect(localSettings(file, {}, undefined).values).not.toHaveProperty("SHOPIFY_ADMIN_ORIGIN");
  });

  it("binds the loopback address, any inspector port and the given state", () => {
    const args = devArguments({ port: 9000, stateDir: "/tmp/state", overrides: ["--var", "A:b"] });
    expect(args).toEqual(expect.arrayContaining(["--ip=127.0.0.1", "--port=9000", "--inspector-port=0"]));
    expect(args).toContain("--persist-to=/tmp/state");
    expect(args.slice(-2)).toEqual(["--var", "A:b"]);
  });
});

describe("what is installed", () => {
  const locked = {
    "": {},
    "node_modules/a": { version: "1.0.0" },
    "node_modules/b": { version: "2.0.0", optional: true },
  };

  it("does without optional packages of other platforms", () => {
    expect(installedMatches(locked, { "node_modules/a": { version: "1.0.0" } })).toBe(true);
  });

  it("is outdated when a version differs or a package is missing", () => {
    expect(installedMatches(locked, { "node_modules/a": { version: "1.0.1" } })).toBe(false);
    expect(installedMatches(locked, {})).toBe(false);
    const other = { "node_modules/a": { version: "1.0.0" }, "node_modules/b": { version: "1.9.0" } };
    expect(installedMatches(locked, other)).toBe(false);
  });
});

describe("the closing line of npm test", () => {
  it("counts passed, failed and skipped tests", () => {
    expect(countTests([{ report: { numPassedTests: 5, numFailedTests: 2, numPendingTests: 1 }, code: 1 }])).toEqual({
      line: "5 passed, 2 failed, 1 skipped",
      failed: 2,
    });
    const both = { report: { numPassedTests: 5 }, code: 0 };
    expect(countTests([both, both]).line).toBe("10 passed, 0 failed");
  });

  it("counts a file that could not be loaded, a crash and an empty run as failures", () => {
    const file = { status: "failed", assertionResults: [] };
    expect(countTests([{ report: { numPassedTests: 5, testResults: [file, file] }, code: 1 }]).failed).toBe(2);
    expect(countTests([{ report: undefined, code: "SIGKILL" }]).line).toBe("0 passed, 1 failed");
    expect(countTests([{ report: { numPassedTests: 3 }, code: 1 }]).failed).toBe(1);
    expect(countTests([{ report: {}, code: 0 }]).failed).toBe(1);
  });
});
