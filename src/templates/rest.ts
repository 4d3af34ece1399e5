/** What other parts that load late use of templates. */
export { createTemplate, deleteTemplate } from "./change";
export { findTemplate } from "./read";
