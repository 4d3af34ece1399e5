export { operationEnded } from "./operation-ended";
export { interruptSync } from "./interrupt";
export { startSync } from "./start";
