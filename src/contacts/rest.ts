/** What the REST routes of other features use of this one; loads with the API, never on the way of a beacon. */
export { contactFrom } from "./locate";
export { contactNamed, type Named } from "./named";
export { continueErasure, erasureInput, eraseContact } from "./erase";
export { tally } from "./erase-records";
export { ErasureSubject, readSubject } from "./erase-subject";
export { keyColumn, selectContacts } from "./list";
export { ContactExportSchema, exportContact } from "./export";
export { moveStageJob, stageStatements } from "./bulk";
export { continueContactJob, purgeTrash } from "./jobs";
export { addTagsOfMany } from "./decisions";
export { type ImportedConsent, importConsents, phoneDecisions } from "./source-consents";
export { columnsOf, fieldsPatch } from "./write";
export { CONTACT_COLUMNS, type ContactRow, showContact } from "./show";
