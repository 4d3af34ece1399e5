export { armClock } from "./arm";
export { catchUp } from "./membership";
export { DOMAIN_EVENTS, type DomainEventType, emit } from "./outbox";
