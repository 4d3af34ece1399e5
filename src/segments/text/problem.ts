/** What is wrong with a text, or to be known about it, and where. */
export interface TextProblem {
  /** UTF-16 code units from the start. */
  offset: number;
  /** From 1. */
  line: number;
  /** From 1, in UTF-16 code units. */
  column: number;
  detail: string;
}

/** Thrown inside the parser; `parseText` turns it into a problem. */
export class TextError extends Error {
  readonly offset: number;

  constructor(offset: number, detail: string) {
    super(detail);
    this.name = "TextError";
    this.offset = offset;
  }
}

export function problemAt(text: string, offset: number, detail: string): TextProblem {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  return { offset, line: before.split("\n").length, column: offset - start + 1, detail };
}
