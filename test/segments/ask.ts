import { env } from "cloudflare:workers";
import { expect } from "vitest";

import { type Audience, compile, type CustomField, parseDefinition, type Question } from "../../src/segments";
import { AppError } from "../../src/errors";
import { T0 } from "../helpers/clock";
import { insert } from "../helpers/seed";

let shops = 0;

/** A shop of a test's own, as segments see it. */
export class SegmentTest {
  readonly key: number;
  readonly currency: string;
  readonly timezone: string;
  customFields: CustomField[] = [];
  now = T0;

  private constructor(key: number, currency: string, timezone: string) {
    this.key = key;
    this.currency = currency;
    this.timezone = timezone;
  }

  static async make(timezone = "UTC", currency = "EUR"): Promise<SegmentTest> {
    const name = `segments-${++shops}-${crypto.randomUUID()}`;
    await insert("shops", {
      id: `shp_${name}`,
      domain: `${name}.myshopify.com`,
      name,
      currency,
      timezone,
      pixel_key: name,
      installed_at: T0,
      created_at: T0,
      updated_at: T0,
    });
    const row = await env.DB.prepare("select key from shops where domain = ?")
      .bind(`${name}.myshopify.com`)
      .first<{ key: number }>();
    return new SegmentTest(row?.key ?? 0, currency, timezone);
  }

  parse(definition: unknown, audience: Audience = "contacts") {
    return parseDefinition(definition, { audience, stores: [`shop${this.key}`], customFields: this.customFields });
  }

  async run<Row>(definition: unknown, audience: Audience, question: Question) {
    const { sql, values } = compile(this.parse(definition, audience), this, this.now, question);
    return env.DB.prepare(sql)
      .bind(...values)
      .all<Row>();
  }

  /**
   * The members, as `contact:<key>` and `visitor:<key>` or by the names given. Fails unless the list, the count, the
   * pages and the question about each single subject agree.
   */
  async members(definition: unknown, names: Record<string, string> = {}, audience: Audience = "contacts") {
    const label = (row: { kind: string; key: number }) => names[`${row.kind}:${row.key}`] ?? `${row.kind}:${row.key}`;
    type Row = { kind: "contact" | "visitor"; key: number };
    const all = (await this.run<Row>(definition, audience, { ask: "members" })).results;
    const found = all.map(label).sort();
    expect(new Set(found).size, "nobody twice").toBe(found.length);
    const count = (await this.run<{ count: number }>(definition, audience, { ask: "count" })).results[0]?.count;
    expect(count, "the count").toBe(found.length);
    const paged: string[] = [];
    for (let after: Row | null = null; ;) {
      const page: Row[] = (await this.run<Row>(definition, audience, { ask: "page", after, limit: 2 })).results;
      paged.push(...page.map(label));
      after = page.at(-1) ?? null;
      if (page.length < 2) break;
    }
    expect(paged.sort(), "the pages").toEqual(found);
    const one: string[] = [];
    for (const kind of ["contact", "visitor"] as const) {
      const { results } = await env.DB.prepare(`select key from ${kind}s where shop = ?`)
        .bind(this.key)
        .all<{ key: number }>();
      for (const { key } of results) {
        const asked = await this.run<{ member: number }>(definition, audience, {
          ask: "subject",
          subject: { kind, key },
        });
        if (asked.results[0]?.member === 1) one.push(label({ kind, key }));
      }
    }
    expect(one.sort(), "asked one by one").toEqual(found);
    return found;
  }

  /** What is wrong with a definition, by pointer. */
  problems(definition: unknown, audience: Audience = "contacts"): Record<string, string> {
    try {
      this.parse(definition, audience);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "validation_failed") throw error;
      return Object.fromEntries((error.errors ?? []).map(({ pointer, detail }) => [pointer, detail]));
    }
    return {};
  }
}
