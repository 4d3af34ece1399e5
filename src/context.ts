import type { Shop } from "./shops";

/** Who is asking. */
export type Actor =
  | { kind: "operator" }
  | { kind: "key"; id: string; shop: number; scopes: ("read" | "write")[] }
  | { kind: "system"; name: string };

/** What every verb gets. `now` is the only clock that rules see. */
export interface Ctx {
  env: Env;
  db: D1Database;
  now: number;
  shop: Shop;
  actor: Actor;
  requestId: string;
  /** Work that may end after the response. */
  later: (work: Promise<unknown>) => void;
}

/** The actor's name in the audit log. */
export function actorName(actor: Actor): string {
  return actor.kind === "operator" ? "operator" : actor.kind === "key" ? actor.id : actor.name;
}
