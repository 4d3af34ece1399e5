import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { family } from "../../../scripts/processes.mjs";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Starts that have not ended yet, with a way to end them. */
const open = new Set<() => void>();

/** A port that nothing listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}

/** Runs `node scripts/start.mjs` as a person would, with these settings beside the ordinary environment. */
export function startScript(settings: Record<string, string>) {
  const child = spawn("node", ["scripts/start.mjs"], {
    cwd: ROOT,
    env: { ...process.env, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
  const kill = () => {
    child.kill("SIGTERM");
  };
  open.add(kill);
  void ended.then(() => open.delete(kill));
  const pid = child.pid ?? 0;
  return {
    ended,
    output: () => output,
    signal: (name: NodeJS.Signals) => child.kill(name),
    /** Every process of this start that runs now. */
    processes: () => family([pid]),
    /** Resolves once the output matches; rejects with the output where the start ends first. */
    says: (pattern: RegExp) =>
      new Promise<void>((resolve, reject) => {
        const check = () => pattern.test(output) && resolve();
        child.stdout.on("data", check);
        child.stderr.on("data", check);
        void ended.then(({ code }) => reject(new Error(`ended with ${code}:\n${output}`)));
        check();
      }),
  };
}

/** Stops whatever a failed test left running. */
export function stopAll() {
  for (const kill of open) kill();
}
