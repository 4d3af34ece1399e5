import { guard } from "./guard.ts";

/** What must not or cannot be kept in localStorage lives as long as the page. */
const memory: Record<string, unknown> = {};

/** The value kept under `key` by this browser, else by this page. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names what it has written itself
export const read = <T>(key: string): T | undefined => {
  try {
    return JSON.parse(localStorage[key]) as T;
  } catch {
    return memory[key] as T | undefined;
  }
};

/** Keeps a value for this page only; one that the browser keeps goes before it. */
export const remember = (key: string, value?: unknown): unknown => (memory[key] = value);

/** Keeps a value; without one, removes it. */
export const write = guard((key: string, value?: unknown) =>
  remember(key, value) ? (localStorage[key] = JSON.stringify(value)) : delete localStorage[key],
);
