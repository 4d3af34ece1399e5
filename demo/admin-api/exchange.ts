import type { IncomingMessage } from "node:http";

/** One request to the stand-in, its body read. */
export type Call = {
  method: string;
  url: URL;
  headers: IncomingMessage["headers"];
  body: string;
  /** Where the stand-in answers, as the caller wrote it: `http://127.0.0.1:8788`. */
  origin: string;
};

export type Answer = { status: number; headers: Record<string, string>; body: string };

export const jsonAnswer = (status: number, value: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", ...headers },
  body: JSON.stringify(value),
});
