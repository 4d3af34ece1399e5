import { z } from "zod";

const DAY = 86_400_000;

/** A large store by numbers: the same numbers give the same store, record for record. */
export const generateSchema = z.object({
  seed: z.number().int().default(1),
  customers: z.number().int().min(0).default(1000),
  orders: z.number().int().min(0).default(3000),
  products: z.number().int().min(1).default(60),
  checkouts: z.number().int().min(0).default(50),
  /** Epoch ms of the last order. */
  until: z.number(),
  /** The days before `until` in which everything happened. */
  days: z.number().min(1).default(730),
});

export type GenerateOptions = z.output<typeof generateSchema>;

/** What the generator needs to know of a store. */
export type Profile = { domain: string; currency: string; taxesIncluded: boolean };

export type World = Profile & GenerateOptions & { from: number };

export function worldOf(profile: Profile, options: GenerateOptions): World {
  const { domain, currency, taxesIncluded } = profile;
  return { domain, currency, taxesIncluded, ...options, from: options.until - options.days * DAY };
}
