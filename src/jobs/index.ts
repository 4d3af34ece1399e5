export { armClock } from "./arm";
export { DOMAIN_EVENTS, type DomainEventType, emit } from "./outbox";
