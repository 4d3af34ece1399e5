/** One line of the bench's table. */
export interface Row {
  what: string;
  figure: string;
  /** Empty for a figure that is only shown. */
  budget: string;
  /** Null where no budget belongs to it. */
  met: boolean | null;
}

export interface BenchOptions {
  /** Smaller sizes: tells whether the bench runs, and roughly how things stand. */
  quick: boolean;
  /** More of what lies behind a figure. */
  detail: boolean;
}

/** A figure with a budget that it must not pass; compared as it is printed. */
export function atMost(what: string, value: number, budget: number, digits = 2): Row {
  return {
    what,
    figure: show(value, digits),
    budget: `at most ${show(budget, digits)}`,
    met: rounded(value, digits) <= budget,
  };
}

/** A figure with a budget that it must reach; compared as it is printed. */
export function atLeast(what: string, value: number, budget: number, digits = 2): Row {
  return {
    what,
    figure: show(value, digits),
    budget: `at least ${show(budget, digits)}`,
    met: rounded(value, digits) >= budget,
  };
}

const rounded = (value: number, digits: number) => Number(value.toFixed(digits));

const show = (value: number, digits: number) => value.toLocaleString("en", { maximumFractionDigits: digits });

export function shown(what: string, figure: string): Row {
  return { what, figure, budget: "", met: null };
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** The value that a share `p` of the values does not pass. */
export function percentile(values: number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0;
}
