/** The parts of messages that load with the first need: sending, feedback, public pages. */
export { ExportedMessageSchema, exportMessages } from "./export";
export { publicPage } from "./pages";
export { sendDeliveries } from "./send";
export { readRecipients, type Recipient } from "./recipient";
export { whyNot } from "./eligibility";
export { SKIP_REASONS, type SkipReason } from "./reasons";
export { applyRules } from "./rules";
