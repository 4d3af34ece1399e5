export type { OrderGuess, OrderItemSource, OrderSource, RefundSource } from "./source";
export { orderState } from "./state";
export { type KnownOrders, peopleWithCarts, planOrders, readOrders } from "./plan-many";
export { planOrder } from "./upsert";
export { insertRefund } from "./write";
