export { noteSeen } from "./seen";
