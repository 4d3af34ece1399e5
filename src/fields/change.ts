import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { isConflict, sql } from "../db/client";
import { mustHold } from "../db/guard";
import { AppError } from "../errors";
import { newId } from "../lib/ids";
import { snakeCase } from "../lib/snake-case";
import { type FieldRow, findField, showField } from "./read";
import { type Field, type FieldPatch, hasOptions, type NewField } from "./schemas";
import { SYSTEM_NAMES } from "./system";

/** Fields of a merchant's own per shop. */
const MOST_FIELDS = 200;

/**
 * Declares a field. Values that contacts have under this name already are kept as they are. Throws 409 when the name is
 * taken, belongs to the store or is still being deleted, and 422 at the limit.
 */
export async function createField(ctx: Ctx, input: NewField): Promise<Field> {
  const { db, shop, now } = ctx;
  const name = input.name ?? snakeCase(input.label, 64, "field");
  if (SYSTEM_NAMES.includes(name)) throw new AppError("conflict", `${name} is the name of a field of the store`);
  const before = await sql(
    db,
    `select (select count(*) from fields where shop = ?1 and system = 0) as count,
       exists (select 1 from jobs where state = 'running' and shop = ?1 and kind = 'fields.delete'
         and input ->> 'name' = ?2) as deleting`,
    shop.key,
    name,
  ).first<{ count: number; deleting: number }>();
  if (before?.deleting)
    throw new AppError("conflict", `The values of the deleted field ${name} are still being removed`);
  if ((before?.count ?? 0) >= MOST_FIELDS) {
    throw new AppError("unprocessable", `A shop has at most ${MOST_FIELDS} fields of its own`);
  }
  const id = newId("fld", now);
  try {
    await db.batch([
      sql(
        db,
        `insert into fields (shop, name, id, label, type, options, system, created_at, updated_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?7)`,
        shop.key,
        name,
        id,
        input.label,
        input.type,
        JSON.stringify(input.options ?? []),
        now,
      ),
      audit(ctx, "field.created", id, ["label", "type"]),
    ]);
  } catch (error) {
    if (isConflict(error)) throw new AppError("conflict", `There is a field ${name} already`);
    throw error;
  }
  return readField(ctx, id);
}

/**
 * Changes label and options. Contacts keep a value that is no option any more, until it is changed. Throws 409 for a
 * field of the store and `validation_failed` for options of a field that takes none.
 */
export async function updateField(ctx: Ctx, field: FieldRow, patch: FieldPatch): Promise<Field> {
  refuseSystem(field);
  if (patch.options && !hasOptions(field.type)) {
    throw new AppError("validation_failed", undefined, {
      errors: [{ pointer: "/options", detail: "are for radio and multiselect fields" }],
    });
  }
  const changed = Object.keys(patch);
  if (changed.length === 0) return showField(field);
  await ctx.db.batch([
    sql(
      ctx.db,
      `update fields set label = ?3, options = ?4, updated_at = ?5 where shop = ?1 and name = ?2 and system = 0`,
      ctx.shop.key,
      field.name,
      patch.label ?? field.label,
      patch.options ? JSON.stringify(patch.options) : field.options,
      ctx.now,
    ),
    audit(ctx, "field.updated", field.id, changed),
  ]);
  return readField(ctx, field.id);
}

/** Deletes a field; its values go in the job whose id is returned. Throws 409 for a field of the store. */
export async function deleteField(ctx: Ctx, field: FieldRow): Promise<string> {
  refuseSystem(field);
  const { db, shop, now } = ctx;
  const jobId = newId("job", now);
  try {
    await db.batch([
      mustHold(db, "exists (select 1 from fields where shop = ? and id = ? and system = 0)", shop.key, field.id),
      sql(db, `delete from fields where shop = ? and name = ?`, shop.key, field.name),
      sql(
        db,
        `insert into jobs (id, shop, kind, state, input, cursor, created_at, updated_at)
         values (?1, ?2, 'fields.delete', 'running', ?3, '0', ?4, ?4)`,
        jobId,
        shop.key,
        JSON.stringify({ name: field.name }),
        now,
      ),
      audit(ctx, "field.deleted", field.id),
    ]);
  } catch (error) {
    // Somebody deleted it, or a connection made it the store's, since it was read.
    if (isConflict(error)) throw new AppError("conflict", "The field was changed meanwhile");
    throw error;
  }
  return jobId;
}

function refuseSystem(field: FieldRow): void {
  if (field.system) throw new AppError("conflict", "The field belongs to the connected store");
}

async function readField(ctx: Ctx, id: string): Promise<Field> {
  const row = await findField(ctx.db, id);
  if (!row) throw new AppError("not_found");
  return showField(row);
}
