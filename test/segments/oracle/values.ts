import { carts, jsonLine, personas, pieces, some, sum } from "./facts";
import type { Value } from "./operators";
import { countryCode, inEu } from "./places";
import { ofContact } from "./values-of-contacts";
import { ofLines, ofOrders } from "./values-of-orders";
import type { Subject, Visitor, World } from "./world";

const least = (numbers: number[]) => (numbers.length > 0 ? [Math.min(...numbers)] : []);
const most = (numbers: number[]) => (numbers.length > 0 ? [Math.max(...numbers)] : []);

/** The values that a subject has of a field; none for a missing one. */
export function valuesOf(world: World, subject: Subject, field: string, now: number): Value[] {
  const touch = /^(first|last)_touch_(.+)$/.exec(field);
  const device = /^device_(type|browser|os)$/.exec(field);
  const edge = edgeBrowser(world, subject, touch?.[1] === "first" ? "first" : "last");
  if (touch) {
    const touched = touch[1] === "first" ? edge?.firstTouch : edge?.lastTouch;
    return some(touched?.[touch[2] === "landing_page" ? "landingUrl" : (touch[2] ?? "")]);
  }
  if (device) return some(edge?.device?.[device[1] ?? ""]);
  switch (field) {
    case "ip_country":
      return some(edge?.country);
    case "ip_region":
      return some(edge?.region);
    case "ip_city":
      return some(edge?.city);
    case "location":
      return some(edge?.cell);
    case "timezone":
      return some(edge?.timezone);
    case "language":
      return some(edge?.language);
    default:
      break;
  }
  const visiting = ofVisits(world, subject, field);
  if (visiting) return visiting;
  const cart = ofCarts(world, subject, field);
  if (cart) return cart;
  if (subject.kind === "visitor") {
    const { country, region, city } = subject.visitor;
    const place: Record<string, string | null> = { country, region, city };
    if (field === "source") return ["anonymous_website_visitors"];
    if (field === "in_us") return country ? [countryCode(country) === "US"] : [];
    return field === "in_eu" ? inEu(country) : some(place[field]);
  }
  return (
    ofContact(subject.contact, field) ??
    ofOrders(world, subject, field, now) ??
    ofLines(world, subject, field) ??
    unknown(field)
  );
}

function unknown(field: string): never {
  throw new Error(`the oracle does not know the field ${field}`);
}

function edgeBrowser(world: World, subject: Subject, edge: "first" | "last"): Visitor | undefined {
  const browsers = personas(world, subject).filter(({ channel }) => channel === "browser");
  const by = (a: Visitor, b: Visitor) =>
    edge === "first" ? a.firstSeenAt - b.firstSeenAt : b.lastSeenAt - a.lastSeenAt;
  return browsers.sort((a, b) => by(a, b) || a.key - b.key)[0];
}

function ofVisits(world: World, subject: Subject, field: string): Value[] | null {
  const browsers = personas(world, subject).filter(({ channel }) => channel === "browser");
  const visits = sum(browsers.map((one) => one.visits));
  const pages = sum(browsers.map((one) => one.pageViews));
  const are = <T>(value: T) => (browsers.length > 0 ? [value] : []);
  switch (field) {
    case "first_seen":
      return least(browsers.map((one) => one.firstSeenAt));
    case "last_seen":
      return most(browsers.map((one) => one.lastSeenAt));
    case "visits":
      return are(visits);
    case "page_views":
      return are(pages);
    case "pages_per_visit":
      return visits > 0 ? [pages / visits] : [];
    case "average_visit_duration":
      return visits > 0 ? [sum(browsers.map((one) => one.visitSeconds)) / visits] : [];
    case "returning":
      return are(visits > 1);
    default:
      return null;
  }
}

function ofCarts(world: World, subject: Subject, field: string): Value[] | null {
  const own = carts(world, subject);
  const open = own.filter(({ state }) => state === "open");
  const fact = /^open_cart_(?!value|quantity)(.+)$/.exec(field)?.[1];
  if (fact !== undefined) return open.flatMap(({ items }) => items.flatMap((one) => jsonLine(world, one)[fact] ?? []));
  const times = (name: "activityAt" | "abandonedAt" | "recoveredAt") =>
    most(own.flatMap((cart) => (cart[name] === null ? [] : [cart[name]])));
  switch (field) {
    case "open_cart_value":
      return open.flatMap(({ currency, value }) => (currency === world.currency ? some(value) : []));
    case "open_cart_quantity":
      return open.map(pieces);
    case "abandoned_carts":
      return [own.filter(({ state }) => state === "abandoned").length];
    case "recovered_carts":
      return [own.filter(({ state }) => state === "recovered").length];
    case "last_cart_at":
      return times("activityAt");
    case "last_cart_abandoned_at":
      return times("abandonedAt");
    case "last_cart_recovered_at":
      return times("recoveredAt");
    default:
      return null;
  }
}
