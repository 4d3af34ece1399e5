import type { RecipeName } from "./texts";

type Parts = Record<string, string>;

export interface Recipe {
  /** Its messages, and the block of the templates that each shows; null for none. */
  mails: Record<string, string | null>;
  /** @param templates ids by message */
  definition: (templates: Parts) => Record<string, unknown>;
}

const mail = (id: string, templates: Parts) => ({
  id,
  type: "message",
  channel: "email",
  template: templates[id],
});

const rest = (id: string, n: number, unit: "hour" | "day") => ({ id, type: "wait", wait: { for: { n, unit } } });

const bought = { on: { type: "made_purchase" } };

const reminders = (trigger: string): Recipe => ({
  mails: { reminder: "cart", last: "cart" },
  definition: (templates) => ({
    triggers: [{ type: trigger }],
    exits: [bought, { on: { type: "cart_recovered" } }],
    reentry: { after: { n: 7, unit: "day" } },
    parallel: "cart",
    steps: [mail("reminder", templates), rest("day", 1, "day"), mail("last", templates)],
  }),
});

/** Automations that most shops want, ready to be activated and changed. */
export const RECIPES: Record<RecipeName, Recipe> = {
  abandoned_cart: reminders("abandoned_cart"),
  abandoned_checkout: reminders("abandoned_checkout"),
  browse_abandonment: {
    mails: { reminder: "products" },
    definition: (templates) => ({
      triggers: [{ type: "abandoned_browse", after: { n: 2, unit: "hour" } }],
      exits: [bought],
      reentry: { after: { n: 7, unit: "day" } },
      steps: [mail("reminder", templates)],
    }),
  },
  welcome: {
    mails: { hello: null, first_order: "recommendations" },
    definition: (templates) => ({
      triggers: [{ type: "consent_changed", channel: "email", state: "subscribed" }],
      reentry: "never",
      steps: [
        mail("hello", templates),
        rest("days", 3, "day"),
        {
          id: "ordered",
          type: "if",
          when: { all: [{ field: "orders_count", op: "gt", value: 0 }] },
          next: null,
          else: "first_order",
        },
        mail("first_order", templates),
      ],
    }),
  },
  post_purchase: {
    mails: { thanks: "order" },
    definition: (templates) => ({
      triggers: [{ type: "made_purchase" }],
      exits: [{ on: { type: "event", event: "order_cancelled" } }, { on: { type: "event", event: "order_refunded" } }],
      reentry: "always",
      parallel: "order",
      steps: [rest("day", 1, "day"), mail("thanks", templates)],
    }),
  },
  win_back: {
    mails: { miss_you: "recommendations", last: "recommendations" },
    definition: (templates) => ({
      triggers: [{ type: "schedule", every: "day", time: "10:00" }],
      // A week, so that a day of pause or outage leaves nobody out.
      filter: { all: [{ field: "days_since_last_order", op: "between", value: [60, 67] }] },
      exits: [bought],
      reentry: { after: { n: 30, unit: "day" } },
      steps: [mail("miss_you", templates), rest("weeks", 14, "day"), mail("last", templates)],
    }),
  },
  vip: {
    mails: { thanks: null },
    definition: (templates) => ({
      triggers: [{ type: "made_purchase", nth: { gte: 5 } }],
      reentry: "never",
      steps: [{ id: "tag", type: "add_tag", tag: "vip" }, mail("thanks", templates)],
    }),
  },
  review_request: {
    mails: { ask: "order" },
    definition: (templates) => ({
      triggers: [{ type: "event", event: "order_fulfilled" }],
      exits: [{ on: { type: "event", event: "order_cancelled" } }, { on: { type: "event", event: "order_refunded" } }],
      reentry: "always",
      parallel: "order",
      steps: [rest("weeks", 14, "day"), mail("ask", templates)],
    }),
  },
};
