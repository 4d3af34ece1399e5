const DAY = 86_400_000;
let dayKnown = Number.NaN;
let dayText = "";

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));

/** Epoch ms as the DateTime of Shopify's GraphQL: UTC, whole seconds. Bulk files write millions, mostly of one day after another. */
export function stampOf(at: number): string {
  const day = Math.floor(at / DAY);
  if (day !== dayKnown) {
    dayKnown = day;
    dayText = new Date(day * DAY).toISOString().slice(0, 11);
  }
  const seconds = Math.floor((at - day * DAY) / 1000);
  return `${dayText}${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}Z`;
}

export const stampOrNull = (at: number | null): string | null => (at === null ? null : stampOf(at));

export const gid = (kind: string, id: number | string): string => `gid://shopify/${kind}/${id}`;

/** The number at the end of a global id, and its kind; undefined for anything else. */
export function parseGid(text: unknown): { kind: string; id: number } | undefined {
  const match = /^gid:\/\/shopify\/(\w+)\/(\d+)$/.exec(String(text));
  return match === null ? undefined : { kind: match[1] ?? "", id: Number(match[2]) };
}
