export type Cell = string | number | boolean | null;
export type Row = Record<string, Cell>;

/** The rows of one table, and which of its columns tell them apart. */
export interface Table {
  name: string;
  key: string[];
  rows: Row[];
}

export const table = (name: string, key: string[], rows: Row[]): Table => ({ name, key, rows });
