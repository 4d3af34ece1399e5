import { z } from "zod";

import { TimeInput } from "../api/schemas";
import { ContactPatch } from "../contacts/schemas";
import { type FieldRule, valueProblem } from "../fields/rest";
import { normalisePhone } from "../identity/normalise";
import { SUPPRESSION_REASONS, type SuppressionReason } from "../suppressions";
import { cellValue, openCell } from "./cells";
import type { Preset, Target } from "./columns";
import { reasonsIn, saysYes, type State, stateNamed, timeIn } from "./consent";

type Channel = "email" | "sms" | "whatsapp";

/** What a row says about one channel. */
export interface ToldConsent {
  channel: Channel;
  state: State;
  level: "single_opt_in" | "confirmed_opt_in" | "unknown" | null;
  basis: string;
  source: string | null;
  /** When the person decided; null where the file does not say. */
  decidedAt: number | null;
}

export interface ToldSuppression {
  channel: Channel;
  reason: SuppressionReason;
  class?: "all" | "marketing" | undefined;
  /** Null where the file does not say. */
  at: number | null;
}

export interface Problem {
  column: string;
  detail: string;
}

/** A row of a file, parsed. */
export interface ToldRow {
  row: number;
  /** Null for a row that suppresses an address and is no contact. */
  contact: ContactPatch | null;
  email: string | null;
  phone: string | null;
  consents: ToldConsent[];
  suppressions: ToldSuppression[];
  /** What was left out of it. */
  problems: Problem[];
}

/** What a row is read by. */
export interface Reading {
  kind: "contacts" | "suppressions";
  format: "csv" | "jsonl";
  preset: Preset | null;
  /** Two-letter country of phone numbers written without one. */
  country: string | null;
  /** For a file of suppressions that gives none. */
  reason: SuppressionReason;
  rules: ReadonlyMap<string, FieldRule>;
  now: number;
}

/** A cell with its column's name and meaning. Values of JSONL that are no text come as JSON. */
export interface Cell {
  column: string;
  target: Target;
  text: string;
}

const OwnSuppressions = z.array(
  z.object({
    channel: z.enum(["email", "sms", "whatsapp"]),
    reason: z.enum(SUPPRESSION_REASONS),
    class: z.enum(["all", "marketing"]).optional(),
    at: TimeInput.optional(),
  }),
);

const Level = z.enum(["single_opt_in", "confirmed_opt_in", "unknown"]);
const OwnFields = z.record(z.string(), z.unknown());
const Labels = z.array(z.string());

/** A row, or why it is left out as a whole. */
export function readRow(cells: Cell[], row: number, reading: Reading): ToldRow | { row: number; fatal: Problem } {
  const problems: Problem[] = [];
  const isGuarded = reading.preset === "footfall" && reading.format === "csv";
  const filled = cells
    .map((cell) => ({ ...cell, text: (isGuarded ? openCell(cell.text) : cell.text).trim() }))
    .filter(({ text }) => text !== "");
  const of = (target: Target) => filled.find((cell) => cell.target === target);
  const textOf = (target: Target) => of(target)?.text;

  const phoneCell = of("phone");
  const country = textOf("address.country");
  const phone = phoneCell ? normalisePhone(phoneCell.text, country?.length === 2 ? country : reading.country) : null;
  if (phoneCell && phone === null) {
    problems.push({ column: phoneCell.column, detail: "is no phone number with its country code; left out" });
  }
  const address = Object.fromEntries(
    (["line1", "line2", "city", "province", "country", "zip"] as const).flatMap((part) => {
      const value = textOf(`address.${part}`);
      return value === undefined ? [] : [[part, value]];
    }),
  );
  const tagCell = of("tags");
  const input = {
    ...given("externalId", textOf("externalId")),
    ...given("email", textOf("email")),
    ...given("firstName", textOf("firstName")),
    ...given("lastName", textOf("lastName")),
    ...given("company", textOf("company")),
    ...given("shopifyCustomerId", textOf("shopifyCustomerId")),
    ...(Object.keys(address).length > 0 ? { address } : {}),
    ...(tagCell ? { tags: tagsIn(tagCell.text) } : {}),
    ...given("fields", fieldsIn(filled, reading, problems)),
  };
  const parsed = ContactPatch.safeParse(input);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const path = issue?.path.join(".") ?? "";
    const column = filled.find(({ target }) => target === path || path.startsWith(`${target}.`))?.column ?? path;
    return { row, fatal: { column, detail: issue?.message ?? "does not fit" } };
  }
  const contact = parsed.data;
  const email = contact.email ?? null;
  const { consents, suppressions } = permissionsIn(filled, reading, problems);
  const isSuppression = reading.kind === "suppressions" || textOf("record") === "suppression";
  if (isSuppression && suppressions.length === 0) {
    const at = timeIn(textOf("suppression.at") ?? textOf("optOut.at") ?? "", reading.now);
    if (email !== null) suppressions.push({ channel: "email", reason: reading.reason, at });
    if (phone !== null) {
      for (const channel of ["sms", "whatsapp"] as const) suppressions.push({ channel, reason: reading.reason, at });
    }
  }
  const named = email ?? phone ?? (isSuppression ? null : (contact.externalId ?? contact.shopifyCustomerId ?? null));
  if (named === null) {
    return { row, fatal: { column: "", detail: "has nothing that tells who it is" } };
  }
  return { row, contact: isSuppression ? null : contact, email, phone, consents, suppressions, problems };
}

function given<V>(name: string, value: V | undefined): Record<string, V> {
  return value === undefined ? {} : { [name]: value };
}

function tagsIn(text: string): string[] {
  const parsed = text.startsWith("[") ? Labels.safeParse(cellValue(text)) : null;
  const tags = parsed?.success ? parsed.data : text.split(/[,;|]/);
  return [...new Set(tags.map((tag) => tag.trim()).filter((tag) => tag !== ""))];
}

function fieldsIn(
  cells: Cell[],
  { rules, preset, format }: Reading,
  problems: Problem[],
): Record<string, unknown> | undefined {
  const fields: [string, unknown][] = [];
  for (const { column, target, text } of cells) {
    if (target === "fields") {
      const parsed = z.tuple([OwnFields]).safeParse(cellValue(`[${text}]`));
      if (parsed.success) fields.push(...Object.entries(parsed.data[0]));
      else problems.push({ column, detail: "is no JSON object; left out" });
      continue;
    }
    if (!target.startsWith("fields.")) continue;
    const name = target.slice("fields.".length);
    const rule = rules.get(name);
    const isTyped = preset === "footfall" || (format === "jsonl" && column.startsWith("fields."));
    const value = isTyped ? cellValue(text) : convert(rule, text);
    const problem = rule ? valueProblem(rule, value) : null;
    if (problem === null) fields.push([name, value]);
    else problems.push({ column, detail: `${problem}; left out` });
  }
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

/** A cell as its field's type wants it; what does not fit is found by the field's own check. */
function convert(rule: FieldRule | undefined, text: string): unknown {
  switch (rule?.type) {
    case "number":
      return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
    case "boolean":
      return /^(?:true|yes|1)$/i.test(text) ? true : /^(?:false|no|0)$/i.test(text) ? false : text;
    case "multiselect":
      return tagsIn(text);
    default:
      return text;
  }
}

function permissionsIn(
  cells: Cell[],
  reading: Reading,
  problems: Problem[],
): { consents: ToldConsent[]; suppressions: ToldSuppression[] } {
  const textOf = (target: Target) => cells.find((cell) => cell.target === target)?.text ?? "";
  const consents = new Map<Channel, ToldConsent>();
  const suppressions: ToldSuppression[] = [];
  const leftAt = timeIn(textOf("optOut.at"), reading.now);

  for (const channel of ["email", "sms", "whatsapp"] as const) {
    const cell = cells.find(({ target }) => target === `consents.${channel}.state`);
    if (!cell) continue;
    const state = stateNamed(cell.text, reading.preset === "activecampaign");
    if (state === null)
      problems.push({ column: cell.column, detail: "is no state of consent that is known; left out" });
    if (state === "bounced") suppressions.push({ channel, reason: "HARD_BOUNCE", at: null });
    if (state === null || state === "bounced" || state === "nothing") continue;
    const isOwn = reading.preset === "footfall";
    consents.set(channel, {
      channel,
      state,
      level: Level.safeParse(textOf(`consents.${channel}.level`)).data ?? (isOwn ? null : "unknown"),
      basis: (isOwn && textOf(`consents.${channel}.basis`).slice(0, 50)) || "import",
      source: textOf(`consents.${channel}.source`).slice(0, 100) || (isOwn ? null : (reading.preset ?? "import")),
      decidedAt: timeIn(textOf(`consents.${channel}.updatedAt`), reading.now),
    });
  }
  const leave = (channel: Channel) =>
    consents.set(channel, {
      channel,
      state: "unsubscribed",
      level: "unknown",
      basis: "import",
      source: reading.preset ?? "import",
      decidedAt: leftAt,
    });
  const all = saysYes(textOf("optOut.all"));
  if (all || saysYes(textOf("optOut.email")) || leftAt !== null) leave("email");
  if (all || saysYes(textOf("optOut.sms"))) for (const channel of ["sms", "whatsapp"] as const) leave(channel);
  if (saysYes(textOf("bounced"))) suppressions.push({ channel: "email", reason: "HARD_BOUNCE", at: null });

  const at = timeIn(textOf("suppression.at"), reading.now);
  for (const reason of reasonsIn(textOf("suppression.reason"))) suppressions.push({ channel: "email", reason, at });
  const own = cells.find(({ target }) => target === "suppressions");
  if (own) {
    const parsed = OwnSuppressions.safeParse(cellValue(own.text));
    if (parsed.success) {
      suppressions.push(...parsed.data.map((entry) => ({ ...entry, at: entry.at ?? null })));
    } else problems.push({ column: own.column, detail: "is no list of suppressions; left out" });
  }
  return { consents: [...consents.values()], suppressions };
}
