/** What a simulated time cost, in the units that Cloudflare bills. */
export interface Counts {
  pageViews: number;
  visits: number;
  beacons: number;
  /** Worker invocations of each kind. */
  requests: Record<string, number>;
  /** RPC sessions and alarms. */
  objectRequests: Record<string, number>;
  /** Rows written by SQL, and calls that set or delete the alarm: one row each. */
  objectRows: Record<string, number>;
  objectRowsRead: number;
  /** By the start of the statement. */
  databaseRows: Record<string, number>;
  /** By statement. */
  databaseReads: Record<string, number>;
  /** D1 calls: a statement or a batch each. */
  databaseCalls: number;
  /** Statements in them, by their text. */
  databaseStatements: Record<string, number>;
  /** D1 calls made by objects, who run while they wait. */
  objectBatches: number;
  queueMessages: number;
}

/** Nothing so far. */
export function newCounts(): Counts {
  return {
    pageViews: 0,
    visits: 0,
    beacons: 0,
    requests: {},
    objectRequests: {},
    objectRows: {},
    objectRowsRead: 0,
    databaseRows: {},
    databaseReads: {},
    databaseCalls: 0,
    databaseStatements: {},
    objectBatches: 0,
    queueMessages: 0,
  };
}

export function count(into: Record<string, number>, name: string, n = 1): void {
  if (n > 0) into[name] = (into[name] ?? 0) + n;
}

export function total(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, n) => sum + n, 0);
}

/** What a statement does, short enough for a table. */
export function statementName(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/["`]/g, "").trim().split(/[ (]/).slice(0, 3).join(" ").toLowerCase();
}
