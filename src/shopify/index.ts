export { unpackBody } from "./body";
export { dueInboxRows, handleInboxRow, type InboxOutcome, replayInboxRow } from "./inbox";
export { receiveWebhook } from "./receive";
