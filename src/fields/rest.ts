/** What other parts that load late use of fields. */
export { removeFieldValues } from "./remove-values";
export { createField } from "./change";
export { type FieldRule, valueProblem } from "./values";
