/** What other parts that load late use of lists. */
export { continueListChange } from "./members";
export { findList, listsOf } from "./read";
