import type { CustomField } from "../../../src/segments";

/** The custom fields that our worlds have, one of each type; a value of another type is missing. */
export const CUSTOM_FIELDS: CustomField[] = [
  { name: "nick", label: "Nick", type: "text", options: [] },
  { name: "points", label: "Points", type: "number", options: [] },
  { name: "birthday", label: "Birthday", type: "date", options: [] },
  { name: "vip", label: "VIP", type: "boolean", options: [] },
  { name: "plan", label: "Plan", type: "radio", options: ["gold", "Basic"] },
  { name: "likes", label: "Likes", type: "multiselect", options: ["tea", "Tee ☕", "100%"] },
];
