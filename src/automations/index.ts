/** The engine; loads with the first event or run of a shop that has an automation, never on the way of a beacon. */
export { advanceRuns } from "./advance";
export type { Sending } from "./definition";
export { type EventRow } from "./happening";
export { reactToEvents } from "./react";
export { exitReached, sendRules } from "./sending";
export { letPeopleIn } from "./timers";
