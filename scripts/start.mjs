/**
 * `npm start`: checks the ports, installs what is missing and watches over scripts/serve.mjs, which does the rest
 * under the local Node. Signals reach it here, and whatever way it ends, nothing that it started stays behind.
 */
import { spawn } from "node:child_process";
import { busyMessage, isBusy, portFrom } from "./ports.mjs";
import { isAlive, signal } from "./processes.mjs";
import { fail, install, LOCAL_NODE, ROOT } from "./setup.mjs";

await checkPorts();
install();

/** What the server started, reported by it as it goes. @type {Set<number>} */
const started = new Set();
const server = spawn(LOCAL_NODE, ["scripts/serve.mjs"], { cwd: ROOT, stdio: ["ignore", "inherit", "inherit", "ipc"] });
server.on("message", (pids) => {
  for (const pid of Array.isArray(pids) ? pids : []) started.add(pid);
});
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => server.kill("SIGTERM"));
if (process.env.npm_lifecycle_event) stopWithNpm();

server.on("exit", (code) => {
  for (const pid of started) if (isAlive(pid)) signal(pid, "SIGKILL");
  process.exit(code ?? 1);
});

async function checkPorts() {
  const wanted = [{ what: "The Worker", name: "PORT", standard: 8787 }];
  if (process.env.DEMO !== "0") wanted.push({ what: "The demo storefront", name: "DEMO_PORT", standard: 8788 });
  try {
    const ports = wanted.map(({ name, standard }) => portFrom(name, standard, process.env));
    if (new Set(ports).size < ports.length) fail(`PORT and DEMO_PORT are both ${ports[0]}; choose two ports.`);
    for (const [index, { what, name }] of wanted.entries()) {
      const port = ports[index] ?? 0;
      if (await isBusy(port)) fail(busyMessage(what, port, name));
    }
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}

/** npm passes a signal only to its shell, and some shells die of it without telling us. */
function stopWithNpm() {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && server.kill("SIGTERM"), 500).unref();
}
