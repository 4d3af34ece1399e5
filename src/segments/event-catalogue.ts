import { EVENT_TYPES } from "../collect/schemas";
import type { EventType } from "./event-type";
import { BROWSER_EVENTS, browserEvent } from "./events-of-browsers";
import { COMMERCE_EVENTS } from "./events-of-commerce";

export type { EventType, Property, Source } from "./event-type";

/** Every event that this installation keeps, by name; those of a shop's own are `custom:*`. */
export const EVENTS: ReadonlyMap<string, EventType> = new Map(
  [
    ...EVENT_TYPES.map((name) => {
      const {
        label = name.replaceAll("_", " "),
        properties = {},
        lines = "none" as const,
      } = BROWSER_EVENTS[name] ?? {};
      return browserEvent(name, label, properties, lines);
    }),
    ...COMMERCE_EVENTS,
  ].map((event) => [event.name, event]),
);

/** The event of this name; undefined for none. */
export function eventType(name: string): EventType | undefined {
  if (/^custom:[\w.:-]{1,64}$/.test(name)) return browserEvent(name, name.slice("custom:".length), {}, "listed");
  return EVENTS.get(name);
}
