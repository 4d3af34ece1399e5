import { browsers } from "./compile/relations";
import type { ValueType } from "./condition";
import { aggregate, browserText, column, type Field } from "./field";

const TOUCH = [
  ["source", "source"],
  ["medium", "medium"],
  ["campaign", "campaign"],
  ["term", "term"],
  ["content", "content"],
  ["channel", "channel"],
  ["referrer", "referrer"],
  ["landing_page", "landingUrl"],
] as const;

export const VISITS: Field[] = [
  ...(
    [
      ["first_seen", "First seen", "date", "min(v.first_seen_at)", "s.first_seen_at"],
      ["last_seen", "Last seen", "date", "max(v.last_seen_at)", "s.last_seen_at"],
      ["visits", "Visits", "number", "sum(v.visits)", "s.visits"],
      ["page_views", "Page views", "number", "sum(v.page_views)", "s.page_views"],
      [
        "pages_per_visit",
        "Pages per visit",
        "number",
        "1.0 * sum(v.page_views) / nullif(sum(v.visits), 0)",
        "1.0 * s.page_views / nullif(s.visits, 0)",
      ],
      [
        "average_visit_duration",
        "Average length of a visit, seconds",
        "number",
        "1.0 * sum(v.visit_seconds) / nullif(sum(v.visits), 0)",
        "1.0 * s.visit_seconds / nullif(s.visits, 0)",
      ],
      ["returning", "Came back", "bool", "sum(v.visits) > 1", "s.visits > 1"],
    ] satisfies [string, string, ValueType, string, string][]
  ).map(([name, label, type, contact, visitor]): Field => ({
    name,
    label,
    group: "visits",
    type,
    places: { contact: aggregate(browsers, `(${contact})`), visitor: column(`(${visitor})`) },
  })),
  ...(["first", "last"] as const).flatMap((edge) =>
    TOUCH.map(([name, member]) =>
      browserText(
        "visits",
        `${edge}_touch_${name}`,
        `${edge === "first" ? "First" : "Last"} touch: ${name}`,
        edge,
        (a) => `(${a}.${edge}_touch ->> '$.${member}')`,
      ),
    ),
  ),
  ...(["type", "browser", "os"] as const).map((part) =>
    browserText("visits", `device_${part}`, `Device: ${part}`, "last", (a) => `(${a}.device ->> '$.${part}')`),
  ),
];
