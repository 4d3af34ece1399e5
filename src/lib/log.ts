/** Words for what went wrong, fit for a log or a row. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 500) : "unknown";
}

/** One JSON line about a failure that nobody else will tell of: no addresses, tokens or bodies. */
export function logFailure(feature: string, error: unknown, more: Record<string, string> = {}): void {
  console.error(JSON.stringify({ feature, ...more, error: reason(error) }));
}
