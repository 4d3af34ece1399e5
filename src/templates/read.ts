import { keyFrom, type Page, pageOf } from "../api/page";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { iso } from "../lib/time";
import type { Compiled } from "./compile";
import type { ShownTemplate, TemplateContent, TemplateItem } from "./schemas";

/** A template with its newest version. */
export interface TemplateRow {
  key: number;
  shop: number;
  id: string;
  name: string;
  channel: "email" | "sms" | "whatsapp";
  version: number;
  content: string;
  compiled: string;
  createdAt: number;
  updatedAt: number;
}

const SELECT = `select t.key, t.shop, t.id, t.name, t.channel, t.version, v.content, v.compiled, t.created_at as createdAt,
    t.updated_at as updatedAt
  from templates t join template_versions v on v.template = t.key and v.version = t.version`;

/** The template of this id, of any shop; null for none. The caller checks the shop. */
export async function findTemplate(db: D1Database, id: string): Promise<TemplateRow | null> {
  return sql(db, `${SELECT} where t.id = ? and t.deleted_at is null`, id).first<TemplateRow>();
}

/** A version as it was pinned, also of a deleted template; null for none. */
export async function readVersion(
  db: D1Database,
  shop: number,
  template: number,
  version: number,
): Promise<{ content: TemplateContent; compiled: Compiled } | null> {
  const row = await sql(
    db,
    "select content, compiled from template_versions where template = ? and version = ? and +shop = ?",
    template,
    version,
    shop,
  ).first<{ content: string; compiled: string }>();
  return row && { content: JSON.parse(row.content), compiled: JSON.parse(row.compiled) };
}

/** The shop's templates, the newest first. */
export async function listTemplates(
  ctx: Ctx,
  { limit, cursor, channel }: { limit: number; cursor?: string | undefined; channel?: string | undefined },
): Promise<Page<TemplateItem>> {
  const { results } = await sql(
    ctx.db,
    `${SELECT} where t.shop = ?1 and t.deleted_at is null and t.key < ?2 and t.channel = coalesce(?3, t.channel)
     order by t.key desc limit ?4`,
    ctx.shop.key,
    keyFrom("templates", cursor) ?? Number.MAX_SAFE_INTEGER,
    channel ?? null,
    limit + 1,
  ).all<TemplateRow>();
  return pageOf(
    "templates",
    results,
    limit,
    ({ key }) => [key],
    (row) => {
      const { id, name, channel: kind, version, subject, createdAt, updatedAt } = showTemplate(row);
      return { id, name, channel: kind, version, subject, createdAt, updatedAt };
    },
  );
}

/** The template as the API tells it. */
export function showTemplate(row: TemplateRow): ShownTemplate {
  const content: TemplateContent = JSON.parse(row.content);
  const { variables, warnings }: Compiled = JSON.parse(row.compiled);
  return {
    id: row.id,
    name: row.name,
    channel: row.channel,
    version: row.version,
    ...content,
    variables,
    warnings,
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
  };
}

/** Versions of a template, the newest first. */
export async function listVersions(
  ctx: Ctx,
  template: TemplateRow,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<TemplateContent & { version: number; createdAt: string }>> {
  const { results } = await sql(
    ctx.db,
    `select version, content, created_at as createdAt from template_versions
     where template = ?1 and +shop = ?2 and version < ?3 order by version desc limit ?4`,
    template.key,
    ctx.shop.key,
    keyFrom("template_versions", cursor) ?? Number.MAX_SAFE_INTEGER,
    limit + 1,
  ).all<{ version: number; content: string; createdAt: number }>();
  return pageOf(
    "template_versions",
    results,
    limit,
    ({ version }) => [version],
    (row) => {
      const content: TemplateContent = JSON.parse(row.content);
      return { version: row.version, ...content, createdAt: iso(row.createdAt) };
    },
  );
}
