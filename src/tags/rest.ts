/** What long work needs of this feature; loads with the first of it. */
export { continueTagChange } from "./carry-over";
