import { parseLossless } from "../map/fields";

/** By what a stored text may name a person. Everything is lower case. */
export interface Names {
  emails: string[];
  /** Digits alone, with the country's where it is known. */
  phones: string[];
  /** Shopify's ids of the customer and of the orders. */
  customers: string[];
  orders: string[];
  /** Tokens and ids that lead to nobody else: of carts, checkouts, browsers, and our own public ones. */
  keys: string[];
}

export const NOBODY: Names = { emails: [], phones: [], customers: [], orders: [], keys: [] };

/** An id with fewer digits could be any number: it counts only where the body says what it is. */
const TELLING_DIGITS = 7;

/** Digits that a phone number may lack in a text: its country's. */
const COUNTRY_DIGITS = 3;
const FEWEST_PHONE_DIGITS = 6;

type Kind = "customer" | "order" | null;

/**
 * True when a text names the person: by address in any case, by phone number in any way of writing, by the id of the
 * customer or of an order, or by one of the keys; each as a whole, so that `anna@x.example` is not in
 * `susanna@x.example`, nor 12345 in 123456. JSON is read as JSON, so that escapes hide nothing, and percent-encoding
 * is undone.
 *
 * @param topic of the webhook: tells whose `id` stands at the top of its body
 */
export function namesPerson(text: string, names: Names, topic = ""): boolean {
  const matcher = matcherOf(names);
  let value: unknown = text;
  try {
    value = parseLossless(text);
  } catch {
    // Not JSON: read as the text that it is.
  }
  const top: Kind = /^customers?[._/]/.test(topic) ? "customer" : topic.startsWith("orders/") ? "order" : null;
  return visit(value, "", top, matcher);
}

interface Matcher {
  email: RegExp | null;
  phones: string[];
  ids: { customer: Set<string>; order: Set<string> };
  keys: Set<string>;
  /** Keys with characters that end a word. */
  oddKeys: string[];
}

const WORD = /[\p{L}\p{N}_-]+/gu;

function matcherOf(names: Names): Matcher {
  const isWord = (key: string) => /^[\p{L}\p{N}_-]+$/u.test(key);
  const telling = [...names.customers, ...names.orders].filter((id) => id.length >= TELLING_DIGITS);
  const emails = names.emails.map((email) => email.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join("|");
  return {
    email: emails === "" ? null : new RegExp(String.raw`(?<![\p{L}\p{N}._+-])(?:${emails})(?![\p{L}\p{N}_-])`, "u"),
    phones: names.phones,
    ids: { customer: new Set(names.customers), order: new Set(names.orders) },
    keys: new Set([...names.keys.filter(isWord), ...telling]),
    oddKeys: names.keys.filter((key) => !isWord(key)),
  };
}

function visit(value: unknown, key: string, kind: Kind, matcher: Matcher): boolean {
  if (typeof value === "string" || typeof value === "number") {
    return isRecord(String(value), key, kind, matcher) || isNamed(String(value), matcher);
  }
  if (Array.isArray(value)) return value.some((item) => visit(item, key, kindOf(key) ?? kind, matcher));
  if (typeof value !== "object" || value === null) return false;
  const inside = kindOf(key) ?? (key === "" ? kind : null);
  return Object.entries(value).some(([name, child]) => isNamed(name, matcher) || visit(child, name, inside, matcher));
}

function kindOf(key: string): Kind {
  return /customer/i.test(key) ? "customer" : /order/i.test(key) ? "order" : null;
}

/** A number that the body says is the customer's or an order's. */
function isRecord(text: string, key: string, kind: Kind, { ids }: Matcher): boolean {
  const global = /gid:\/\/shopify\/(customer|order)\/(\d+)/i.exec(text);
  const digits = global?.[2] ?? (/^\d+$/.test(text) ? text : null);
  if (digits === null) return false;
  const named = global?.[1]?.toLowerCase() ?? kindOf(key) ?? (key === "id" || key === "" ? kind : null);
  return named === "customer" ? ids.customer.has(digits) : named === "order" && ids.order.has(digits);
}

function isNamed(text: string, matcher: Matcher): boolean {
  const plain = text.normalize("NFC").toLowerCase();
  return isNamedPlainly(plain, matcher) || (plain.includes("%") && isNamedPlainly(decoded(plain), matcher));
}

function isNamedPlainly(text: string, { email, phones, keys, oddKeys }: Matcher): boolean {
  if (email?.test(text)) return true;
  if (oddKeys.some((key) => text.includes(key))) return true;
  if (keys.size > 0) for (const [word] of text.matchAll(WORD)) if (keys.has(word)) return true;
  return phones.length > 0 && numbersIn(text).some((number) => phones.some((phone) => isSameNumber(phone, number)));
}

/** Percent-encoding undone piece by piece, so that one that is broken hides no other. */
function decoded(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/g, (piece) => {
    try {
      return decodeURIComponent(piece).toLowerCase();
    } catch {
      return piece;
    }
  });
}

/** Whatever may be a phone number: digits with the signs that people write between them. */
function numbersIn(text: string): string[] {
  return [...text.replaceAll("(0)", "").matchAll(/\d[\d\s()./\u00a0-]{4,24}\d/g)].map(([run]) =>
    run.replaceAll(/\D/g, "").replace(/^0+/, ""),
  );
}

function isSameNumber(phone: string, number: string): boolean {
  const [longer, shorter] = phone.length >= number.length ? [phone, number] : [number, phone];
  return (
    shorter.length >= FEWEST_PHONE_DIGITS &&
    longer.length - shorter.length <= COUNTRY_DIGITS &&
    longer.endsWith(shorter)
  );
}

/** What the database can look for before anybody reads a text closely: it may find too much, never too little. */
export interface Sieve {
  /** One of these must be there with all of its parts: runs of letters and digits, which no encoding changes. */
  parts: string[][];
  /** Last digits of phone numbers, in a text without the signs between digits. */
  digits: string[];
}

export function sieveOf(names: Names): Sieve {
  const whole = [...names.customers, ...names.orders].map((id) => [id]);
  const runs = [...names.emails, ...names.keys].map((name) => {
    const all = name.match(/[a-z0-9]+/g) ?? [];
    const long = all.filter((run) => run.length >= 3);
    return long.length > 0 ? long : all;
  });
  return { parts: [...whole, ...runs], digits: names.phones.map((phone) => phone.slice(-FEWEST_PHONE_DIGITS)) };
}

/** Digits of a phone number; null when it has too few to be told from other numbers. */
export function phoneDigits(phone: string): string | null {
  const digits = phone.replaceAll(/\D/g, "").replace(/^0+/, "");
  return digits.length >= FEWEST_PHONE_DIGITS ? digits : null;
}

export function isEmpty(names: Names): boolean {
  return Object.values(names).every((list: string[]) => list.length === 0);
}
