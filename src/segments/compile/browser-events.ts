import type { Bounds } from "./bounds";
import type { Frame, Relation } from "./frame";
import { happened } from "./predicate";

/**
 * Occurrences `e` of what browsers and servers reported. For everyone they are read by type and time; for one subject
 * the paths of its visits name them, and each is then read by its exact key. Both find the same rows.
 */
export function browserEvents(frame: Frame, name: string, window: Bounds | null): Relation {
  const { kind, one, parameters, shop } = frame;
  const type = `(select key from event_types where name = ${parameters.one(name)})`;
  if (one === null) {
    const where = [`e.shop = ${shop}`, `e.type = ${type}`, ...happened(frame, "e.at", window)];
    const byBrowser: Relation = { from: "events e", where, key: "e.visitor", all: true };
    if (kind === "visitor") return byBrowser;
    // Most events are of nobody known: a look at each one's visitor costs more than all the rest.
    const linked = `select l.key from visitors l indexed by visitors_linked
      where l.shop = ${shop} and l.contact is not null group by l.key`;
    return {
      from: "events e cross join visitors v indexed by visitors_linked",
      where: [...where, `e.visitor in (${linked})`, `v.shop = ${shop}`, "v.key = e.visitor", "v.contact is not null"],
      key: "v.contact",
      all: true,
      byBrowser,
    };
  }
  const moments = happened(frame, "j.value ->> 1", window);
  // A part of a visit tells when its first and last events happened, so most paths need not be read.
  const parts = [
    ...(window?.from == null ? [] : [`w.until >= ${parameters.one(window.from)}`]),
    ...(window?.to == null ? [] : [`w.at <= ${parameters.one(window.to)}`]),
  ];
  const key = kind === "visitor" ? "v.key" : "v.contact";
  return {
    from: `visitors v cross join visits w on w.visitor = v.key cross join json_each(w.path) j
      cross join events e on e.shop = ${shop} and e.type = j.value ->> 2 and e.at = j.value ->> 1
        and e.visitor = v.key and e.seq = j.value ->> 0`,
    where: [`${key} = ${one}`, `+v.shop = ${shop}`, ...parts, `j.value ->> 2 = ${type}`, ...moments],
    key,
    all: false,
  };
}
