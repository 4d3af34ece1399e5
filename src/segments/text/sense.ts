import type { Vocabulary } from "../definition";
import type { Field } from "../field";
import { type CustomField, customField, FIELDS } from "../fields";
import type { Json } from "./dates";
import type { ShopSense } from "./values";

/** What a text is read against. */
export interface TextVocabulary extends Vocabulary, ShopSense {}

/** What the readers of a text's clauses share. */
export class Sense {
  readonly shop: ShopSense;
  readonly notes: { at: number; detail: string }[] = [];
  readonly #custom: Map<string, Field>;
  readonly #places = new Map<object, number>();

  constructor({ currency, timezone, customFields }: TextVocabulary) {
    this.shop = { currency, timezone };
    this.#custom = new Map(customFields.map((field: CustomField) => [`fields.${field.name}`, customField(field)]));
  }

  field(name: string): Field | undefined {
    return FIELDS.get(name) ?? this.#custom.get(name);
  }

  /** What differs between the filter and what it becomes here. */
  note(at: number, detail: string): void {
    this.notes.push({ at, detail });
  }

  /** Remembers where a part of the definition was written. */
  placed<T extends Json>(part: T, at: number): T {
    this.#places.set(part, at);
    return part;
  }

  /** Where the part of the definition at a JSON pointer was written, as near as is known. */
  placeOf(definition: unknown, pointer: string): number {
    let part = definition;
    let place = 0;
    for (const step of ["", ...pointer.split("/").slice(2)]) {
      if (step !== "" && typeof part === "object" && part !== null) {
        part = Object.entries(part).find(([name]) => name === step)?.[1];
      }
      place = (typeof part === "object" && part !== null ? this.#places.get(part) : undefined) ?? place;
    }
    return place;
  }
}
