import type { Vocabulary } from "../definition";
import type { Definition } from "../tree";

/** Definitions kept in memory, so that a change of a contact need not read all of a shop's again. */
const MOST_KEPT = 300;

interface Kept {
  /** All that the reading depends on, to the letter. */
  of: string;
  parsed: Definition;
}

/** Per isolate, by segment; the one that was used longest ago goes first. */
const kept = new Map<number, Kept>();

/** What `read` gives, or gave before for the very same definition and vocabulary. */
export function keptDefinition(
  { key, definition }: { key: number; definition: string },
  vocabulary: Vocabulary,
  read: () => Definition,
): Definition {
  const of = JSON.stringify([definition, vocabulary]);
  const before = kept.get(key);
  kept.delete(key);
  const parsed = before?.of === of ? before.parsed : read();
  kept.set(key, { of, parsed });
  if (kept.size > MOST_KEPT) {
    for (const [oldest] of kept) {
      kept.delete(oldest);
      break;
    }
  }
  return parsed;
}
