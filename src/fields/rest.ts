/** What long work needs of this feature; loads with the first of it. */
export { removeFieldValues } from "./remove-values";
