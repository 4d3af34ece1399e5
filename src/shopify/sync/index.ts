export { operationEnded } from "./operation-ended";
export { startSync } from "./start";
