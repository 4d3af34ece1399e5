import { EVENTS, eventType } from "../../../src/segments/event-catalogue";
import { LINE_FACTS } from "../../../src/segments/compile/lines";
import { customField, FIELDS } from "../../../src/segments/fields";
import { operatorsOf, type Wants } from "../../../src/segments/operators";
import { CUSTOM_FIELDS } from "./custom-fields";
import { type Leaf, type Maker, WINDOWS } from "./make-definition";
import { COMPARISONS } from "./operands";

/** One thing that can be asked: what the oracle counts how often it has asked it. */
export interface Card {
  /** Under which it is counted. */
  name: string;
  /** Only contacts have it. */
  ofContacts: boolean;
  make: (maker: Maker) => Leaf;
}

const DATA_PATHS = [
  "data.note",
  "data.when",
  "data.nested.level",
  "data.nested.a-b",
  "data.quantity",
  "data.note.deep",
];
const DATA_TYPES = [{ type: "text" }, { type: "number" }, { type: "bool" }, { type: "date" }] as const;

/** Every event's own properties, by name. */
function propertiesOf(): Map<
  string,
  { events: string[]; operators: Record<string, Wants>; numeric: boolean; many: boolean }
> {
  const found = new Map<
    string,
    { events: string[]; operators: Record<string, Wants>; numeric: boolean; many: boolean }
  >();
  const custom = eventType("custom:quiz");
  for (const event of [...EVENTS.values(), ...(custom ? [custom] : [])]) {
    const asked = [
      ...Object.entries(event.properties).map(([name, one]) => ({ ...one, name })),
      ...(event.lines ? Object.entries(LINE_FACTS).map(([name, one]) => ({ ...one, name: `items.${name}` })) : []),
    ];
    for (const one of asked) {
      const known = found.get(one.name) ?? {
        events: [],
        operators: operatorsOf(one),
        numeric: one.type === "number" || one.type === "money",
        many: one.many === true,
      };
      known.events.push(event.name);
      found.set(one.name, known);
    }
  }
  return found;
}

/** All there is to ask: every field and operator, every property of events and operator, every measure and window. */
export function allCards(): Card[] {
  const fields = [...FIELDS.values(), ...CUSTOM_FIELDS.map(customField)];
  const properties = [...propertiesOf()];
  const events = [...EVENTS.keys(), "custom:quiz"];
  const openEvents = events.filter((name) => eventType(name)?.open);
  return [
    ...fields.flatMap((field) =>
      Object.entries(operatorsOf(field)).map(([op, wants]): Card => ({
        name: `${field.name} ${op}`,
        ofContacts: !field.places.visitor,
        make: (maker) => maker.attribute(field.name, op, wants),
      })),
    ),
    ...properties.flatMap(([name, { events: having, operators }]) =>
      Object.entries(operators).map(([op, wants]): Card => ({
        name: `where ${name} ${op}`,
        ofContacts: false,
        make: (maker) => maker.happening(maker.chance.oneOf(having) ?? "", [{ field: name, op, wants }]),
      })),
    ),
    ...DATA_TYPES.flatMap(({ type }) =>
      Object.entries(operatorsOf({ type })).map(([op, wants]): Card => ({
        name: `where data.* ${type} ${op}`,
        ofContacts: false,
        make: (maker) =>
          maker.happening(maker.chance.oneOf(openEvents) ?? "", [
            { field: maker.chance.oneOf(DATA_PATHS) ?? "", op, wants },
          ]),
      })),
    ),
    ...events.flatMap((event) =>
      ["count", "firstAt", "lastAt"].map((measure): Card => ({
        name: `${event} ${measure}`,
        ofContacts: false,
        make: (maker) => maker.measure(event, measure, null),
      })),
    ),
    ...COMPARISONS.map((comparison): Card => ({
      name: `count ${comparison}`,
      ofContacts: false,
      make: (maker) => ({
        ...maker.happening(maker.event(), []),
        count: maker.comparison([0, 1, 1, 2, 3], comparison),
      }),
    })),
    ...properties.flatMap(([name, { events: having, numeric, many }]) =>
      [...(numeric ? ["sum"] : []), ...(many ? [] : ["distinct"])].map((measure): Card => ({
        name: `${measure} of ${name}`,
        ofContacts: false,
        make: (maker) => maker.measure(maker.chance.oneOf(having) ?? "", measure, name),
      })),
    ),
    ...["sum", "distinct"].map((measure): Card => ({
      name: `${measure} of data.*`,
      ofContacts: false,
      make: (maker) =>
        maker.measure(maker.chance.oneOf(openEvents) ?? "", measure, maker.chance.oneOf(DATA_PATHS.slice(0, 5)) ?? ""),
    })),
    ...WINDOWS.map((window): Card => ({
      name: `window ${window}`,
      ofContacts: false,
      make: (maker) => ({ ...maker.happening(maker.event(), []), window: maker.window(window) }),
    })),
    ...["followedBy", "notFollowedBy"].flatMap((next) =>
      ["same", "other", "where", "window"].map((kind): Card => ({
        name: `sequence ${next} ${kind}`,
        ofContacts: false,
        make: (maker) => maker.sequence(next, kind),
      })),
    ),
    ...["percent", "seed"].map((kind): Card => ({
      name: `sample ${kind}`,
      ofContacts: false,
      make: ({ chance }) => ({
        sample: {
          percent: chance.pick([0, 10, 50, 33.3333, 99, 100]),
          ...(kind === "seed" ? { seed: chance.word() } : {}),
        },
      }),
    })),
    ...(["segment", "list"] as const).flatMap((of) =>
      ["in", "notIn", "in window", "unknown"].map((kind): Card => ({
        name: `${of} ${kind}`,
        ofContacts: false,
        make: (maker) => maker.membership(of, kind),
      })),
    ),
  ];
}
