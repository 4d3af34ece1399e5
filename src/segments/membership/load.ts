import { z } from "zod";

import { sql } from "../../db/client";
import { asAppError } from "../../errors";
import type { Shop } from "../../shops";
import { parseDefinition, type Vocabulary } from "../definition";
import type { CustomField } from "../fields";
import type { SubjectKind } from "../compile";
import type { Audience, Definition } from "../tree";
import { keptDefinition } from "./kept";

/** A segment as its membership is worked out. */
export interface StoredSegment {
  key: number;
  id: string;
  version: number;
  state: "filling" | "live" | "paused" | "slow";
  audience: Audience;
  filledKind: SubjectKind | null;
  filledTo: number | null;
  announces: number;
  /** JSON. */
  definition: string;
}

export interface ReadSegment extends StoredSegment {
  parsed: Definition;
}

export const SEGMENT_COLUMNS = `key, id, version, state, audience, filled_kind as filledKind, filled_to as filledTo,
  announces, definition`;

const Options = z.array(z.string());

/** A field as it is stored. */
export type FieldRow = Omit<CustomField, "options"> & { options: string };

/** The fields that the shop's definitions may name. */
export async function customFieldsOf(db: D1Database, shop: number): Promise<CustomField[]> {
  const { results } = await customFieldRows(db, shop).all<FieldRow>();
  return readCustomFields(results);
}

/** The same for a batch; `readCustomFields` reads its rows. */
export function customFieldRows(db: D1Database, shop: number): D1PreparedStatement {
  return sql(db, "select name, label, type, options from fields where shop = ? and system = 0 order by name", shop);
}

export function readCustomFields(rows: FieldRow[]): CustomField[] {
  return rows.map((field) => ({ ...field, options: Options.parse(JSON.parse(field.options)) }));
}

/** What a shop's definitions are read against. */
export function vocabulary(shop: Shop, audience: Audience, customFields: CustomField[]): Vocabulary {
  return { audience, stores: [shop.id, shop.domain], customFields };
}

/** Reads stored definitions; one that no longer fits the shop (a field is gone) is told apart with the reason. */
export function readDefinitions(
  shop: Shop,
  stored: StoredSegment[],
  customFields: CustomField[],
): { read: ReadSegment[]; broken: { segment: StoredSegment; problem: string }[] } {
  const read: ReadSegment[] = [];
  const broken: { segment: StoredSegment; problem: string }[] = [];
  for (const segment of stored) {
    try {
      const words = vocabulary(shop, segment.audience, customFields);
      const parsed = keptDefinition(segment, words, () => parseDefinition(JSON.parse(segment.definition), words));
      read.push({ ...segment, parsed });
    } catch (error) {
      const { errors, message } = asAppError(error);
      const first = errors?.[0];
      broken.push({ segment, problem: first ? `${first.pointer} ${first.detail}` : message });
    }
  }
  return { read, broken };
}
