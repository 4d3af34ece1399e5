/** What a spreadsheet would read as the beginning of a formula, and the sign that keeps it from doing so. */
const RISKY = /^[=+\-@\t\r\n'＝＋－＠]/u;

/** Numbers with a sign, phone numbers among them, are no formulas. */
const NUMBER = /^[+-]?\d+(?:\.\d+)?$/;

/** A cell as it is safe to open in a spreadsheet. `openCell` takes it back exactly. */
export function safeCell(text: string): string {
  return RISKY.test(text) && !NUMBER.test(text) ? `'${text}` : text;
}

/** What `safeCell` was given. */
export function openCell(cell: string): string {
  return cell.startsWith("'") && RISKY.test(cell.slice(1)) ? cell.slice(1) : cell;
}

/** A line of CSV (RFC 4180). */
export function csvLine(cells: readonly string[]): string {
  return `${cells
    .map(safeCell)
    .map((cell) => (/[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(",")}\r\n`;
}

/** A field's value in a cell: text as it is, unless it would be read as another value; everything else as JSON. */
export function valueCell(value: unknown): string {
  return typeof value === "string" && cellValue(value) === value ? value : JSON.stringify(value);
}

/** What `valueCell` was given. */
export function cellValue(cell: string): unknown {
  if (!/^(?:-?\d|true$|false$|\[|")/.test(cell)) return cell;
  try {
    return JSON.parse(cell);
  } catch {
    return cell;
  }
}
