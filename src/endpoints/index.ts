export { addressProblem } from "./address";
export { type Listener, listenersOf, planDeliveries } from "./plan";
export { dropOldDeliveries } from "./retention";
export { sendDeliveries } from "./send";
