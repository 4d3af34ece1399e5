export { type ShopApp, appOf } from "./app-secret";
export { checkConnection, type CheckResult, type ConnectionProblem } from "./check";
export { forgetConnection, readConnection } from "./read";
export { isStoreDomain } from "./store-domain";
export { ReadShopId } from "./store.queries";
export { sessionOf } from "./session";
