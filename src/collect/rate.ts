const MOST = 50_000;
const MINUTE_MS = 60_000;

/**
 * Counts per name and minute in this isolate's memory: nothing about an address is stored, and an address mostly meets
 * one isolate. Sliding: the minute before counts with the part of it that still overlaps.
 */
export class MinuteCounter {
  #minute = 0;
  #now = new Map<string, number>();
  #before = new Map<string, number>();

  /** True when this one is over the limit; a refused one does not count. */
  exceeds(name: string, limit: number, now: number): boolean {
    const minute = Math.floor(now / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#before = minute === this.#minute + 1 ? this.#now : new Map();
      this.#now = new Map();
      this.#minute = minute;
    }
    const overlap = 1 - (now % MINUTE_MS) / MINUTE_MS;
    const count = this.#now.get(name) ?? 0;
    if (count + Math.floor((this.#before.get(name) ?? 0) * overlap) >= limit) return true;
    if (this.#now.size >= MOST) this.#now.clear();
    this.#now.set(name, count + 1);
    return false;
  }
}
