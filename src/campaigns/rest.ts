/** What jobs and the clock use of campaigns; loads with the first one. */
export { carryOutDue } from "./due";
export { continueCampaign } from "./work";
