import { toldStatements } from "../consent";
import { escapeHtml } from "../footer";
import { happened } from "../happened";
import { type Channel, CHANNELS } from "../queue";
import { sql } from "../../db/client";
import { armClock } from "../../jobs";
import { addressHash } from "../../suppressions";
import type { Opened } from "./delivery";
import { form, page, paragraph } from "./page";

interface Choice {
  channel: Channel;
  subscribed: boolean;
  /** The link came to this channel's address, so whoever follows it has it: only then it may be switched on. */
  mayJoin: boolean;
  hash: string;
}

/** The channels that the person can be reached on, as they are. */
async function choicesOf(env: Env, { shop, d }: Opened): Promise<Choice[]> {
  if (d.contact === null) return [];
  const row = await sql(
    env.DB,
    `select email, phone, (select json_group_object(channel, state) from consents where contact = c.key) as consents
     from contacts c where key = ? and shop = ? and deleted_at is null`,
    d.contact,
    shop.key,
  ).first<{ email: string | null; phone: string | null; consents: string }>();
  if (!row) return [];
  const states: Record<string, string> = JSON.parse(row.consents);
  const choices: Choice[] = [];
  for (const channel of CHANNELS) {
    const address = channel === "email" ? row.email : row.phone;
    if (address === null) continue;
    const hash = await addressHash(env, shop.key, address);
    choices.push({ channel, subscribed: states[channel] === "subscribed", mayJoin: hash === d.hash, hash });
  }
  return choices;
}

/** Shows what is chosen; changes nothing. */
export async function showPreferences(env: Env, opened: Opened, saved = false): Promise<Response> {
  const { shop, texts } = opened;
  const { pages } = texts;
  const boxes = (await choicesOf(env, opened)).map(({ channel, subscribed, mayJoin }) => {
    const state = `${subscribed ? " checked" : ""}${subscribed || mayJoin ? "" : " disabled"}`;
    return `<label><input type="checkbox" name="${channel}" value="on"${state}> ${escapeHtml(pages.channels[channel])}</label>`;
  });
  const buttons =
    `<button name="do" value="save">${escapeHtml(pages.save)}</button>` +
    `<button class="plain" name="do" value="leave">${escapeHtml(pages.leaveAll)}</button>`;
  return page(
    texts,
    pages.preferencesTitle,
    (saved ? paragraph(pages.saved) : "") +
      paragraph(pages.preferencesLead(shop.name)) +
      form(boxes.join("") + buttons),
  );
}

/** Applies what was ticked; a channel that was not shown as it is now is left alone. */
export async function savePreferences(env: Env, opened: Opened, body: FormData, now: number): Promise<Response> {
  const { shop, d } = opened;
  const action = body.get("do");
  if (action !== "save" && action !== "leave") return showPreferences(env, opened);
  await armClock(env, shop.key, now);
  const choices = await choicesOf(env, opened);
  const statements = choices.flatMap(({ channel, subscribed, mayJoin, hash }) => {
    const wanted = action === "save" && body.get(channel) === "on";
    if (wanted === subscribed || (wanted && !mayJoin)) return [];
    const state = wanted ? ("subscribed" as const) : ("unsubscribed" as const);
    const told = { channel, state, level: wanted ? ("single_opt_in" as const) : null, source: "preferences", at: now };
    return [
      ...toldStatements(env.DB, shop.key, { contact: d.contact, hash }, told, now),
      ...(wanted || channel !== d.channel
        ? []
        : happened(env.DB, shop.key, d, { type: "unsubscribed", naturalKey: "preferences", at: now }, now)),
    ];
  });
  if (choices.length === 0 && d.hash !== null) {
    // The contact is gone; the wish to get nothing holds for the address.
    const told = { channel: d.channel, state: "unsubscribed" as const, level: null, source: "preferences", at: now };
    statements.push(...toldStatements(env.DB, shop.key, d, told, now));
  }
  if (statements.length > 0) await env.DB.batch(statements);
  return showPreferences(env, opened, true);
}
