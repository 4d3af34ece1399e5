export { addCustomerStage, checkStage, CUSTOMER, firstLadder, LEAD } from "./ladder";
