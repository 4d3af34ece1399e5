export { type ContactRef, mergeContactsStatements } from "./merge";
export type { ContactSource } from "./decide";
export { ACCOUNT_STATES, recount, recountMany } from "./lifecycle";
export { demoted, mergeRegisters, type Registers, type SourceValues, type Version } from "./registers";
export { CONSENT_LEVELS, CONSENT_STATES, type ConsentDecision } from "./source-consents";
export { addSourceTags, foldTag, removeSourceTags } from "./source-tags";
export { type ManyContacts, planContacts } from "./plan-many";
export { identitiesOf, planContact } from "./upsert";
