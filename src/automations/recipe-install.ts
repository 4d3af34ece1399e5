import type { Ctx } from "../context";
import { sql } from "../db/client";
import { createTemplate, deleteTemplate, findTemplate } from "../templates/rest";
import { createAutomation } from "./change";
import type { AutomationShown } from "./schemas";
import { type Recipe, RECIPES } from "./recipes/catalogue";
import { mailSource } from "./recipes/mail";
import { type MailText, type RecipeName, textsIn } from "./recipes/texts";

export const RECIPE_NAMES = Object.keys(RECIPES) as [RecipeName, ...RecipeName[]];

/** The recipes, in the language of the shop's messages. */
export function listRecipes({ shop }: Ctx) {
  const { texts } = textsIn(shop.settings.messageLanguage);
  return RECIPE_NAMES.map((name) => {
    const mails: Record<string, MailText> = texts[name].mails;
    return {
      name,
      label: texts[name].name,
      description: texts[name].description,
      messages: Object.values(mails).map(({ subject }) => subject),
    };
  });
}

/**
 * Makes a recipe's automation as a draft, with its templates. Installed again it is another automation, whose name says
 * so, with the templates that are there.
 */
export async function installRecipe(
  ctx: Ctx,
  name: RecipeName,
): Promise<{ automation: AutomationShown; templateIds: string[] }> {
  const { language, texts } = textsIn(ctx.shop.settings.messageLanguage);
  const recipe: Recipe = RECIPES[name];
  const mails: Record<string, MailText> = texts[name].mails;
  const templates: Record<string, string> = {};
  for (const [part, text] of Object.entries(mails)) {
    const body = mailSource(text, texts.greeting, recipe.mails[part] ?? null);
    templates[part] = await templateOf(ctx, { recipe: name, part, language }, text, body);
  }
  const automation = await createAutomation(ctx, {
    name: await freeName(ctx, texts[name].name),
    definition: recipe.definition(templates),
  });
  return { automation, templateIds: Object.values(templates) };
}

interface Place {
  recipe: RecipeName;
  part: string;
  language: string;
}

/** The id of the template that this recipe made here before, as long as it is there; else of a new one. */
async function templateOf(
  ctx: Ctx,
  place: Place,
  { name, subject, preheader }: MailText,
  body: string,
): Promise<string> {
  const { db, shop } = ctx;
  const before = await storedTemplate(db, shop.key, place);
  if (before !== null && (await findTemplate(db, before))) return before;
  const made = await createTemplate(ctx, { name, channel: "email", subject, preheader, body });
  await sql(
    db,
    `insert into recipe_templates (shop, recipe, part, language, template) values (?1, ?2, ?3, ?4, ?5)
     on conflict do update set template = excluded.template where template is ?6`,
    shop.key,
    place.recipe,
    place.part,
    place.language,
    made.id,
    before,
  ).run();
  const stored = await storedTemplate(db, shop.key, place);
  if (stored === null || stored === made.id) return made.id;
  // Somebody else installed it at the same time, and was first.
  await deleteTemplate(ctx, made);
  return stored;
}

async function storedTemplate(db: D1Database, shop: number, { recipe, part, language }: Place): Promise<string | null> {
  const row = await sql(
    db,
    "select template from recipe_templates where shop = ? and recipe = ? and part = ? and language = ?",
    shop,
    recipe,
    part,
    language,
  ).first<{ template: string }>();
  return row?.template ?? null;
}

/** The name, with the next number where automations have it already. */
async function freeName({ db, shop }: Ctx, name: string): Promise<string> {
  const { results } = await sql(
    db,
    "select name from automations where shop = ? and deleted_at is null",
    shop.key,
  ).all<{ name: string }>();
  const taken = new Set(results.map((row) => row.name));
  let free = name;
  for (let n = 2; taken.has(free); n++) free = `${name} ${n}`;
  return free;
}
