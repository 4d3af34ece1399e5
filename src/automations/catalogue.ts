import { z } from "zod";

import { EventElement, Trigger } from "./elements";
import { Step } from "./steps";

interface Element {
  type: string;
  label: string;
  starts: boolean;
  condition: boolean;
  properties: { name: string; required: boolean; type: string; options: string[] }[];
}

const LABELS: Record<string, string> = {
  visited_url: "Visited URL",
  made_purchase: "Made a purchase",
  abandoned_cart: "Abandoned cart",
};

const GROUPS: { name: string; label: string; types: string[] }[] = [
  { name: "ecommerce", label: "E-commerce", types: ["visited_url", "made_purchase", "abandoned_cart"] },
  {
    name: "store",
    label: "Store",
    types: [
      "abandoned_checkout",
      "abandoned_browse",
      "cart_recovered",
      "order_updated",
      "price_drop",
      "back_in_stock",
      "low_stock",
      "event",
    ],
  },
  {
    name: "people",
    label: "People",
    types: ["segment", "list", "tag", "field_changed", "score_reached", "lifecycle_changed", "consent_changed", "date"],
  },
  { name: "messages", label: "Messages and forms", types: ["message", "form_submitted", "sms_keyword"] },
  { name: "time", label: "Time and by hand", types: ["schedule", "manual"] },
];

const STEP_GROUPS: { name: string; label: string; types: string[] }[] = [
  { name: "actions", label: "Actions", types: ["message", "webhook", "alert", "add_tag", "remove_tag", "add_to_list", "remove_from_list", "move_to_list", "set_field", "increase_field", "clear_field", "score", "lifecycle", "consent", "coupon"] },
  { name: "flow", label: "Flow", types: ["wait", "wait_until", "condition", "if", "branch", "split", "goal", "go_to", "start_automation", "stop_automation", "exit"] },
]; // prettier-ignore

const Described = z.object({
  properties: z.record(z.string(), z.record(z.string(), z.unknown())),
  required: z.array(z.string()).default([]),
});

/** Everything that an automation can be made of, read off the schemas that check it. */
export function catalogue() {
  const starts = new Map(Trigger.options.map((option) => [option.shape.type.value as string, option]));
  const waited = new Set<string>(EventElement.options.map((option) => option.shape.type.value));
  const steps = new Map(Step.options.map((option) => [option.shape.type.value as string, option]));
  return {
    groups: [
      ...GROUPS.map(({ name, label, types }) => ({
        name,
        label,
        elements: types.map((type) =>
          describe(type, starts.get(type), { starts: true, condition: waited.has(type) }, ["type"]),
        ),
      })),
      ...STEP_GROUPS.map(({ name, label, types }) => ({
        name,
        label,
        elements: types.map((type) =>
          describe(type, steps.get(type), { starts: false, condition: false }, ["type", "id"]),
        ),
      })),
    ],
  };
}

function describe(
  type: string,
  schema: z.ZodType | undefined,
  { starts, condition }: { starts: boolean; condition: boolean },
  hidden: string[],
): Element {
  const { properties, required } = Described.parse(
    schema === undefined ? { properties: {} } : z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }),
  );
  return {
    type,
    label: LABELS[type] ?? (type.charAt(0).toUpperCase() + type.slice(1)).replaceAll("_", " "),
    starts,
    condition,
    properties: Object.entries(properties)
      .filter(([name]) => !hidden.includes(name))
      .map(([name, property]) => ({
        name,
        required: required.includes(name),
        type: typeof property["type"] === "string" ? property["type"] : "any",
        options: z.array(z.string()).safeParse(property["enum"]).data ?? [],
      })),
  };
}
