import { importStores } from "../node/backfill/import.ts";
import { atMost, type BenchOptions, median, type Row, shown } from "./row.ts";

const MB = 1e6;

/**
 * Of the longest time between two kills: memory of its second half by that of its first, medians. The absolute figure is
 * the local runtime's, which runs D1, the stores' objects and the Worker in one process and collects when it likes.
 */
const GROWTH = 1.25;

/** Three stores read from beginning to end, with two kills on the way, and compared to the cent. */
export async function backfill({ quick }: BenchOptions): Promise<Row[]> {
  const size = quick ? { customers: 10_000, orders: 30_000 } : { customers: 100_000, orders: 300_000 };
  const result = await importStores({ ...size, seed: 11, killAt: [0.3, 0.7], within: 3 * 3_600_000 });
  for (const problem of result.problems) console.log(`  ${problem}`);
  const { rows, seconds, memory, idleBytes } = result;
  const longest = memory.toSorted((a, b) => b.length - a.length)[0] ?? [];
  const half = Math.floor(longest.length / 2);
  const name = `${rows.contacts.toLocaleString("en")} contacts, ${rows.orders.toLocaleString("en")} orders, ${rows.lines.toLocaleString("en")} lines in three currencies`;
  return [
    {
      what: `${name}, killed twice`,
      figure:
        result.problems.length === 0 ? `exact, in ${seconds.toFixed(0)} s` : `${result.problems.length} differences`,
      budget: "exact",
      met: result.problems.length === 0,
    },
    shown("  orders a second, kills and waits included", (rows.orders / seconds).toFixed(0)),
    atMost(
      "  memory in the second half of the longest run by that in its first half",
      median(longest.slice(half)) / median(longest.slice(0, half)),
      GROWTH,
      2,
    ),
    shown(
      "  most memory of the runtime above its idle, MB",
      ((Math.max(...memory.flat()) - idleBytes) / MB).toFixed(0),
    ),
    shown(
      "  stored at the kills",
      result.kills.map(({ orders }) => `${orders.toLocaleString("en")} orders`).join(", "),
    ),
  ];
}
