import { z } from "zod";

import { foldTag } from "../contacts";
import { visits } from "./address";
import type { Comparison, EventElement, EventFilter } from "./elements";

/** A domain event, with what D1 knows of the order or cart that it is about. */
export interface Happening {
  /** Name of the domain event, or of the browser's. */
  type: string;
  isBrowser: boolean;
  at: number;
  data: Record<string, unknown>;
  /** Of a page, else null. */
  url: string | null;
  order: Purchase | null;
  cart: CartFacts | null;
}

interface Goods {
  value: number | null;
  products: string[];
  categories: string[];
}

export interface Purchase extends Goods {
  id: string;
  cartToken: string | null;
  /** Which of the person's orders it is, from 1; null for nobody's. */
  nth: number | null;
}

export interface CartFacts extends Goods {
  id: string;
  token: string;
  reachedCheckout: boolean;
}

/** One filter of an element and whether an event passed it. */
export interface Check {
  filter: string;
  passed: boolean;
}

/** Whether an event is of an element's kind at all: what its filters are then asked of. */
export function isOfKind(element: EventElement, event: Happening): boolean {
  const { type, isBrowser } = event;
  switch (element.type) {
    case "visited_url":
      return isBrowser && type === "page_viewed";
    case "made_purchase":
      return !isBrowser && type === "order_placed";
    case "abandoned_cart":
      return !isBrowser && type === "cart_abandoned";
    case "abandoned_checkout":
      return !isBrowser && type === "cart_abandoned" && event.cart?.reachedCheckout === true;
    case "cart_recovered":
      return !isBrowser && type === "cart_recovered";
    case "event":
      return type === element.event;
    case "order_updated":
      return type === "order_updated" && element.field in changes(event);
    case "segment":
      return type === `segment_${element.change}`;
    case "list":
      return type === `list_${element.change}`;
    case "tag":
      return type === `tag_${element.change}`;
    case "field_changed":
      return type === "contact_changed" && `fields.${element.field}` in changes(event);
    case "score_reached":
      return type === "contact_changed" && "score" in changes(event);
    case "lifecycle_changed":
      return type === "lifecycle_changed";
    case "consent_changed":
      return type === "consent_changed";
    case "message":
      return type === `message_${element.event}`;
    case "form_submitted":
      return isBrowser && type === "form_submitted";
    case "sms_keyword":
      return type === "message_replied";
    default:
      return element satisfies never;
  }
}

/**
 * The filters of an element, each with whether the event passes it; for an event of its kind.
 *
 * @param shop what `store` may name
 */
export function checksOf(element: EventElement, event: Happening, shop: { id: string; domain: string }): Check[] {
  const { data } = event;
  const check = (filter: string, passed: boolean): Check => ({ filter, passed });
  const named = (filter: string, wanted: string | undefined, given: unknown): Check[] =>
    wanted === undefined ? [] : [check(filter, given === wanted)];
  switch (element.type) {
    case "visited_url":
      return [check("url", event.url !== null && visits(element, event.url))];
    case "made_purchase":
      return [
        ...goodsChecks(element, event.order, element.total, "total", shop),
        ...(element.nth === undefined ? [] : [check("nth", compares(element.nth, event.order?.nth ?? null))]),
      ];
    case "abandoned_cart":
    case "abandoned_checkout":
    case "cart_recovered":
      return goodsChecks(element, event.cart, element.value, "value", shop);
    case "event":
      return (element.where ?? []).map((filter, i) => check(`where/${i}`, passes(filter, event)));
    case "order_updated":
      return changeChecks(element, changes(event)[element.field]);
    case "segment":
      return [check("segment", data["segmentId"] === element.segment)];
    case "list":
      return [check("list", data["listId"] === element.list)];
    case "tag":
      return [check("tag", data["tag"] === foldTag(element.tag))];
    case "field_changed":
      return changeChecks(element, changes(event)[`fields.${element.field}`]);
    case "score_reached": {
      const [from, to] = (changes(event)["score"] ?? []).map(Number);
      if (from === undefined || to === undefined) return [check("score", false)];
      const { score, direction } = element;
      return [check("score", direction === "up" ? from < score && to >= score : from > score && to <= score)];
    }
    case "lifecycle_changed":
      return [
        ...named("stage", element.stage, data["stage"]),
        ...named("status", element.status, data["status"]),
        // With a stage alone its statuses make no difference.
        ...(element.stage !== undefined && element.status === undefined
          ? [check("stage", data["stageBefore"] !== element.stage)]
          : []),
      ];
    case "consent_changed":
      return [...named("channel", element.channel, data["channel"]), ...named("state", element.state, data["state"])];
    case "message":
      return [
        ...named("channel", element.channel, data["channel"]),
        ...named("template", element.template, data["template"]),
        ...named("campaign", element.campaign, data["campaign"]),
        ...named("automation", element.automation, data["automation"]),
      ];
    case "form_submitted":
      return element.form === undefined
        ? []
        : [check("form", [data["form"], data["formId"], data["name"]].includes(element.form))];
    case "sms_keyword":
      return [
        check("channel", data["channel"] === "sms"),
        check("keyword", typeof data["keyword"] === "string" && sameWord(data["keyword"], element.keyword)),
      ];
    default:
      return element satisfies never;
  }
}

/** True for an event of the element's kind that passes all its filters. */
export function meets(element: EventElement, event: Happening, shop: { id: string; domain: string }): boolean {
  return isOfKind(element, event) && checksOf(element, event, shop).every(({ passed }) => passed);
}

function sameWord(a: string, b: string): boolean {
  return a.trim().localeCompare(b.trim(), "en", { sensitivity: "base" }) === 0;
}

function goodsChecks(
  element: { store?: string | undefined; products?: string[] | undefined; categories?: string[] | undefined },
  goods: Goods | null,
  amount: Comparison | undefined,
  named: string,
  shop: { id: string; domain: string },
): Check[] {
  const { store, products, categories } = element;
  const some = (wanted: string[], given: string[] | undefined) => {
    const folded = new Set((given ?? []).map((one) => one.toLowerCase()));
    return wanted.some((one) => folded.has(one.toLowerCase()));
  };
  return [
    ...(store === undefined
      ? []
      : [{ filter: "store", passed: store === shop.id || store.toLowerCase() === shop.domain }]),
    ...(products === undefined ? [] : [{ filter: "products", passed: some(products, goods?.products) }]),
    ...(categories === undefined ? [] : [{ filter: "categories", passed: some(categories, goods?.categories) }]),
    ...(amount === undefined ? [] : [{ filter: named, passed: compares(amount, goods?.value ?? null) }]),
  ];
}

/** A missing number passes no comparison. */
export function compares(test: Comparison, value: number | null): boolean {
  if (value === null) return false;
  const { eq, gt, gte, lt, lte } = test;
  return (
    (eq === undefined || value === eq) &&
    (gt === undefined || value > gt) &&
    (gte === undefined || value >= gte) &&
    (lt === undefined || value < lt) &&
    (lte === undefined || value <= lte)
  );
}

const Changes = z.record(z.string(), z.tuple([z.unknown(), z.unknown()]));

/** Before and after of what changed, by name. */
function changes({ data }: Happening): Record<string, [unknown, unknown]> {
  return Changes.safeParse(data["changes"]).data ?? {};
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

function changeChecks({ from, to }: { from?: unknown; to?: unknown }, change: [unknown, unknown] | undefined): Check[] {
  const same = (wanted: unknown, given: unknown) => wanted === given || String(wanted) === textOf(given);
  return [
    ...(from === undefined ? [] : [{ filter: "from", passed: change !== undefined && same(from, change[0]) }]),
    ...(to === undefined ? [] : [{ filter: "to", passed: change !== undefined && same(to, change[1]) }]),
  ];
}

function passes({ field, op, value }: EventFilter, event: Happening): boolean {
  const given = field === "url" ? event.url : valueAt(event.data, field.split(".").slice(1));
  const isMissing = given === null || given === undefined || given === "";
  const text = textOf(given).toLowerCase();
  const wanted = String(value).toLowerCase();
  switch (op) {
    case "is_set":
      return !isMissing;
    case "not_set":
      return isMissing;
    case "ne":
      return isMissing || text !== wanted;
    case "eq":
      return !isMissing && text === wanted;
    case "in":
      return !isMissing && (Array.isArray(value) ? value : [value]).some((one) => String(one).toLowerCase() === text);
    case "contains":
      return !isMissing && text.includes(wanted);
    case "starts_with":
      return !isMissing && text.startsWith(wanted);
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return typeof given === "number" && typeof value === "number" && compares({ [op]: value }, given);
    default:
      return op satisfies never;
  }
}

function valueAt(data: unknown, path: string[]): unknown {
  let value = data;
  for (const part of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = new Map(Object.entries(value)).get(part);
  }
  return value;
}
