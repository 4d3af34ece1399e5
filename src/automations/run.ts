import { z } from "zod";

import type { SubjectKind } from "../segments";

/** What a run is about, without personal data. */
export const RunData = z.object({
  /** Token of the cart, id of the order. */
  cart: z.string().optional(),
  order: z.string().optional(),
  /** The event that let the person in: its name and natural key. */
  event: z.string().optional(),
  eventKey: z.string().optional(),
  product: z.string().optional(),
  page: z.string().optional(),
  /** Delivery whose opening, click or answer it was. */
  delivery: z.string().optional(),
  /** Codes that were issued, by step. */
  codes: z.record(z.string(), z.string()).optional(),
  /** How often each go-to was taken. */
  taken: z.record(z.string(), z.number()).optional(),
  /** Automations that started each other to come here. */
  depth: z.number().optional(),
});

export type RunData = z.infer<typeof RunData>;

/** A run that one consumer holds. */
export interface Run {
  key: number;
  id: string;
  automation: number;
  version: number;
  kind: SubjectKind;
  subject: number;
  entryKey: string;
  state: "pending" | "active";
  step: string;
  visit: number;
  dueAt: number;
  leaseUntil: number;
  arrivedAt: number | null;
  attempts: number;
  data: RunData;
  signals: Record<string, number>;
  enteredAt: number;
}

export const RUN_COLUMNS = `key, id, automation, version, kind, subject, entry_key as entryKey, state, step, visit,
  due_at as dueAt, lease_until as leaseUntil, arrived_at as arrivedAt, attempts, data, signals, entered_at as enteredAt`;

const Signals = z.record(z.string(), z.number());

export interface StoredRun extends Omit<Run, "data" | "signals"> {
  data: string;
  signals: string;
}

export function readRun(row: StoredRun): Run {
  return { ...row, data: RunData.parse(JSON.parse(row.data)), signals: Signals.parse(JSON.parse(row.signals)) };
}

/** What a step asks to be done; ours commit with the step, the rest is handed on by rows of their own. */
export type Effect =
  | { kind: "add_tag"; tag: string }
  | { kind: "remove_tag"; tag: string }
  | { kind: "add_to_list"; list: string }
  | { kind: "remove_from_list"; list: string }
  | { kind: "set_field"; field: string; value: unknown }
  | { kind: "increase_field"; field: string; by: number }
  | { kind: "score"; points: number }
  | { kind: "lifecycle"; stage: string }
  | { kind: "consent"; channel: string; state: string }
  | {
      kind: "message";
      channel: "email" | "sms" | "whatsapp";
      template: string;
      version: number | null;
      transactional: boolean;
    }
  | { kind: "webhook"; endpoint: string; data: Record<string, unknown> }
  | { kind: "alert"; text: string }
  | { kind: "start"; automation: string }
  | { kind: "stop"; automation: string };

/** A step that was taken. */
export interface Taken {
  step: string;
  visit: number;
  outcome: string;
  detail: Record<string, unknown> | null;
  scheduledAt: number;
  effects: Effect[];
}

/** Where a run stands after steps were taken. */
export interface Standing {
  state: "active" | "done" | "exited" | "failed";
  step: string | null;
  visit: number;
  dueAt: number | null;
  arrivedAt: number | null;
  reason: string | null;
  data: RunData;
}

/** Steps of one run at most: what goes round for ever ends here. */
export const MOST_STEPS = 1_000;

/** Automations that start each other, one after the other, at most. */
export const MOST_DEPTH = 5;
