import { z } from "zod";

import { sql } from "../db/client";
import { AppError, type FieldError } from "../errors";
import type { FieldType } from "./schemas";
import { valueProblem } from "./values";

const Options = z.array(z.string());

/**
 * Holds values to the shop's declared fields. Names that nobody declared are kept as they come, and null, which clears,
 * always fits. Throws `validation_failed` naming each wrong value.
 *
 * @param pointer JSON pointer to a value in the body, by its name
 */
export async function checkFieldValues(
  db: D1Database,
  shop: number,
  values: Record<string, unknown>,
  pointer: (name: string) => string = (name) => `/fields/${name}`,
): Promise<void> {
  const given = Object.entries(values).filter(([, value]) => value !== null);
  if (given.length === 0) return;
  const { results } = await sql(
    db,
    `select name, type, options from fields where shop = ?1 and system = 0 and name in (select value from json_each(?2))`,
    shop,
    JSON.stringify(given.map(([name]) => name)),
  ).all<{ name: string; type: FieldType; options: string }>();
  const rules = new Map(
    results.map((row) => [row.name, { type: row.type, options: Options.parse(JSON.parse(row.options)) }]),
  );
  const errors = given.flatMap(([name, value]): FieldError[] => {
    const rule = rules.get(name);
    const detail = rule ? valueProblem(rule, value) : null;
    return detail === null ? [] : [{ pointer: pointer(name), detail }];
  });
  if (errors.length > 0) throw new AppError("validation_failed", undefined, { errors });
}
