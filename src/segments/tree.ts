import type { Condition, NumberTest, Test } from "./condition";
import type { LineFact } from "./compile/lines";
import type { EventType } from "./event-catalogue";
import type { Field } from "./field";
import type { Span } from "./window";

/** Whom a segment is about. Visitors are the anonymous ones: who has become a contact is one. */
export type Audience = "contacts" | "visitors" | "both";

/** A definition that has been read: every name in it is known, every value fits. */
export type Node = GroupNode | Leaf;

export interface GroupNode {
  kind: "all" | "any" | "none";
  nodes: Node[];
}

export type Leaf = AttributeLeaf | EventLeaf | SequenceLeaf | MembershipLeaf | SampleLeaf;

export interface AttributeLeaf {
  kind: "attribute";
  pointer: string;
  field: Field;
  condition: Condition;
}

/** What a `where`, a sum or a distinct count names: the event's own property, a fact of its lines, or a path in its data. */
export type PropertyRef = { of: "own"; name: string } | { of: "line"; fact: LineFact } | { of: "data"; path: string };

export interface Where {
  property: PropertyRef;
  condition: Condition;
}

/** Occurrences of one event. */
export interface Happening {
  event: EventType;
  where: Where[];
}

export type Measure =
  | { kind: "count"; test: NumberTest }
  | { kind: "sum"; of: PropertyRef; test: NumberTest }
  | { kind: "distinct"; of: PropertyRef; test: NumberTest }
  | { kind: "firstAt"; test: Test; negative: boolean }
  | { kind: "lastAt"; test: Test; negative: boolean };

export interface EventLeaf extends Happening {
  kind: "event";
  pointer: string;
  measure: Measure;
  window: Span | null;
}

/** The first event, and then the other one within so many ms, or not. */
export interface SequenceLeaf {
  kind: "sequence";
  pointer: string;
  first: Happening;
  next: Happening;
  happens: boolean;
  withinMs: number;
  window: Span | null;
}

export interface MembershipLeaf {
  kind: "membership";
  pointer: string;
  of: "segment" | "list";
  /** Public id. */
  id: string;
  is: boolean;
  /** When it was entered. */
  window: Span | null;
}

export interface SampleLeaf {
  kind: "sample";
  pointer: string;
  percent: number;
  seed: number;
}

export interface Definition {
  audience: Audience;
  root: Node;
}

export function leavesOf(node: Node): Leaf[] {
  return "nodes" in node ? node.nodes.flatMap(leavesOf) : [node];
}
