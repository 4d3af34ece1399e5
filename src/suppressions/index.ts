export { eraseAddresses } from "./erase";
export { PERSON_REASONS, SUPPRESSION_REASONS, type SuppressionReason } from "./reasons";
export {
  addressHash,
  classOf,
  liftHash,
  liftStatements,
  type NewSuppression,
  suppressHash,
  suppressStatements,
} from "./suppress";
