import { watchesOf } from "../segments/rest";
import { needleOf } from "./address";
import type { Asked, Automation } from "./definition";
import type { EventElement, Trigger } from "./elements";

/** A domain event that an automation acts on, and what a page's address must contain for it. */
export interface Watch {
  what: string;
  needle: string;
}

/** Browser events of these names are told of by webhooks and orders as well. */
const BOTH = new Set(["cart_updated", "checkout_started"]);

/** The domain events after which a run or an entry of the automation may change. */
export function automationWatches({
  triggers,
  exits,
  steps,
}: Pick<Automation, "triggers" | "exits" | "steps">): Watch[] {
  const read = [...steps.values()];
  const elements: Trigger[] = [
    ...triggers,
    ...exits.flatMap(({ on }) => on ?? []),
    ...read.flatMap(({ step }) => ("on" in step && step.on ? [step.on] : [])),
  ];
  const asked = [
    ...exits.flatMap(({ asks }) => asks ?? []),
    ...read.filter(({ step }) => step.type === "goal" || step.type === "wait_until").flatMap(({ asks }) => asks),
  ];
  const all = [...elements.flatMap(elementWatches), ...asked.flatMap(conditionWatches)];
  return [...new Map(all.map((watch) => [`${watch.what} ${watch.needle}`, watch])).values()];
}

function elementWatches(element: Trigger): Watch[] {
  const of = (...whats: string[]) => whats.map((what) => ({ what, needle: "" }));
  switch (element.type) {
    case "visited_url":
      return [{ what: "event:page_viewed", needle: needleOf(element) }];
    case "made_purchase":
      return of("order_placed");
    case "abandoned_cart":
    case "abandoned_checkout":
      return of("cart_abandoned");
    case "cart_recovered":
      return of("cart_recovered");
    case "abandoned_browse":
      return of("event:product_viewed");
    case "event":
      return of(...eventNames(element));
    case "order_updated":
      return of("order_updated");
    case "segment":
      return of(`segment_${element.change}`);
    case "list":
      return of(`list_${element.change}`);
    case "tag":
      return of(`tag_${element.change}`);
    case "field_changed":
    case "score_reached":
      return of("contact_changed");
    case "lifecycle_changed":
    case "consent_changed":
      return of(element.type);
    case "message":
      return of(`message_${element.event}`);
    case "form_submitted":
      return of("event:form_submitted");
    case "sms_keyword":
      return of("message_replied");
    case "price_drop":
    case "back_in_stock":
    case "low_stock":
      return of("product_changed");
    case "date":
    case "schedule":
    case "manual":
      return [];
    default:
      return element satisfies never;
  }
}

function eventNames({ event }: Extract<EventElement, { type: "event" }>): string[] {
  if (BOTH.has(event)) return [event, `event:${event}`];
  return /^(contact|order)_/.test(event) ? [event] : [`event:${event}`];
}

/** What a change of a segment's facts (`segments/membership/watches`) is as a domain event; some are only found by the clock. */
const CHANGES: Record<string, string[]> = {
  contact: ["contact_changed"],
  "contact+": ["contact_changed"],
  tag: ["tag_added", "tag_removed"],
  consent: ["consent_changed"],
  lifecycle: ["lifecycle_changed"],
  order: ["order_placed", "order_paid", "order_fulfilled", "order_cancelled", "order_refunded", "order_updated"],
  cart: ["cart_updated", "checkout_started", "cart_abandoned", "cart_recovered", "event:cart_updated"],
};

function conditionWatches({ condition }: Asked): Watch[] {
  return watchesOf(condition).flatMap((what) => {
    const [kind = ""] = what.split(":");
    const names =
      kind === "event"
        ? [what]
        : kind === "segment" || kind === "list"
          ? [`${kind}_${kind === "list" ? "added" : "entered"}`, `${kind}_${kind === "list" ? "removed" : "left"}`]
          : (CHANGES[what] ?? []);
    return names.map((name) => ({ what: name, needle: "" }));
  });
}
