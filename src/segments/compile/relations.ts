import type { Frame, Relation } from "./frame";

/** Whose rows: by the column of the contact, or of the anonymous persona where no contact is known. */
function owned(frame: Frame, table: string, alias: string): Relation {
  const { kind, one, shop } = frame;
  const key = `${alias}.${kind}`;
  const anonymous = kind === "visitor" ? [`${alias}.contact is null`] : [];
  const from = `${table} ${alias}`;
  return one === null
    ? { from, where: [`${alias}.shop = ${shop}`, `${key} is not null`, ...anonymous], key, all: true }
    : { from, where: [`${key} = ${one}`, `+${alias}.shop = ${shop}`, ...anonymous], key, all: false };
}

/**
 * Orders `o` that count: neither tests nor cancelled.
 *
 * @param since they are asked about from some moment on: then those of everybody are found by time, else contact by
 * contact, with amounts and times in the index itself
 */
export function orders(frame: Frame, since = false): Relation {
  const relation = owned(frame, "orders", "o");
  const where = [...relation.where, "o.test = 0", "o.cancelled_at is null"];
  if (frame.one !== null || frame.kind === "visitor") return { ...relation, where };
  return { ...relation, from: `orders o indexed by ${since ? "orders_counted_placed" : "orders_counted"}`, where };
}

/** All orders `o` but tests. */
export function realOrders(frame: Frame): Relation {
  const relation = owned(frame, "orders", "o");
  return { ...relation, where: [...relation.where, "o.test = 0"] };
}

/** The latest order `o` that counts; of two at the same moment, the one that came in last. */
export function lastOrder(frame: Frame): Relation {
  const relation = orders(frame);
  const same =
    frame.one === null && frame.kind === "contact"
      ? `orders x indexed by orders_counted where x.shop = o.shop and x.contact = o.contact`
      : `orders x where x.${frame.kind} = ${relation.key} and +x.shop = o.shop`;
  const later = `select 1 from ${same} and x.test = 0
    and x.cancelled_at is null and x.placed_at >= o.placed_at and (x.placed_at, x.key) > (o.placed_at, o.key)`;
  return { ...relation, where: [...relation.where, `not exists (${later})`] };
}

/** Carts `k`. */
export function carts(frame: Frame): Relation {
  return owned(frame, "carts", "k");
}

/** Refunds `r` of orders `o` that are no tests. */
export function refunds(frame: Frame): Relation {
  const relation = realOrders(frame);
  if (frame.one !== null) {
    return {
      ...relation,
      from: `${relation.from} cross join refunds r on r.shop = ${frame.shop} and r.order_external_id = o.external_id`,
    };
  }
  return {
    ...relation,
    from: `refunds r cross join orders o on o.shop = r.shop and o.origin in ('shopify', 'api')
      and o.external_id = r.order_external_id`,
    where: [`r.shop = ${frame.shop}`, ...relation.where],
  };
}

/** A contact's browsers `v`. */
export function browsers(frame: Frame): Relation {
  const where = ["v.channel = 'browser'"];
  return frame.one === null
    ? {
        from: "visitors v",
        where: [`v.shop = ${frame.shop}`, "v.contact is not null", ...where],
        key: "v.contact",
        all: true,
      }
    : {
        from: "visitors v",
        where: [`v.contact = ${frame.one}`, `+v.shop = ${frame.shop}`, ...where],
        key: "v.contact",
        all: false,
      };
}

/** The browser `v` that a contact used first or last; of two, the one that is older here. */
export function edgeBrowser(frame: Frame, edge: "first" | "last"): Relation {
  const relation = browsers(frame);
  const column = edge === "first" ? "first_seen_at" : "last_seen_at";
  const before = edge === "first" ? "<" : ">";
  const other = `select 1 from visitors x where x.contact = v.contact and x.channel = 'browser'
    and (x.${column} ${before} v.${column} or (x.${column} = v.${column} and x.key < v.key))`;
  return { ...relation, where: [...relation.where, `not exists (${other})`] };
}

/** Rows `h` of a contact that a table of contacts keeps by `contact` and `shop`. */
export function ofContact(frame: Frame, table: string): Relation {
  return frame.one === null
    ? { from: `${table} h`, where: [`h.shop = ${frame.shop}`], key: "h.contact", all: true }
    : {
        from: `${table} h`,
        where: [`h.contact = ${frame.one}`, `+h.shop = ${frame.shop}`],
        key: "h.contact",
        all: false,
      };
}
