export { armClock } from "./arm";
export { type DomainEventType, emit } from "./outbox";
