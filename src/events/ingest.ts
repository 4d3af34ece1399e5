import { IdentifiedData } from "../collect/schemas";
import { config } from "../config";
import type { Ctx } from "../context";
import { sql } from "../db/client";
import { AppError, type FieldError } from "../errors";
import { normaliseEmail, normalisePhone } from "../identity/normalise";
import { newId } from "../lib/ids";
import { isWatched, readWatched } from "../shops";
import { type IncomingEvent, linkVisitor, recordEvents } from "../visitor";
import { NO_LOCALE, parseEvent } from "../collect";
import type { ContactRef } from "../contacts";
import { contactNamed, type Named } from "../contacts/rest";
import type { NewEvent } from "./schemas";

/** Events on their way to one visitor's object. */
interface Group {
  tracker: string;
  /** Whom the object is or becomes; null leaves a browser's person as it is. */
  contact: ContactRef | null;
  channel: "browser" | "api";
  events: IncomingEvent[];
}

/**
 * Takes events from the shop's own server: the same types, checks and cleaning as a beacon's. By visitor they go to that
 * browser; by contact, e-mail or phone to the contact's own server-side visitor, which is none of the visitors listed.
 * All are checked before any is taken. Throws `validation_failed` with pointers, `shop_uninstalled`, and `unavailable`
 * when a visitor cannot take more now; sending all of them again is then safe for those with an id.
 */
export async function ingestEvents(ctx: Ctx, events: NewEvent[]): Promise<{ accepted: number; ids: string[] }> {
  if (ctx.shop.status !== "active") throw new AppError("shop_uninstalled");
  const sent = events.map((event) => ({ ...event, id: event.id ?? newId("evt", ctx.now), at: event.at ?? ctx.now }));
  const parsed = await parseAll(ctx, sent);
  const contacts = await contactsOf(ctx, sent);
  const groups = new Map<string, Group>();
  for (const [i, event] of sent.entries()) {
    const incoming = parsed[i];
    if (!incoming) continue;
    const contact = contacts[i] ?? null;
    const group = groupOf(event, contact);
    const name = `${group.tracker} ${contact?.key ?? ""}`;
    groups.set(name, groups.get(name) ?? group);
    // Who it is has been said by a caller that is trusted; a claim inside the event would only compete with that.
    groups.get(name)?.events.push(contact ? { ...incoming, identification: null } : incoming);
  }
  let accepted = 0;
  for (const group of groups.values()) accepted += await record(ctx, group);
  return { accepted, ids: sent.map(({ id }) => id) };
}

type Sent = NewEvent & { id: string; at: number };

async function parseAll(ctx: Ctx, sent: Sent[]): Promise<IncomingEvent[]> {
  const { sealingKeys } = config(ctx.env);
  const context = { shop: ctx.shop, sealingKeys, now: ctx.now, clockOffset: 0, country: null };
  const events: IncomingEvent[] = [];
  const errors: FieldError[] = [];
  for (const [i, event] of sent.entries()) {
    const parsed = await parseEvent(event, context);
    if (parsed.kind === "event") events.push(parsed.event);
    else if (parsed.kind === "stale") errors.push({ pointer: `/events/${i}/at`, detail: "is more than 7 days ago" });
    else errors.push(...parsed.errors.map((e) => ({ ...e, pointer: `/events/${i}${e.pointer}` })));
  }
  if (errors.length > 0) throw new AppError("validation_failed", undefined, { errors: errors.slice(0, 50) });
  return events;
}

/**
 * Whom each event names, each person looked up once. Ids go first: an unknown one must be heard before any contact is
 * made for an address.
 */
async function contactsOf(ctx: Ctx, sent: Sent[]): Promise<(ContactRef | null)[]> {
  const names = sent.map(nameOf);
  const known = new Map<string, ContactRef | null>();
  const order = names.map((_, i) => i).sort((a, b) => Number(!names[a]?.contactId) - Number(!names[b]?.contactId));
  for (const i of order) {
    const name = names[i] ?? {};
    const key = JSON.stringify(name);
    if (!known.has(key)) known.set(key, await contactNamed(ctx, name, `/events/${i}`));
  }
  return names.map((name) => known.get(JSON.stringify(name)) ?? null);
}

/** A browser's `identified` event names its person in its data. */
function nameOf({ type, visitorId, contactId, email, phone, data }: Sent): Named {
  const named = { contactId, email, phone };
  if (visitorId === undefined || type !== "identified" || contactId || email || phone) return named;
  const told = IdentifiedData.safeParse(data ?? {});
  return told.success
    ? { email: usable(told.data.email, normaliseEmail), phone: usable(told.data.phone, normalisePhone) }
    : named;
}

function usable(value: string | null | undefined, normalise: (value: string) => string | null): string | undefined {
  return (value && normalise(value)) || undefined;
}

function groupOf({ visitorId }: Sent, contact: ContactRef | null): Group {
  if (visitorId !== undefined) return { tracker: visitorId, contact, channel: "browser", events: [] };
  return { tracker: `api:${contact?.id ?? ""}`, contact, channel: "api", events: [] };
}

async function record(ctx: Ctx, { tracker, contact, channel, events }: Group): Promise<number> {
  const link = async () => {
    if (contact) await linkVisitor(ctx.env, ctx.shop, tracker, { contactId: contact.id, channel });
  };
  const isLinked = contact === null || (await holds(ctx, tracker, contact.key));
  if (!isLinked) await link();
  const { accepted } = await recordEvents(ctx.env, ctx.shop, tracker, {
    channel,
    geo: { country: null, region: null, city: null },
    locale: NO_LOCALE,
    device: null,
    events,
    watched: isWatched(await readWatched(ctx.db, ctx.shop.key), events),
  });
  // A browser that had told nothing before could not be linked before this.
  if (!isLinked && channel === "browser") await link();
  return accepted;
}

/** True while this contact is the person who sits there. */
async function holds(ctx: Ctx, tracker: string, contact: number): Promise<boolean> {
  const row = await sql(
    ctx.db,
    "select contact from visitors where shop = ? and tracker = ? order by person desc limit 1",
    ctx.shop.key,
    tracker,
  ).first<{ contact: number | null }>();
  return row?.contact === contact;
}
