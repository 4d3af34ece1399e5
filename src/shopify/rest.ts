export { showConnection } from "./connect/show";
export { readConnection } from "./connect";
export { AdminError } from "./admin";
export {
  addCodes,
  CODES_AT_ONCE,
  DISCOUNT_SCOPE,
  type DiscountTerms,
  makeDiscount,
  readCreation,
  readDiscount,
  writeObstacle,
} from "./discounts/write";
