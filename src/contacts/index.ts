export { type ContactRef, mergeContactsStatements } from "./merge";
export type { ContactSource } from "./decide";
export { ACCOUNT_STATES, recount } from "./lifecycle";
export { demoted, mergeRegisters, type Registers, type SourceValues, type Version } from "./registers";
export { CONSENT_LEVELS, CONSENT_STATES, type ConsentDecision } from "./source-consents";
export { addSourceTags, removeSourceTags } from "./source-tags";
export { planContact } from "./upsert";
