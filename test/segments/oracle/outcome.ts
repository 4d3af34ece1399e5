/** How often something was asked, and how often somebody met it and somebody did not. */
export interface Asked {
  asked: number;
  met: number;
  unmet: number;
}

export interface Outcome {
  seed: number;
  /** Definitions that were asked. */
  cases: number;
  /** Answers about one subject that were compared: those of queries, and those that were stored. */
  subjects: number;
  stored: number;
  /** By field, property or measure with its operator. */
  coverage: Record<string, Asked>;
  /** How often each kind of question was put, and each kind of change was followed. */
  kinds: Record<string, number>;
  /** The smallest case of each disagreement, ready to read. */
  mismatches: string[];
  /** The first key that no shop has yet. */
  nextShop: number;
}
