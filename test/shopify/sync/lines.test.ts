import { describe, expect, it } from "vitest";

import { DownloadFailed } from "../../../src/shopify/sync/file";
import { groupLines } from "../../../src/shopify/sync/groups";
import { type Line, LONGEST_LINE, readLines } from "../../../src/shopify/sync/lines";
import { Random } from "../../helpers/random";

const bytes = (text: string) => new TextEncoder().encode(text);

function streamOf(chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

async function linesOf(chunks: Uint8Array[], start = 0): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of readLines(streamOf(chunks), start)) lines.push(line);
  return lines;
}

const TEXT = '{"id":"ä"}\n{"name":"Ödegård 🪔 東京"}\n\n{"last":true}';

describe("reading lines of a stream", () => {
  it("puts lines together wherever chunks cut them, also within a character", async () => {
    const whole = bytes(TEXT);
    const random = new Random(7);
    const expected = await linesOf([whole]);
    expect(expected.map(({ text }) => text)).toEqual(TEXT.split("\n"));
    for (let round = 0; round < 200; round++) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < whole.length;) {
        const size = random.int(0, 7);
        chunks.push(whole.slice(at, at + size));
        at += size;
      }
      expect(await linesOf(chunks)).toEqual(expected);
    }
  });

  it("tells the byte after each line, from where on the rest reads the same", async () => {
    const whole = bytes(TEXT);
    const lines = await linesOf([whole]);
    expect(lines.at(-1)?.end).toBe(whole.length);
    for (const [n, { end }] of lines.entries()) {
      expect(await linesOf([whole.slice(end)], end)).toEqual(lines.slice(n + 1));
    }
  });

  it("takes a line that is larger than its chunks and gives up on one without end", async () => {
    const long = "x".repeat(300_000);
    const chunks = Array.from({ length: 20 }, (_, n) => bytes(`${long}\nend`.slice(n * 16_384, (n + 1) * 16_384)));
    expect((await linesOf(chunks)).map(({ text }) => text.length)).toEqual([300_000, 3]);
    const endless = Array.from({ length: LONGEST_LINE / 65_536 + 2 }, () => new Uint8Array(65_536).fill(120));
    await expect(linesOf(endless)).rejects.toThrow(/bytes/);
  });
});

async function groupsOf(rows: unknown[]) {
  const text = rows.map((row) => (typeof row === "string" ? row : JSON.stringify(row))).join("\n");
  const groups = [];
  for await (const group of groupLines(readLines(streamOf([bytes(text)]), 0))) groups.push(group);
  return { groups, length: bytes(text).length };
}

describe("objects with their children", () => {
  it("are complete when the next begins, and end where it is safe to go on", async () => {
    const { groups, length } = await groupsOf([
      { id: "gid://shopify/Order/1" },
      { id: "gid://shopify/LineItem/1", __parentId: "gid://shopify/Order/1" },
      { sku: "below a child", __parentId: "gid://shopify/LineItem/1" },
      { id: "gid://shopify/Order/2" },
    ]);
    expect(groups.map(({ node }) => [node?.id, node?.children.length])).toEqual([
      ["gid://shopify/Order/1", 2],
      ["gid://shopify/Order/2", 0],
    ]);
    expect(groups.at(-1)?.end).toBe(length);
  });

  it("a line that is no object, and a child without its parent, is a problem of its own", async () => {
    const { groups } = await groupsOf([
      { id: "gid://shopify/Order/1" },
      "not json",
      { id: "gid://shopify/LineItem/9", __parentId: "gid://shopify/Order/8" },
      { id: "gid://shopify/Order/2" },
    ]);
    expect(groups.map(({ node, problem }) => node?.id ?? problem)).toEqual([
      "gid://shopify/Order/1",
      "a line is no object with an id",
      "gid://shopify/LineItem/9 stands below no parent",
      "gid://shopify/Order/2",
    ]);
  });
});

describe("a download that goes wrong", () => {
  const opened = (rest: (controller: ReadableStreamDefaultController<Uint8Array>) => void) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes('{"id":"a"}\n{"id":"b"'));
        rest(controller);
      },
    });

  async function readAll(stream: ReadableStream<Uint8Array>): Promise<{ lines: string[]; error: unknown }> {
    const lines: string[] = [];
    try {
      for await (const { text } of readLines(stream, 0, 50)) lines.push(text);
    } catch (error) {
      return { lines, error };
    }
    return { lines, error: null };
  }

  it("leaves the lines that came whole, and says that trying again may help", async () => {
    for (const stream of [
      new Response(
        new ReadableStream({
          pull(controller) {
            controller.enqueue(bytes('{"id":"a"}\n'));
            controller.error(new Error("connection reset"));
          },
        }),
      ).body ?? new ReadableStream(),
    ]) {
      expect((await readAll(stream)).error).toBeInstanceOf(DownloadFailed);
    }
    const stalled = await readAll(opened(() => undefined));
    expect(stalled.lines).toEqual(['{"id":"a"}']);
    expect(stalled.error).toBeInstanceOf(DownloadFailed);
  });
});
