export { armClock } from "./arm";
export { catchUp } from "./membership";
export { DOMAIN_EVENTS, type DomainEventType, emit, INTERNAL_EVENTS } from "./outbox";
