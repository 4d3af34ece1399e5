/** What the other parts that load late use of segments: REST, jobs and the clock; never on the way of a beacon. */
export { notReferred, referring } from "./change";
export { LIMITS, type Limits } from "./membership/evaluate";
export { updateMembership } from "./membership/update";
export { publicIds, readAudience } from "./preview";
export { findSegment } from "./read";
export { continueRemoval } from "./remove";
