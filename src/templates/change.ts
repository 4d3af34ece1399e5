import { audit } from "../api/audit";
import type { Ctx } from "../context";
import { onConflictRetry, sql } from "../db/client";
import { AppError } from "../errors";
import { newId } from "../lib/ids";
import { type Compiled, compileContent } from "./compile";
import { findTemplate, type TemplateRow } from "./read";
import type { NewTemplate, TemplateContent, TemplatePatch } from "./schemas";

const MOST_TEMPLATES = 1_000;

type ContentInput = Omit<TemplatePatch, "name">;

/** The whole content of a channel's template. Throws `validation_failed` for what the channel does not have or needs. */
export function contentOf(
  channel: TemplateRow["channel"],
  input: ContentInput,
  stored?: TemplateContent,
): TemplateContent {
  const isEmail = channel === "email";
  const content: TemplateContent = {
    subject: input.subject === undefined ? (stored?.subject ?? null) : input.subject,
    preheader: input.preheader === undefined ? (stored?.preheader ?? null) : input.preheader,
    format: input.format ?? stored?.format ?? (isEmail ? "mjml" : "text"),
    body: input.body ?? stored?.body ?? "",
    text: input.text === undefined ? (stored?.text ?? null) : input.text,
    onMissing: input.onMissing ?? stored?.onMissing ?? "blank",
    approved: input.approved === undefined ? (stored?.approved ?? null) : input.approved,
  };
  const errors: { pointer: string; detail: string }[] = [];
  if (isEmail && content.subject === null) errors.push({ pointer: "/subject", detail: "is needed for an e-mail" });
  if (isEmail === (content.format === "text")) {
    errors.push({ pointer: "/format", detail: isEmail ? "is mjml or html for an e-mail" : "is text for this channel" });
  }
  if (!isEmail) {
    for (const part of ["subject", "preheader", "text"] as const) {
      if (content[part] !== null) errors.push({ pointer: `/${part}`, detail: "is for e-mail alone" });
    }
  }
  if (channel !== "whatsapp" && content.approved !== null) {
    errors.push({ pointer: "/approved", detail: "is for WhatsApp alone" });
  }
  if (errors.length > 0) throw new AppError("validation_failed", undefined, { errors });
  return content;
}

/** Adds a template with its first version. */
export async function createTemplate(ctx: Ctx, input: NewTemplate): Promise<TemplateRow> {
  const { db, shop, now } = ctx;
  const { shop: _, name, channel, ...rest } = input;
  const content = contentOf(channel, rest);
  const compiled = compileContent(content);
  const id = newId("tpl", now);
  const [made] = await db.batch([
    sql(
      db,
      `insert into templates (shop, id, name, channel, version, created_at, updated_at) select ?1, ?2, ?3, ?4, 1, ?5, ?5
       where (select count(*) from templates where shop = ?1 and deleted_at is null) < ?6 returning key`,
      shop.key,
      id,
      name,
      channel,
      now,
      MOST_TEMPLATES,
    ),
    insertVersion(ctx, id, content, compiled),
    audit(ctx, "template.created", id),
  ]);
  if (made?.results.length === 0) throw new AppError("unprocessable", `A shop has at most ${MOST_TEMPLATES} templates`);
  return readBack(ctx, id);
}

/** Changes a name, or the content by a new version; what is pinned to an earlier one keeps it. */
export async function updateTemplate(ctx: Ctx, row: TemplateRow, patch: TemplatePatch): Promise<TemplateRow> {
  const { db, now } = ctx;
  const { name, ...input } = patch;
  return onConflictRetry(async () => {
    const current = await readBack(ctx, row.id);
    const stored: TemplateContent = JSON.parse(current.content);
    const content = contentOf(current.channel, input, stored);
    const isChanged = JSON.stringify(content) !== JSON.stringify(stored);
    const compiled = isChanged ? compileContent(content) : null;
    await db.batch([
      sql(
        db,
        "update templates set name = ?2, version = ?3, updated_at = ?4 where key = ?1",
        row.key,
        name ?? current.name,
        current.version + (isChanged ? 1 : 0),
        now,
      ),
      ...(compiled ? [insertVersion(ctx, row.id, content, compiled)] : []),
      audit(ctx, "template.updated", row.id, Object.keys(patch)),
    ]);
    return readBack(ctx, row.id);
  });
}

/** Hides a template. What is pinned to its versions goes on with them. */
export async function deleteTemplate(ctx: Ctx, row: TemplateRow): Promise<void> {
  await ctx.db.batch([
    sql(ctx.db, "update templates set deleted_at = ?2 where key = ?1", row.key, ctx.now),
    audit(ctx, "template.deleted", row.id),
  ]);
}

/** The version that the template says is its newest: of two that began with the same number one conflicts. */
function insertVersion(ctx: Ctx, id: string, content: TemplateContent, compiled: Compiled): D1PreparedStatement {
  return sql(
    ctx.db,
    `insert into template_versions (template, version, shop, content, compiled, created_at)
     select key, version, shop, ?2, ?3, ?4 from templates where id = ?1`,
    id,
    JSON.stringify(content),
    JSON.stringify(compiled),
    ctx.now,
  );
}

async function readBack(ctx: Ctx, id: string): Promise<TemplateRow> {
  const row = await findTemplate(ctx.db, id);
  if (!row) throw new AppError("not_found");
  return row;
}
