import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError } from "../errors";
import { iso } from "../lib/time";
import { readLadder } from "./read";
import type { Report } from "./schemas";

const DAY_MS = 86_400_000;
const LONGEST_DAYS = 366;

/**
 * Contacts by stage now, and the moves between stages of a window by the history. A change of status within a stage is
 * no move. Throws `validation_failed` for a window that is empty or longer than a year.
 */
export async function lifecycleReport(
  ctx: Ctx,
  window: { from?: number | undefined; to?: number | undefined },
): Promise<Report> {
  const to = window.to ?? ctx.now;
  const from = window.from ?? to - 30 * DAY_MS;
  if (from >= to || to - from > LONGEST_DAYS * DAY_MS) {
    throw new AppError("validation_failed", undefined, {
      errors: [{ pointer: "from", detail: `is before \`to\`, by ${LONGEST_DAYS} days at most` }],
    });
  }
  const [ladder, { results: moves }] = await Promise.all([
    readLadder(ctx),
    sql(
      ctx.db,
      `select was as "from", stage as "to", count(*) as count from (
         select h.stage, (select p.stage from lifecycle_history p where p.contact = h.contact and +p.shop = ?1
             and (p.at, p.key) < (h.at, h.key) order by p.at desc, p.key desc limit 1) as was
         from lifecycle_history h where h.shop = ?1 and h.at >= ?2 and h.at < ?3)
       where was is not stage group by was, stage order by count desc, stage, was`,
      ctx.shop.key,
      from,
      to,
    ).all<{ from: string | null; to: string; count: number }>(),
  ]);
  const sum = (of: typeof moves) => of.reduce((total, { count }) => total + count, 0);
  return {
    from: iso(from),
    to: iso(to),
    stages: ladder.map(({ name, label, contacts }) => ({
      stage: name,
      label,
      contacts,
      entered: sum(moves.filter((move) => move.to === name)),
      left: sum(moves.filter((move) => move.from === name)),
    })),
    moves,
  };
}
