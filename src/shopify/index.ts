export { unpackBody } from "./body";
export { dueInboxRows, handleInboxRow, type InboxOutcome, replayInboxRow } from "./inbox";
export { handleInboxRows } from "./storm";
export { receiveWebhook } from "./receive";
export { expireData } from "./privacy/expire";
export { type Names, namesPerson, NOBODY, phoneDigits } from "./privacy/names";
export { clearInbox, INBOX, type Searched, searchWindow } from "./privacy/search";
export { appOf, isStoreDomain, sessionOf } from "./connect";

/** A run of the job that looks for records that Shopify deleted. See `sync/deletions.ts`. */
export async function continueDeletions(env: Env, job: { id: string; shop: number }, now: number): Promise<unknown> {
  return (await import("./sync/deletions")).continueDeletions(env, job, now);
}

/** A run of a privacy request's job; loads what it needs with the first. See `privacy/run.ts`. */
export async function continuePrivacyJob(env: Env, job: { id: string }, now: number) {
  const { continueJob } = await import("./privacy/run");
  return continueJob(env, job.id, now);
}
