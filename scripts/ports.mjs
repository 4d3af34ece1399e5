/** Ports of this machine: read from the environment, checked before anything slow begins. */
import { connect, createServer } from "node:net";

/**
 * Reads a port from the environment.
 * @param {string} name the variable
 * @param {number} standard the port where it is not set
 * @param {NodeJS.ProcessEnv} environment
 * @returns {number} throws an Error fit for the terminal where the value is no port
 */
export function portFrom(name, standard, environment) {
  const text = environment[name];
  if (text === undefined || text === "") return standard;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`${name} must be a port from 1 to 65535, not "${text}".`);
  }
  return port;
}

/**
 * Says whether something already answers on the port, on either address that "localhost" may mean,
 * or whether it cannot be bound.
 * @param {number} port
 * @returns {Promise<boolean>}
 */
export async function isBusy(port) {
  const answered = await Promise.all(["127.0.0.1", "::1"].map((host) => answers(host, port)));
  return answered.includes(true) || !(await binds(port));
}

/**
 * The message for a port that is taken.
 * @param {string} what who wanted it, such as "The Worker"
 * @param {number} port
 * @param {string} name the variable that changes it
 */
export function busyMessage(what, port, name) {
  return `${what} needs port ${port}, which is in use. Stop what uses it, or choose another: ${name}=${port + 100} npm start`;
}

function answers(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const done = (/** @type {boolean} */ result) => {
      socket.destroy();
      resolve(result);
    };
    socket.on("connect", () => done(true));
    socket.on("timeout", () => done(false));
    socket.on("error", () => done(false));
  });
}

function binds(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
