export { checkFieldValues } from "./check";
export { STANDARD_FIELDS } from "./standard";
export { addSystemFields, SYSTEM_NAMES, systemValues } from "./system";
