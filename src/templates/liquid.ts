import {
  type Context,
  Drop,
  type Emitter,
  Liquid,
  Tag,
  type TagToken,
  type Template,
  type TopLevelToken,
  toValueSync,
  Value,
} from "liquidjs";

import { toDecimal } from "../lib/money";
import { BLOCKS } from "./blocks";
import { MOST_CHARACTERS } from "./limits";

/** Characters that one rendering may make, keep and print: ends loops and doublings, since a Worker's clock stands still. */
const MEMORY = 300_000;

/** Share what should be apart, nest layouts that nobody has, or print without being parsed. */
const NO_TAGS = ["include", "layout", "block", "raw"];

/** Print without escaping, run expressions made of data, or are of no use to a message. */
const NO_FILTERS = [
  "raw",
  "newline_to_br",
  "sha256",
  "hmac_sha256",
  "inspect",
  "where_exp",
  "reject_exp",
  "group_by_exp",
  "has_exp",
  "find_exp",
  "find_index_exp",
];

/** Gives out a unique code of the pool of this id or name; null when there is none. */
export type TakeCoupon = (pool: string) => Promise<string | null>;

/** Codes that a rendering has been given so far, by the scope of it: out of reach of what a template says. */
const coupons = new WeakMap<object, Map<string, string>>();

/** Thrown by `{% coupon %}` where a code is shown that nobody has asked for yet. */
class WantsCoupon extends Error {
  readonly pool: string;

  constructor(pool: string) {
    super("wants a code");
    this.pool = pool;
  }
}

/** No code is left: the message must not go out without it. */
export class NoCoupon extends Error {}

/** `{% coupon "Spring" %}`: a code that only the recipient of this message gets. */
class CouponTag extends Tag {
  readonly #pool: Value;

  constructor(token: TagToken, remain: TopLevelToken[], liquid: Liquid) {
    super(token, remain, liquid);
    this.#pool = new Value(token.args, liquid);
  }

  override *render(context: Context, emitter: Emitter): Generator<unknown, void, unknown> {
    const named = yield this.#pool.value(context);
    const pool = typeof named === "string" ? named : "";
    const code = coupons.get(context.globals)?.get(pool);
    if (code === undefined) throw new WantsCoupon(pool);
    emitter.write(code.replaceAll(/[^\w-]/g, ""));
  }
}

/** An amount in a template: prints as people write it, compares as a number, and has `amount`, `cents` and `currency`. */
export class MoneyDrop extends Drop {
  readonly amount: string;
  readonly cents: number;
  readonly currency: string;
  readonly #text: string;

  /** @param language BCP 47 tag that decides how it is written */
  constructor(cents: number, currency: string, language: string) {
    super();
    this.cents = cents;
    this.currency = currency;
    this.amount = toDecimal(cents, currency);
    // As a string, since a number loses digits of large amounts.
    this.#text = new Intl.NumberFormat(language, { style: "currency", currency }).format(Number(this.amount));
  }

  override valueOf(): string {
    return this.#text;
  }

  equals(other: unknown): boolean {
    return Number(this.amount) === numberOf(other);
  }
  gt(other: unknown): boolean {
    return Number(this.amount) > numberOf(other);
  }
  geq(other: unknown): boolean {
    return Number(this.amount) >= numberOf(other);
  }
  lt(other: unknown): boolean {
    return Number(this.amount) < numberOf(other);
  }
  leq(other: unknown): boolean {
    return Number(this.amount) <= numberOf(other);
  }
}

function numberOf(value: unknown): number {
  return Number(value instanceof MoneyDrop ? value.amount : value);
}

/** Takes what is printed, also into a capture, out of the rendering's memory: by itself the engine counts it nowhere. */
class CountingEmitter implements Emitter {
  buffer = "";
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  write(value: unknown): void {
    const text = textOf(value);
    this.#context.memoryLimit.use(text.length);
    this.buffer += text;
  }
}

function textOf(value: unknown): string {
  const inner: unknown = toValueSync(value);
  if (inner === null || inner === undefined) return "";
  if (Array.isArray(inner)) return inner.map(textOf).join("");
  return typeof inner === "string" ? inner : JSON.stringify(inner);
}

function countOutput({ renderer }: Liquid): void {
  const plain = renderer.renderTemplates.bind(renderer);
  const counted: typeof plain = (templates, context, emitter) =>
    plain(templates, context, emitter ?? new CountingEmitter(context));
  Object.assign(renderer, { renderTemplates: counted });
}

function engine(kind: "html" | "text", timezone: string, isStrict: boolean): Liquid {
  const liquid = new Liquid({
    strictFilters: true,
    strictVariables: isStrict,
    // A fallback and a question may name what is missing.
    lenientIf: true,
    ownPropertyOnly: true,
    memoryLimit: MEMORY,
    parseLimit: MOST_CHARACTERS,
    timezoneOffset: timezone,
    templates: BLOCKS,
    ...(kind === "html" ? { outputEscape: "escape" as const } : {}),
  });
  countOutput(liquid);
  for (const name of NO_TAGS) delete liquid.tags[name];
  for (const name of NO_FILTERS) delete liquid.filters[name];
  // Everything is escaped once as it is printed; those who are used to asking for it must not get it twice.
  if (kind === "html") for (const name of ["escape", "escape_once", "xml_escape"]) liquid.registerFilter(name, String);
  liquid.registerFilter("money", (value: unknown) => value);
  liquid.registerTag("coupon", CouponTag);
  return liquid;
}

const engines = new Map<string, Liquid>();

/** The engine for a kind of text in a time zone, made once. `isStrict`: a missing value throws. */
export function liquidFor(kind: "html" | "text", timezone = "UTC", isStrict = false): Liquid {
  const name = `${kind} ${timezone} ${isStrict}`;
  let liquid = engines.get(name);
  if (!liquid) {
    if (engines.size > 50) engines.clear();
    liquid = engine(kind, timezone, isStrict);
    engines.set(name, liquid);
  }
  return liquid;
}

/** Pools that one message may take a code of. */
const MOST_COUPONS = 10;

/**
 * Renders a parsed template with this scope, at once: to wait within a rendering is many times slower. A code that the
 * text turns out to show is taken, and the rendering begun anew.
 * Throws `NoCoupon`, and liquidjs' errors: a limit was met, or with a strict engine a value is missing.
 */
export async function renderLiquid(
  liquid: Liquid,
  parsed: Template[],
  scope: Record<string, unknown>,
  take: TakeCoupon,
): Promise<string> {
  // Of its own, so that blocks see it too and the codes are this rendering's.
  const globals = { ...scope };
  const codes = new Map<string, string>();
  coupons.set(globals, codes);
  for (;;) {
    try {
      return String(liquid.renderSync(parsed, {}, { globals }));
    } catch (error) {
      const cause: unknown = error instanceof Error && "originalError" in error ? error.originalError : error;
      if (!(cause instanceof WantsCoupon) || codes.size >= MOST_COUPONS) throw error;
      const code = await take(cause.pool);
      if (code === null) throw new NoCoupon(cause.pool);
      codes.set(cause.pool, code);
    }
  }
}
