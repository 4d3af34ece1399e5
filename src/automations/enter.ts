import { sql } from "../db/client";
import { newId } from "../lib/ids";
import type { SubjectKind } from "../segments";
import type { Automation } from "./definition";
import type { RunData } from "./run";

/** An automation at the version that people enter by. */
export interface Entrance {
  key: number;
  version: number;
  automation: Pick<Automation, "start" | "reentry" | "parallel">;
}

export interface Entry {
  kind: SubjectKind;
  subject: number;
  /** The same for every copy of what lets the person in. */
  entryKey: string;
  /** When it happened: the first step is due then. */
  at: number;
  data: RunData;
}

/** What keeps somebody out, by re-entry rule: SQL about an earlier run `r`; `?6` is the time after which it counts. */
export const AGAIN = {
  never: "true",
  always: "r.ended_at is null",
  after: "(r.ended_at is null or r.entered_at > ?6)",
} as const;

/**
 * The statements that let people in, each once for each entry, and as often as the automation's re-entry rule allows;
 * nobody while it is not active. Each returns the keys of the runs that it made.
 *
 * @param since with a re-entry after some time: who entered later than that does not enter again
 */
export function enterStatements(
  db: D1Database,
  shop: number,
  { key, version, automation }: Entrance,
  entries: Entry[],
  since: number,
  now: number,
): D1PreparedStatement[] {
  const { reentry, parallel, start } = automation;
  const rule = AGAIN[typeof reentry === "string" ? reentry : "after"];
  const apart = ({ data }: Entry) => (parallel === null ? "" : (data[parallel] ?? ""));
  // A statement does not see the rows that it inserts itself: the same person twice takes two.
  const turns = new Map<string, number>();
  const byTurn = Map.groupBy(entries, (entry) => {
    const name = `${entry.kind}:${entry.subject}:${apart(entry)}`;
    const turn = turns.get(name) ?? 0;
    turns.set(name, turn + 1);
    return turn;
  });
  return [...byTurn.values()].map((some) =>
    sql(
      db,
      `insert into runs (shop, automation, version, state, step, id, kind, subject, entry_key, parallel, due_at, data, entered_at)
       select ?1, ?2, ?3, 'active', ?4, j.value ->> 0, j.value ->> 1, j.value ->> 2, j.value ->> 3, j.value ->> 4,
         j.value ->> 5, j.value ->> 6, j.value ->> 5
       from json_each(?5) j
       where exists (select 1 from automations a where a.key = ?2 and a.state = 'active' and a.deleted_at is null)
         and not exists (select 1 from runs r where r.automation = ?2 and r.kind = j.value ->> 1
           and r.subject = j.value ->> 2 and r.parallel = j.value ->> 4 and r.state <> 'pending' and ${rule})
       on conflict do nothing returning key`,
      shop,
      key,
      version,
      start,
      JSON.stringify(
        some.map((entry) => [
          newId("run", now),
          entry.kind,
          entry.subject,
          entry.entryKey,
          apart(entry),
          entry.at,
          JSON.stringify(entry.data),
        ]),
      ),
      ...(rule === AGAIN.after ? [since] : []),
    ),
  );
}
