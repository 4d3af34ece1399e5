export { startSync } from "./start";
