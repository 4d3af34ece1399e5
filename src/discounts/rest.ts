/** What long work and messages need of this feature; loads with the first of it. */
export { continueFill } from "./fill";
export { takeCode } from "./take";
