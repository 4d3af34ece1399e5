export type { OrderItemSource, OrderSource, RefundSource } from "./source";
export { orderState } from "./state";
export { planOrder } from "./upsert";
export { insertRefund } from "./write";
