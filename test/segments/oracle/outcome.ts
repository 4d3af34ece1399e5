/** How often something was asked, and how often somebody met it and somebody did not. */
export interface Asked {
  asked: number;
  met: number;
  unmet: number;
}

export interface Outcome {
  seed: number;
  cases: number;
  /** Memberships that were compared one by one. */
  subjects: number;
  coverage: Record<string, Asked>;
  /** The smallest case of each disagreement, ready to read. */
  mismatches: string[];
  /** The first key that no shop has yet. */
  nextShop: number;
}
