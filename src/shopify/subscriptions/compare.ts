import { isGranted } from "../scopes";
import type { LiveSubscription } from "./subscriptions.queries";
import type { Topic } from "./topics";

/** What is known of a topic's subscription from the check before. */
export interface KnownSubscription {
  topic: string;
  externalId: string | null;
  state: "active" | "missing" | "foreign_address" | "refused";
  problem: string | null;
  repairedAt: number | null;
}

/**
 * What to do about a topic. `keep`: it is there. `make`: `why` it has to be made again, null for the first time; what it
 * `replaces` goes.
 */
export type Finding =
  | { topic: Topic; kind: "keep"; id: string }
  | {
      topic: Topic;
      kind: "make";
      state: "missing" | "foreign_address";
      why: string | null;
      replaces: string | null;
    }
  | { topic: Topic; kind: "refused"; why: string };

/** The subscriptions of a store beside what is wanted there. */
export interface Comparison {
  topics: Topic[];
  known: KnownSubscription[];
  /** Where ours lead to. */
  uri: string;
}

/**
 * Compares what a store lists with what is wanted. A subscription is ours when it leads to `uri`; any other stays as it
 * is, also one that we made and that somebody has pointed elsewhere: there it is only noticed. One that somebody has
 * narrowed (a filter, fewer fields) is as good as none, since it keeps deliveries away.
 */
export function compareSubscriptions(
  live: LiveSubscription[],
  { topics, known, uri, granted }: Comparison & { granted: string[] },
): Finding[] {
  return topics.map((topic): Finding => {
    const ours = live.filter((subscription) => subscription.topic === topic.id && subscription.uri === uri);
    const whole = ours.find(isWhole);
    if (whole) return { topic, kind: "keep", id: whole.id };
    if (topic.scope !== null && !isGranted(granted, topic.scope)) {
      return { topic, kind: "refused", why: `needs the scope ${topic.scope}` };
    }
    const make = { topic, kind: "make", state: "missing", replaces: null } as const;
    const before = known.find((row) => row.topic === topic.name)?.externalId ?? null;
    if (before === null) return { ...make, why: null };
    const there = live.find(({ id }) => id === before);
    if (!there) return { ...make, why: "was deleted" };
    if (there.uri === uri) return { ...make, why: "was narrowed", replaces: before };
    const host = URL.parse(there.uri)?.host || "another address";
    return { ...make, state: "foreign_address", why: `was pointed to ${host}` };
  });
}

function isWhole({ filter, includeFields }: LiveSubscription): boolean {
  return !filter && includeFields.length === 0;
}

/** Ids of subscriptions at our address that no topic needs any more, as far as we made them. */
export function surplus(live: LiveSubscription[], { topics, known, uri }: Comparison): string[] {
  const made = new Set(known.map(({ externalId }) => externalId));
  return live
    .filter(({ id, topic, uri: to }) => to === uri && made.has(id) && !topics.some((wanted) => wanted.id === topic))
    .map(({ id }) => id);
}
