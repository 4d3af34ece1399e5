export { armClock } from "./arm";
export { consume } from "./consume";
export { pokeClocks, pokeNowAndThen } from "./maintain";
export { type DomainEvent, emit } from "./outbox";
export { replayDeadLetter } from "./reactions";
export { enforceRetention } from "./retention";
