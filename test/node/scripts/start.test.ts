import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { isAlive } from "../../../scripts/processes.mjs";
import { freePort, startScript, stopAll } from "./start-script";

const TOKEN = "operator-token-from-the-environment";
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "footfall-start-"));
});
afterEach(stopAll);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function start(state: string, settings: Record<string, string> = {}) {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const environment = {
    DEMO: "0",
    PORT: String(port),
    STATE_DIR: join(folder, state),
    OPERATOR_TOKEN: TOKEN,
    ...settings,
  };
  const run = startScript(environment);
  await run.says(/is running/);
  const call = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    });
  return { ...run, port, call };
}

const runtime = (run: { processes: () => { pid: number; command: string }[] }) =>
  run.processes().filter(({ command }) => command.includes("workerd serve"));

describe("npm start", () => {
  it("serves with the environment's settings, stops on SIGTERM with exit 0 and leaves no process; data stays", async () => {
    const first = await start("kept");
    expect((await first.call("/health")).status).toBe(200);
    expect(first.output()).toContain(`curl -H "Authorization: Bearer ${TOKEN}" "http://localhost:${first.port}/v1/`);
    const body = JSON.stringify({ domain: "kept.example.com" });
    const created = await first.call("/v1/shops", { method: "POST", body });
    expect(created.status).toBe(201);
    const { id } = await created.json();
    const pids = first.processes().map(({ pid }) => pid);
    expect(runtime(first).length).toBeGreaterThan(0);

    first.signal("SIGTERM");
    expect(await first.ended).toEqual({ code: 0, signal: null });
    expect(pids.filter(isAlive)).toEqual([]);
    expect(first.output()).not.toMatch(/^\s+at .*\(/m);

    const second = await start("kept");
    const shop = await second.call(`/v1/shops/${id}`);
    expect(await shop.json()).toMatchObject({ id, domain: "kept.example.com" });
    second.signal("SIGINT");
    expect((await second.ended).code).toBe(0);
  });

  it("runs beside another one with its own port and state, and answers again after its runtimes were killed", async () => {
    const [left, right] = await Promise.all([start("left"), start("right")]);
    const body = JSON.stringify({ domain: "left.example.com" });
    const { id } = await (await left.call("/v1/shops", { method: "POST", body })).json();
    expect((await right.call(`/v1/shops/${id}`)).status).toBe(404);

    for (const { pid } of runtime(left)) process.kill(pid, "SIGKILL");
    await left.says(/starting the Worker again/);
    await expect
      .poll(async () => (await left.call(`/v1/shops/${id}`).catch(() => undefined))?.status, { timeout: 30_000 })
      .toBe(200);
    expect((await right.call("/health")).status).toBe(200);

    for (const one of [left, right]) one.signal("SIGTERM");
    expect(await Promise.all([left.ended, right.ended])).toEqual([
      { code: 0, signal: null },
      { code: 0, signal: null },
    ]);
  });

  it("says so and ends with 1 when wrangler dies, leaving no process", async () => {
    const run = await start("dying");
    const pids = run.processes().map(({ pid }) => pid);
    const wrangler = run.processes().find(({ command }) => /\.bin\/wrangler dev/.test(command));
    expect(wrangler).toBeDefined();
    process.kill(wrangler?.pid ?? 0, "SIGKILL");
    expect((await run.ended).code).toBe(1);
    expect(run.output()).toContain("The Worker (wrangler dev) ended by itself");
    // Orphans belong to the system's first process, which collects them when it gets to it.
    await expect.poll(() => pids.filter(isAlive), { timeout: 5000 }).toEqual([]);
  });

  it("ends with the Worker's reason when a setting is too weak to run with", async () => {
    const run = startScript({
      DEMO: "0",
      PORT: String(await freePort()),
      STATE_DIR: join(folder, "weak"),
      OPERATOR_TOKEN: "x",
    });
    expect((await run.ended).code).toBe(1);
    expect(run.output()).toContain("The Worker answers 5");
  });
});
