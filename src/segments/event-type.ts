import type { ValueType } from "./condition";
import type { Bounds } from "./compile/bounds";
import type { Frame, Relation } from "./compile/frame";
import type { Lines } from "./compile/lines";
import type { Value } from "./compile/predicate";

/** A property of an event that conditions, sums and distinct counts may name. */
export interface Property {
  label: string;
  type: ValueType;
  /** It may have several values. */
  many?: boolean;
}

/** Where an event of one name is found. An event may have several sources; no occurrence is in two of them. */
export interface Source {
  /** Rows, one an occurrence, of subjects of the frame; times in the range. */
  rows: (frame: Frame, name: string, window: Bounds | null) => Relation;
  /** SQL of the moment it happened. */
  at: string;
  /** SQL of the scalar properties; absent ones are missing here. */
  values: (frame: Frame) => Record<string, Value>;
  /** SQL of table-valued functions `g` of properties with many values. */
  arrays?: Record<string, string>;
  lines?: (frame: Frame) => Lines;
  /** Properties of any name, below the JSON document. */
  document?: string;
}

export interface EventType {
  name: string;
  label: string;
  group: "storefront" | "commerce";
  properties: Record<string, Property>;
  sources: Source[];
  /** Line items: `items.*`. */
  lines: boolean;
  /** Any property of its data: `data.*`. */
  open: boolean;
}

export const text = (label: string, many = false): Property => ({ label, type: "text", many });
export const money = (label: string): Property => ({ label, type: "money" });
