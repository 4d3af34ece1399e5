/** What the REST routes of other features use of this one; loads with the API, never on the way of a beacon. */
export { findOrder, listOrders } from "./read";
