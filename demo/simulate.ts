import { setTimeout } from "node:timers/promises";
import { chanceFrom } from "./simulator/chance.ts";
import { type Plan, planShopper } from "./simulator/plan.ts";
import { shop, type World } from "./simulator/shopper.ts";

export type SimulationOptions = {
  footfallUrl: string;
  /** Where the demo store answers. */
  storeUrl: string;
  /** The *.myshopify.com name. */
  shop: string;
  /** Visits that begin in a minute; 0 for none after the burst. */
  ratePerMinute: number;
  /** Visits of the last two days that are told at once. */
  burst?: number | undefined;
  /** The same seed gives the same shoppers. */
  seed?: number | undefined;
};

export type Simulation = {
  /** Settles when the burst is told. */
  told: Promise<void>;
  stop(): Promise<void>;
};

const HISTORY_MS = 48 * 3_600_000;
const BREATH_MS = 50;
/** The youngest told visit began this long ago, so that none reaches into the future. */
const QUIET_MS = 1_800_000;
/** One visit in four comes back. */
const RETURNING = 0.25;

/** Shoppers for the demo: first a burst of earlier visits, then a trickle of live ones until `stop`. */
export function startSimulation(options: SimulationOptions): Simulation {
  const chance = chanceFrom(options.seed ?? 1);
  const stopping = new AbortController();
  const { signal } = stopping;
  const base = {
    footfallUrl: options.footfallUrl.replace(/\/$/, ""),
    storeUrl: options.storeUrl.replace(/\/$/, ""),
    shop: options.shop,
  };
  const known: Plan[] = [];
  const live = new Set<Promise<void>>();

  const someone = (): Plan => {
    const back = known.length > 0 && chance.yes(RETURNING) ? known[chance.whole(0, known.length - 1)] : undefined;
    const plan = planShopper(chance, back);
    if (back === undefined) known.push(plan);
    return plan;
  };

  /** A shopper who loses the connection is no reason to stop the others. */
  const visit = async (plan: Plan, world: World): Promise<void> => {
    try {
      await shop(plan, world);
    } catch (error) {
      if (!signal.aborted) console.error(`A simulated visit ended early: ${String(error)}`);
    }
  };

  const tellHistory = async (): Promise<void> => {
    const now = Date.now();
    const visits = Array.from({ length: options.burst ?? 0 }, () => ({
      start: now - QUIET_MS - Math.floor(chance.next() * HISTORY_MS),
    })).toSorted((a, b) => a.start - b.start);
    for (const { start } of visits) {
      if (signal.aborted) return;
      // Leaves room for whoever looks at the demo meanwhile.
      await pause(BREATH_MS);
      let at = start;
      await visit(someone(), {
        ...base,
        now: () => at,
        wait: (ms) => {
          at += ms;
          return signal.aborted ? Promise.reject(signal.reason) : Promise.resolve();
        },
      });
    }
  };

  const pause = (ms: number): Promise<void> => setTimeout(ms, undefined, { signal });

  const trickle = async (): Promise<void> => {
    const world: World = { ...base, now: Date.now, wait: pause };
    while (!signal.aborted) {
      // Arrivals at random: the gaps of a Poisson process.
      await pause((-Math.log(1 - chance.next()) * 60_000) / options.ratePerMinute);
      const one = visit(someone(), world).finally(() => live.delete(one));
      live.add(one);
    }
  };

  const told = tellHistory();
  const running = told
    .then(() => (options.ratePerMinute > 0 ? trickle() : undefined))
    .catch((error: unknown) => {
      if (!signal.aborted) console.error(error);
    });

  return {
    told,
    stop: async () => {
      stopping.abort();
      await running;
      await Promise.all(live);
    },
  };
}
