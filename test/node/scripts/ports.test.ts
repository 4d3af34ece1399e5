import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { busyMessage, isBusy, portFrom } from "../../../scripts/ports.mjs";
import { family } from "../../../scripts/processes.mjs";
import { freePort, startScript, stopAll } from "./start-script";

afterEach(stopAll);

async function occupy(host: string) {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return { port, release: () => new Promise((resolve) => server.close(resolve)) };
}

describe("ports", () => {
  it("reads a port and names the variable that holds none", () => {
    expect(portFrom("PORT", 8787, {})).toBe(8787);
    expect(portFrom("PORT", 8787, { PORT: "" })).toBe(8787);
    expect(portFrom("PORT", 8787, { PORT: "9000" })).toBe(9000);
    for (const wrong of ["0", "65536", "80.5", "http"]) {
      expect(() => portFrom("DEMO_PORT", 8788, { DEMO_PORT: wrong })).toThrow("DEMO_PORT must be a port");
    }
  });

  it.each(["127.0.0.1", "0.0.0.0", "::1"])("is busy while something listens on %s, then free", async (host) => {
    const { port, release } = await occupy(host);
    expect(await isBusy(port)).toBe(true);
    await release();
    expect(await isBusy(port)).toBe(false);
  });

  it("stops npm start before anything slow and names the variable that changes the port", async () => {
    const { port, release } = await occupy("127.0.0.1");
    const free = await freePort();
    const worker = startScript({ PORT: String(port), DEMO_PORT: String(free) });
    expect(await worker.ended).toEqual({ code: 1, signal: null });
    expect(worker.output()).toBe(`${busyMessage("The Worker", port, "PORT")}\n`);
    const demo = startScript({ PORT: String(free), DEMO_PORT: String(port) });
    expect((await demo.ended).code).toBe(1);
    expect(demo.output()).toContain(`DEMO_PORT=${port + 100} npm start`);
    await release();
  });

  it("refuses one port for both", async () => {
    const port = String(await freePort());
    const start = startScript({ PORT: port, DEMO_PORT: port });
    expect((await start.ended).code).toBe(1);
    expect(start.output()).toContain("choose two ports");
  });
});

describe("the family of a process", () => {
  it("is the process and its descendants at any depth", () => {
    const table =
      "    1     0 init\n   10     1 npm start\n   30    20 workerd serve x\n   20    10 wrangler\n   40     1 sh\n";
    expect(family([10], table).map(({ pid }) => pid)).toEqual([10, 20, 30]);
    expect(family([99], table)).toEqual([]);
  });
});
