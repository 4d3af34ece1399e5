export { showConnection } from "./connect/show";
