/** Child processes and everything that they started, so that a stop leaves nothing behind. */
import { execFileSync } from "node:child_process";

/** The machine's process table: lines of "pid ppid command line". */
export function processTable() {
  return execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}

/**
 * The given processes and everything below them.
 * @param {number[]} roots process ids
 * @param {string} [table] as from processTable()
 * @returns {{ pid: number, command: string }[]} those of them that exist
 */
export function family(roots, table = processTable()) {
  const all = [...table.matchAll(/^\s*(\d+)\s+(\d+)\s+(.*)$/gm)].map(([, pid, parent, command = ""]) => ({
    pid: Number(pid),
    parent: Number(parent),
    command,
  }));
  const found = all.filter(({ pid }) => roots.includes(pid));
  for (const one of found) found.push(...all.filter(({ parent }) => parent === one.pid));
  return found.map(({ pid, command }) => ({ pid, command }));
}

/** Whether a process with this id exists. @param {number} pid */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Sends a signal; a process that is already gone is no error. @param {number} pid @param {NodeJS.Signals} name */
export function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already, which is what a signal of ours is for.
  }
}

/**
 * Stops processes with all their descendants: SIGTERM to the roots, who stop their own children;
 * whoever is still there after the grace is killed.
 * @param {number[]} roots process ids
 * @param {number} graceMs how long an orderly stop may take, in milliseconds
 * @returns {Promise<void>} when all are gone
 */
export async function stopFamilies(roots, graceMs = 5000) {
  const all = family(roots).map(({ pid }) => pid);
  for (const pid of roots) signal(pid, "SIGTERM");
  const deadline = Date.now() + graceMs;
  while (all.some(isAlive) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  for (const pid of all) if (isAlive(pid)) signal(pid, "SIGKILL");
}
