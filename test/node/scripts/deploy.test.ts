import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { unstable_readConfig as readConfig } from "wrangler";
import { compareConfiguration, type Needs } from "../../../scripts/check-deploy.mjs";
import { deploy, withDatabaseId } from "../../../scripts/deploy-steps.mjs";

const config = readConfig({ config: fileURLToPath(new URL("../../../wrangler.toml", import.meta.url)) });
const ID = "1b4d6a0e-5c53-4f1d-9a5e-0f2f3a6b7c8d";
const SECRETS: string[] = config.secrets?.required ?? [];
const CONFIG_TEXT = 'database_id = "00000000-0000-0000-0000-000000000000"\n';

/** A rehearsal: an account that answers as wrangler words its answers, and everything that was done with it. */
function rehearse({
  secrets = SECRETS,
  databases = [] as string[],
  queues = [] as string[],
  worker = true,
  dryRun = false,
}) {
  const commands: string[] = [];
  const said: string[] = [];
  const written: string[] = [];
  const account = { databases: [...databases] };
  const ok = (output = "") => ({ ok: true, output });
  const wrangler = (args: string[]) => {
    commands.push(args.join(" "));
    const [first, second, third = ""] = args;
    if (first === "d1" && second === "list")
      return ok(JSON.stringify(account.databases.map((name) => ({ name, uuid: ID }))));
    if (first === "d1" && second === "create") account.databases.push(third);
    if (first === "queues" && second === "info") return { ok: queues.includes(third), output: "no such queue" };
    if (first === "secret" && !worker) return { ok: false, output: 'Worker "footfall" not found.' };
    if (first === "secret") return ok(JSON.stringify(secrets.map((name) => ({ name, type: "secret_text" }))));
    return ok();
  };
  let error = "";
  try {
    deploy({
      config,
      configText: CONFIG_TEXT,
      dryRun,
      wrangler,
      writeConfig: (text) => written.push(text),
      say: (line) => said.push(line),
    });
  } catch (thrown) {
    error = String(thrown);
  }
  return { commands, said, written, error };
}

const QUEUES = ["webhooks", "reactions", "calls", "messages", "runs"].map((name) => `footfall-${name}`);

describe("npm run deploy", () => {
  it("creates what is absent, migrates, then deploys with the real database id", () => {
    const { commands, written, error, said } = rehearse({});
    expect(error).toBe("");
    expect(commands).toEqual([
      "whoami",
      "d1 list --json",
      "d1 create footfall",
      "d1 list --json",
      ...QUEUES.flatMap((queue) => [`queues info ${queue}`, `queues create ${queue}`]),
      "secret list --format=json --config=wrangler.deploy.toml",
      "d1 migrations apply footfall --remote --config=wrangler.deploy.toml",
      "deploy --config=wrangler.deploy.toml",
    ]);
    expect(written).toEqual([withDatabaseId(CONFIG_TEXT, ID)]);
    expect(written[0]).toContain(`database_id = "${ID}"`);
    for (const command of commands) expect(said).toContain(`$ npx wrangler ${command}`);
  });

  it("creates nothing that is there", () => {
    const { commands } = rehearse({
      databases: ["footfall"],
      queues: QUEUES,
    });
    expect(commands.filter((command) => command.includes("create"))).toEqual([]);
    expect(commands.at(-1)).toBe("deploy --config=wrangler.deploy.toml");
  });

  it.each([
    [
      "of a Worker that lacks one",
      { secrets: SECRETS.filter((name) => name !== "ENCRYPTION_KEY") },
      ["ENCRYPTION_KEY"],
    ],
    ["before the first deploy", { worker: false }, SECRETS],
  ])("refuses without secrets, naming the commands: %s", (_, account, missing) => {
    const { commands, error } = rehearse(account);
    for (const name of SECRETS) {
      expect(error.includes(`npx wrangler secret put ${name}\n`) || error.endsWith(`secret put ${name}`)).toBe(
        missing.includes(name),
      );
    }
    expect(commands.some((command) => command.startsWith("deploy") || command.includes("migrations"))).toBe(false);
  });

  it("in a dry run prints every command and touches no account", () => {
    const { commands, said } = rehearse({ dryRun: true });
    expect(commands).toEqual(["deploy --config=wrangler.deploy.toml --dry-run"]);
    expect(said).toContain("$ npx wrangler d1 migrations apply footfall --remote --config=wrangler.deploy.toml");
  });

  it("never writes an id of an unknown form into the configuration", () => {
    expect(() => withDatabaseId(CONFIG_TEXT, 'x"\n[vars]')).toThrow("unknown form");
  });
});

describe("what is declared against what the code uses", () => {
  const bindings = [
    "DB",
    "ASSETS",
    ...config.durable_objects.bindings.map((object: { name: string }) => object.name),
    ...(config.queues.producers ?? []).map((queue: { binding: string }) => queue.binding),
  ];
  const names = [...bindings, "TRUST_GEO_HEADERS", ...SECRETS];
  const needs = (change: Partial<Needs> = {}): Needs => ({
    names: new Set(names),
    words: new Set(names),
    exports: ["Visitor", "Clock", "Connection", "Sync", "default"],
    handlers: new Set(["fetch", "queue", "scheduled"]),
    ...change,
  });
  const settings = [...SECRETS];

  it("agrees with a Worker that uses exactly what is declared", () => {
    expect(compareConfiguration(config, needs(), settings)).toEqual([]);
  });

  it.each([
    ["a binding", { names: new Set([...names, "MAIL"]) }, "env.MAIL is used but not declared."],
    [
      "an unused secret",
      { words: new Set(names.filter((n) => n !== "ENCRYPTION_KEY")) },
      "ENCRYPTION_KEY is declared but never used.",
    ],
    [
      "a Durable Object",
      { exports: ["Visitor", "Connection", "Sync", "default"] },
      "The entry does not export the Durable Object Clock.",
    ],
    [
      "the queue's handler",
      { handlers: new Set(["fetch", "scheduled"]) },
      "queue consumers are declared but the entry has no queue.",
    ],
    [
      "the cron's handler",
      { handlers: new Set(["fetch", "queue"]) },
      "cron triggers are declared but the entry has no scheduled.",
    ],
  ])("names %s that is missing", (_, change, problem) => {
    expect(compareConfiguration(config, needs(change), settings)).toEqual([problem]);
  });

  it.each([
    ["consumers", { queues: { ...config.queues, consumers: [] } }, "Nothing consumes the queue footfall-webhooks."],
    ["crons", { triggers: { crons: [] } }, "The entry handles scheduled but declares no cron triggers."],
    ["the database", { d1_databases: [] }, "env.DB is used but not declared."],
    ["a required secret", { secrets: { required: SECRETS.slice(1) } }, "env.OPERATOR_TOKEN is used but not declared."],
  ])("names the %s that the configuration lacks", (_, change, problem) => {
    expect(compareConfiguration({ ...config, ...change }, needs(), settings.slice(1))).toContain(problem);
  });
});
