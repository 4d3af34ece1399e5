/** What the other parts that load late use of segments: REST, jobs and the clock; never on the way of a beacon. */
export { audienceMembers, audienceSize, type AudienceIds, type AudienceSets, findAudience } from "./audience";
export { notReferred, referring } from "./change";
export { LIMITS, type Limits } from "./membership/evaluate";
export { customFieldsOf, vocabulary } from "./membership/load";
export { updateMembership } from "./membership/update";
export { watchesOf } from "./membership/watches";
export { publicIds, readAudience } from "./preview";
export { findSegment } from "./read";
export { continueRemoval } from "./remove";
export { asksForRfm, freshBounds } from "./rfm";
